/**
 * Which host is asked: the one of a context, of flags, or both.
 *
 * Invariant: what a context holds, its token above all, goes to the host of that context alone. So `--address` leaves the
 * contexts aside, unless `--context` names one as well.
 */
import { dirname } from 'node:path';
import { Failure } from '../failure.js';
import type { ContextFile } from './context-file.js';
import { ADDRESS_DEFAULT, type Target, type TargetFlags, withFlags, withFullPaths, withPort } from './target.js';

export interface Choice {
  readonly target: Target;
  /** The name of the context, where one is used. */
  readonly context?: string | undefined;
}

/** What was asked for: by the flags, by `WFDCTL_CONTEXT`, or by the file. */
export interface Wishes {
  readonly flags: TargetFlags & { readonly context?: string | undefined };
  readonly context: string | undefined;
}

/** `contexts` is asked only where it matters: with an address alone, not even a file that is wrong does. */
export async function chooseTarget(
  { flags: { context: named, ...flags }, context: wished }: Wishes,
  contexts: () => Promise<ContextFile>,
): Promise<Choice> {
  if (named === undefined && flags.address !== undefined) return { target: complete(flags.address, flags) };
  const file = await contexts();
  const context = named ?? (wished || file.current);
  if (context === undefined) return { target: complete(ADDRESS_DEFAULT, flags) };
  const target = withFlags(withFullPaths(contextOf(context, file), dirname(file.file)), flags);
  return { target: complete(target.address, target), context };
}

/** It has the port of wfdd where none was given. */
function complete(address: string, target: TargetFlags): Target {
  return { ...target, address: withPort(address) };
}

function contextOf(name: string, { contexts, file }: ContextFile): Target {
  const target = contexts.get(name);
  if (target !== undefined) return target;
  throw new Failure('config', `No context ${name} in ${file}; run wfdctl context list to see the contexts.`);
}
