/** `wfdctl context`: named hosts, with how to connect to each. */
import type { Command } from 'commander';
import { CliError } from '../cli-error.js';
import { isContextName, parseContexts, withContext, withCurrent, withoutContext } from '../contexts/context-file.js';
import { changeContextFile } from '../contexts/storage.js';
import { checkTarget, type Target, withFlags, withPort } from '../contexts/target.js';
import { EXIT, type ExitCode } from '../exit-code.js';
import type { Invocation } from '../invocation.js';
import { table } from '../text/table.js';
import { examples, type Run } from './command.js';

export function declareContext(program: Command, run: Run): Command {
  const context = program
    .command('context')
    .description('Save hosts under a name, and select one.')
    .helpCommand(false)
    .addHelpText('after', examples('context set lab --address host-7.example --ca lab.pem', 'context use lab'));
  context
    .command('list')
    .description('List the contexts. * marks the current one.')
    .action(() => run(list))
    .addHelpText('after', examples('context list', 'context list -o yaml'));
  context
    .command('use')
    .description('Make a context the current one: commands then connect to its host by default.')
    .argument('<context>', 'name of the context')
    .action((name: string) => run((invocation) => use(name, invocation)))
    .addHelpText('after', examples('context use lab'));
  context
    .command('set')
    .description('Create a context from --address, --ca and the other flags of a connection, or change one.')
    .argument('<context>', 'name of the context')
    .action((name: string) => run((invocation) => set(name, invocation)))
    .addHelpText('after', examples('context set lab --address host-7.example --token-file /run/lab.token'));
  context
    .command('delete')
    .description('Delete a context.')
    .argument('<context>', 'name of the context')
    .action((name: string) => run((invocation) => remove(name, invocation)))
    .addHelpText('after', examples('context delete lab'));
  return context;
}

async function list(invocation: Invocation): Promise<ExitCode> {
  const { contexts, current } = await invocation.contexts();
  const entries = [...contexts];
  invocation.output.result({
    names: () => entries.map(([name]) => name),
    text: (style) => {
      if (entries.length === 0) return 'No contexts. Create one: wfdctl context set NAME --address HOST\n';
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

async function use(name: string, invocation: Invocation): Promise<ExitCode> {
  await change(name, invocation, withCurrent);
  invocation.output.hint(`The current context is now ${name}.`);
  return EXIT.ok;
}

/** Flags that are given replace the values of the context. Its other values stay. */
async function set(name: string, invocation: Invocation): Promise<ExitCode> {
  if (!isContextName(name))
    throw new CliError('usage', `Invalid context name ${name}; use letters, digits, dots, dashes and underscores.`);
  const { target: flags, contextFilePath: path } = invocation;
  await invocation.contexts();
  await changeContextFile(path, (text) => {
    const file = parseContexts(text, path);
    const old = file.contexts.get(name);
    const address = flags.address ?? old?.address;
    if (address === undefined)
      throw new CliError('usage', `Context ${name} is new and needs the address of a host; add --address.`);
    const target = withFlags(old ?? { address }, { ...flags, address: withPort(address) });
    checkTarget(target);
    return withContext(text, file, name, target);
  });
  invocation.output.hint(`Context ${name} saved in ${path}`);
  return EXIT.ok;
}

async function remove(name: string, invocation: Invocation): Promise<ExitCode> {
  await change(name, invocation, withoutContext);
  return EXIT.ok;
}

async function change(name: string, invocation: Invocation, edit: typeof withCurrent): Promise<void> {
  const path = invocation.contextFilePath;
  await invocation.contexts();
  await changeContextFile(path, (text) => {
    const file = parseContexts(text, path);
    if (!file.contexts.has(name))
      throw new CliError('config', `No context ${name} in ${path}; run wfdctl context list to see the contexts.`);
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

/** Tokens are never printed. */
function withoutSecret({ token, ...target }: Target): Target & { hasToken?: true } {
  return token === undefined ? target : { ...target, hasToken: true };
}
