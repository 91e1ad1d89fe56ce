/**
 * Chooses the host: from a context, from flags, or from both.
 *
 * Invariant: the values of a context, above all its token, are sent only to the host of that
 * context. Therefore `--address` uses no context unless `--context` names one too.
 */
import { dirname } from 'node:path';
import { CliError } from '../cli-error.js';
import type { ContextFile } from './context-file.js';
import { ADDRESS_DEFAULT, type Target, type TargetFlags, withFlags, withFullPaths, withPort } from './target.js';

export interface Choice {
  readonly target: Target;
  /** The name of the context, if one is used. */
  readonly context?: string | undefined;
}

/** What the user asked for. */
export interface Request {
  readonly flags: TargetFlags & { readonly context?: string | undefined };
  /** The value of `WFDCTL_CONTEXT`. */
  readonly context: string | undefined;
}

/**
 * Reads the contexts only if they are needed: with `--address` alone, an invalid context file is no
 * error.
 */
export async function chooseTarget(
  { flags: { context: named, ...flags }, context: fromVariable }: Request,
  contexts: () => Promise<ContextFile>,
): Promise<Choice> {
  if (named === undefined && flags.address !== undefined) return { target: complete(flags.address, flags) };
  const file = await contexts();
  const context = named ?? (fromVariable || file.current);
  if (context === undefined) return { target: complete(ADDRESS_DEFAULT, flags) };
  const target = withFlags(withFullPaths(contextOf(context, file), dirname(file.file)), flags);
  return { target: complete(target.address, target), context };
}

/** Adds the default port of wfdd if the address has no port. */
function complete(address: string, target: TargetFlags): Target {
  return { ...target, address: withPort(address) };
}

function contextOf(name: string, { contexts, file }: ContextFile): Target {
  const target = contexts.get(name);
  if (target !== undefined) return target;
  throw new CliError('config', `No context ${name} in ${file}; run wfdctl context list to see the contexts.`);
}
