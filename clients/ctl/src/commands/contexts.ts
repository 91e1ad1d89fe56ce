/** `wfdctl context`: the hosts that are worth a name. */
import {
  isContextName,
  NAME_EXPECTED,
  parseContexts,
  withContext,
  withCurrent,
  withoutContext,
} from '../contexts/context-file.js';
import { changeContextFile } from '../contexts/storage.js';
import { checkTarget, type Target, withFlags, withPort } from '../contexts/target.js';
import { EXIT, type ExitCode } from '../exit-code.js';
import { Failure } from '../failure.js';
import type { Invocation } from '../invocation.js';
import { table } from '../text/table.js';

export async function listContexts(invocation: Invocation): Promise<ExitCode> {
  const { contexts, current } = await invocation.contexts();
  const entries = [...contexts];
  invocation.output.result({
    names: () => entries.map(([name]) => name),
    text: (style) => {
      if (entries.length === 0) return 'No contexts. Make one: wfdctl context set NAME --address HOST\n';
      const rows = entries.map(([name, target]) => [
        { text: name === current ? '*' : ' ', paint: style.good },
        name,
        target.address,
        securityOf(target),
        credentialOf(target),
      ]);
      return table(['CURRENT', 'NAME', 'ADDRESS', 'TLS', 'CREDENTIAL'], rows, style.bold);
    },
    message: () => ({
      ...(current !== undefined && { current }),
      contexts: entries.map(([name, target]) => ({ name, ...withoutSecret(target) })),
    }),
  });
  return EXIT.ok;
}

export async function useContext(name: string, invocation: Invocation): Promise<ExitCode> {
  await change(name, invocation, withCurrent);
  invocation.output.hint(`Now in use: ${name}`);
  return EXIT.ok;
}

/** Flags that are given replace what the context has; the rest of it stays. */
export async function setContext(name: string, invocation: Invocation): Promise<ExitCode> {
  if (!isContextName(name)) throw new Failure('usage', NAME_EXPECTED);
  const { target: flags, contextFilePath: path } = invocation;
  await invocation.contexts();
  await changeContextFile(path, (text) => {
    const file = parseContexts(text, path);
    const old = file.contexts.get(name);
    const address = flags.address ?? old?.address;
    if (address === undefined)
      throw new Failure('usage', `A new context needs the address of its host; give --address.`);
    const target = withFlags(old ?? { address }, { ...flags, address: withPort(address) });
    checkTarget(target);
    return withContext(text, file, name, target);
  });
  invocation.output.hint(`Kept in ${path}`);
  return EXIT.ok;
}

export async function deleteContext(name: string, invocation: Invocation): Promise<ExitCode> {
  await change(name, invocation, withoutContext);
  return EXIT.ok;
}

async function change(name: string, invocation: Invocation, edit: typeof withCurrent): Promise<void> {
  const path = invocation.contextFilePath;
  await invocation.contexts();
  await changeContextFile(path, (text) => {
    const file = parseContexts(text, path);
    if (!file.contexts.has(name))
      throw new Failure('config', `There is no context ${name} in ${path}; wfdctl context list shows those there are.`);
    return edit(text, file, name);
  });
}

function securityOf({ tls, ca, cert, serverName }: Target): string {
  if (cert !== undefined) return 'mutual';
  if (tls || ca !== undefined || serverName !== undefined) return 'yes';
  return tls === false ? 'no' : 'auto';
}

function credentialOf({ token, tokenFile, cert }: Target): string {
  if (token !== undefined) return 'token';
  return tokenFile ?? cert ?? '';
}

/** The token itself is not shown. */
function withoutSecret({ token, ...target }: Target): Target & { hasToken?: true } {
  return token === undefined ? target : { ...target, hasToken: true };
}
