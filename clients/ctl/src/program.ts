/**
 * The command line: which commands there are, with what operands and flags, and what `--help` says of them. It does nothing
 * itself, and what a command does is loaded when it is to be done: gRPC takes a while to load, and completing a flag must not.
 */
import { Argument, Command, Option } from 'commander';
import { SHELLS, type Shell } from './commands/completion.js';
import type { ConsoleOptions } from './commands/console.js';
import type { OpenOptions } from './commands/open.js';
import type { CallOptions, ListOptions } from './commands/sessions.js';
import type { WatchOptions } from './commands/watch.js';
import { ADDRESS_DEFAULT } from './contexts/target.js';
import { EXIT, EXIT_MEANINGS, type ExitCode } from './exit-code.js';
import { Failure } from './failure.js';
import type { Invocation } from './invocation.js';
import { duration, states } from './operands.js';

/** What a command does, and how it ends where it ends well. */
export type Work = (invocation: Invocation) => Promise<ExitCode>;

/** Where `--help` goes, and what is said of a command line that is wrong. */
export interface Writing {
  readonly out: (text: string) => void;
  readonly error: (text: string) => void;
  readonly columns: number | undefined;
}

const SESSIONS = 'Sessions:';
const HOST = 'The host and its devices:';
const OWN = 'This program:';

export function makeProgram(
  version: string,
  { out, error, columns = 80 }: Writing,
  perform: (work: Work) => Promise<void>,
) {
  const program = new Command('wfdctl')
    .description('Opens, closes and watches Wi-Fi Direct sessions of hosts that run wfdd.')
    .version(`wfdctl ${version}`, '--version', 'Print the version.')
    .helpOption('-h, --help', 'Print this.')
    .helpCommand(false)
    .exitOverride()
    .configureOutput({
      writeOut: out,
      writeErr: error,
      getOutHelpWidth: () => columns,
      getErrHelpWidth: () => columns,
    });
  addGlobalOptions(program);
  addSessions(program, perform);
  addHost(program, perform);
  addOwn(program, perform);
  program.addHelpCommand(
    new Command('help').argument('[command]').description('Print this, or more of one command.').helpGroup(OWN),
  );
  return program.addHelpText('after', AFTER_HELP);
}

function addGlobalOptions(program: Command): void {
  const output = new Option(
    '-o, --output <format>',
    'for people: text, which fits the terminal, or wide; for programs: json, yaml, name',
  );
  output.choices(FORMATS);
  program
    .addOption(output.default('text'))
    .option('--context <context>', 'the host to ask, by its name in the file of contexts; else WFDCTL_CONTEXT')
    .option('--address <host:port>', `the host to ask, without a context (default: ${ADDRESS_DEFAULT})`)
    .option('--tls', 'TLS (the default, but to this machine)')
    .option('--no-tls', 'clear text')
    .option('--ca <file>', 'certificates of who signed that of the host')
    .option('--cert <file>', 'your certificate')
    .option('--key <file>', 'and its private key')
    .option('--server-name <name>', 'the name in the certificate of the host')
    .option('--token-file <file>', 'a file with your token, read at each call')
    .option('--token <token>', 'your token, which every list of processes shows')
    .option('--config <file>', 'the file of contexts; else WFDCTL_CONFIG');
}

const FORMATS = ['text', 'wide', 'json', 'yaml', 'name'];

function addSessions(program: Command, perform: (work: Work) => Promise<void>): void {
  command(program, SESSIONS, 'open', 'Open a session and follow it; Ctrl+C closes it.')
    .argument('<address>', 'of the device')
    .option('--detach', 'leave once it is open, and print its id; it then lives by its lease')
    .option(
      '--ttl <duration>',
      'a lease, so that it outlives a broken connection; renewed while it is followed',
      duration,
    )
    .option('--timeout <duration>', 'how long the open may take (default: the limit of the host, 60s)', duration)
    .option('--legacy', 'of a device that is legacy (WPS)')
    .option('--session-id <name>', 'a name for it: 4 to 63 of a-z, 0-9 and -, not - first (default: a UUID)')
    .action((address: string, options: OpenOptions) =>
      perform(async (invocation) => (await import('./commands/open.js')).open(address, options, invocation)),
    )
    .addHelpText(
      'after',
      examples(
        'open 02:11:22:33:44:01',
        'open 02:11:22:33:44:01 --ttl 30s',
        'open 02:11:22:33:44:01 --detach --ttl 30s',
      ),
    );

  unary(program, SESSIONS, 'close', 'Close a session; one that is opening is cancelled.')
    .argument('<session>', 'its id')
    .option('--wait', 'until it has ended; then there is no --timeout but yours')
    .action((id: string, options: CallOptions & { wait?: boolean }) =>
      perform(async (invocation) => (await import('./commands/sessions.js')).close(id, options, invocation)),
    )
    .addHelpText('after', examples('close my-session --wait'));

  unary(program, SESSIONS, 'cancel', 'Stop an open that is pending.')
    .argument('<session>', 'its id')
    .action((id: string, options: CallOptions) =>
      perform(async (invocation) => (await import('./commands/sessions.js')).cancel(id, options, invocation)),
    )
    .addHelpText('after', examples('cancel my-session'));

  unary(program, SESSIONS, 'renew', 'Extend the lease of a session: it counts from now.')
    .argument('<session>', 'its id')
    .option('--ttl <duration>', 'the new lease (default: as long as the last)', duration)
    .action((id: string, options: CallOptions & { ttl?: number }) =>
      perform(async (invocation) => (await import('./commands/sessions.js')).renew(id, options, invocation)),
    )
    .addHelpText('after', examples('renew my-session', 'renew my-session --ttl 5m'));

  unary(program, SESSIONS, 'get', 'Show all that is known of a session, also for a while after its end.')
    .argument('<session>', 'its id')
    .action((id: string, options: CallOptions) =>
      perform(async (invocation) => (await import('./commands/sessions.js')).get(id, options, invocation)),
    )
    .addHelpText('after', examples('get my-session', 'get my-session -o yaml'));

  unary(program, SESSIONS, 'list', 'Show the sessions that live.')
    .option('--all', 'those that ended lately, too')
    .option('--state <states>', 'only in these states: open,closing', states)
    .option('--device <address>', 'only to this device')
    .option('--owner <principal>', 'only of this owner')
    .action((options: ListOptions) =>
      perform(async (invocation) => (await import('./commands/sessions.js')).list(options, invocation)),
    )
    .addHelpText(
      'after',
      examples(
        'list',
        'list --all -o wide',
        'list --state opening,open --owner agent-7',
        'list --device 02:11:22:33:44:01 -o json',
      ),
    );

  watching(
    command(program, SESSIONS, 'watch', 'Show what happens to the sessions, from now or from a cursor, until Ctrl+C.'),
  )
    .argument('[session...]', 'only these, which need not exist yet')
    .action((ids: string[], options: WatchOptions) =>
      perform(async (invocation) => (await import('./commands/watch.js')).watchSessions(ids, options, invocation)),
    )
    .addHelpText('after', examples('watch', 'watch my-session --since 5f0c2a9e1b7d4e63.41 -o json'));
}

function addHost(program: Command, perform: (work: Work) => Promise<void>): void {
  watching(command(program, HOST, 'devices', 'Show the devices that are paired with the host.'))
    .option('--watch', 'and then what happens to them; for this are --since, --verbose and --timeout')
    .action((options: WatchOptions & CallOptions & { watch?: boolean }) =>
      perform(async (invocation) => {
        if (options.watch) return (await import('./commands/watch.js')).watchDevices(options, invocation);
        if (options.since !== undefined)
          throw new Failure('usage', '--since is where to watch from; give --watch too.');
        return (await import('./commands/devices.js')).devices(options, invocation);
      }),
    )
    .addHelpText('after', examples('devices', 'devices --watch'));

  command(program, HOST, 'visibility', 'Look for a device by radio, and say whether it is there.')
    .argument('<address>', 'of the device')
    .option('--timeout <duration>', 'how long to look (default: 15s)', duration)
    .action((address: string, options: CallOptions) =>
      perform(async (invocation) => (await import('./commands/devices.js')).visibility(address, options, invocation)),
    )
    .addHelpText('after', examples('visibility 02:11:22:33:44:01'));

  unary(program, HOST, 'host', 'Show the host: its state, its driver, its limits.')
    .action((options: CallOptions) =>
      perform(async (invocation) => (await import('./commands/host.js')).host(options, invocation)),
    )
    .addHelpText('after', examples('host', 'host -o json'));

  unary(program, HOST, 'health', `Ask whether the host can do its work; if not, end with ${EXIT.unavailable}.`)
    .argument('[service]', 'one of its services (default: the host as a whole)')
    .action((service: string | undefined, options: CallOptions) =>
      perform(async (invocation) => (await import('./commands/host.js')).health(service, options, invocation)),
    )
    .addHelpText('after', examples('health', 'health wifidirect.v1.SessionService'));

  command(program, HOST, 'console', 'Show the host and its sessions, live, on a page in the browser; until Ctrl+C.')
    .option('--allow-actions', 'let the page open, close, cancel and renew sessions, and look for devices')
    .option('--no-browser', 'only print the link; it works once, within 10 minutes')
    .action((options: ConsoleOptions) =>
      perform(async (invocation) => (await import('./commands/console.js')).runConsole(options, invocation)),
    )
    .addHelpText('after', examples('console', 'console --allow-actions --context lab'));
}

function addOwn(program: Command, perform: (work: Work) => Promise<void>): void {
  const contexts = command(program, OWN, 'context', 'Give hosts names, and choose among them.')
    .helpCommand(false)
    .addHelpText('after', examples('context set lab --address host-7.example --ca lab.pem', 'context use lab'));
  const load = () => import('./commands/contexts.js');
  command(contexts, '', 'list', 'Show the contexts; * is the one in use.')
    .action(() => perform(async (invocation) => (await load()).listContexts(invocation)))
    .addHelpText('after', examples('context list', 'context list -o yaml'));
  command(contexts, '', 'use', 'Ask this host from now on.')
    .argument('<context>', 'its name')
    .action((name: string) => perform(async (invocation) => (await load()).useContext(name, invocation)))
    .addHelpText('after', examples('context use lab'));
  command(contexts, '', 'set', 'Make a context of the flags that say where a host is, or change those that are given.')
    .argument('<context>', 'its name')
    .action((name: string) => perform(async (invocation) => (await load()).setContext(name, invocation)))
    .addHelpText('after', examples('context set lab --address host-7.example --token-file /run/lab.token'));
  command(contexts, '', 'delete', 'Forget a context.')
    .argument('<context>', 'its name')
    .action((name: string) => perform(async (invocation) => (await load()).deleteContext(name, invocation)))
    .addHelpText('after', examples('context delete lab'));

  command(
    program,
    OWN,
    'completion',
    'Print the script that makes a shell complete commands, flags, addresses and ids.',
  )
    .addArgument(new Argument('<shell>', 'which shell').choices(SHELLS))
    .action((shell: Shell) =>
      perform(async ({ surroundings }) =>
        (await import('./commands/completion.js')).printCompletion(shell, surroundings),
      ),
    )
    .addHelpText('after', COMPLETION_HELP);
}

function command(parent: Command, group: string, name: string, description: string): Command {
  const made = parent.command(name).description(description);
  return group === '' ? made : made.helpGroup(group);
}

/** A command of one question and one answer. */
function unary(parent: Command, group: string, name: string, description: string): Command {
  return command(parent, group, name, description).option(
    '--timeout <duration>',
    'how long the answer may take (default: 10s)',
    duration,
  );
}

function watching(made: Command): Command {
  return made
    .option('--since <cursor>', 'go on after this cursor; without it, begin with all there is')
    .option('-v, --verbose', 'show bookmarks too: the cursors of times when nothing happened')
    .option('--timeout <duration>', 'how long to watch (default: until Ctrl+C)', duration);
}

function examples(...lines: readonly string[]): string {
  return `
Examples:
${lines.map((line) => `  wfdctl ${line}`).join('\n')}

For the flags that every command takes, as -o and --context: wfdctl --help
`;
}

const COMPLETION_HELP = `
Examples:
  source <(wfdctl completion bash)        in ~/.bashrc
  source <(wfdctl completion zsh)         in ~/.zshrc, after compinit
  wfdctl completion powershell | Out-String | Invoke-Expression
                                          in $PROFILE
`;

const AFTER_HELP = `
Examples:
  wfdctl devices                          which devices are there
  wfdctl open 02:11:22:33:44:01           open a session, and close it at Ctrl+C
  wfdctl list --state open -o json        for scripts
  wfdctl context set lab --address host-7.example --token-file lab.token
  wfdctl open --help                      more of one command

A duration has its unit: 500ms, 30s, 5m, 1h30m. NO_COLOR is obeyed.

Signals: Ctrl+C (SIGINT), SIGTERM and SIGHUP end a watch, and close the session
that open follows; a second one leaves that to the host. SIGHUP is passed over
where neither input nor output is a terminal, as under nohup.

Exit codes:
${Object.entries(EXIT_MEANINGS)
  .map(([kind, meaning]) => `  ${String(EXIT[kind as keyof typeof EXIT]).padEnd(4)} ${meaning}`)
  .join('\n')}
`;
