/**
 * The command line: lists the commands and declares the flags that all of them take. Each command
 * declares its own flags and its own help in its file. None of these files loads gRPC before the
 * command runs, because gRPC takes a while to load and the shells wait for completion at each Tab.
 */
import { Command, Option } from 'commander';
import { declareCancel } from './commands/cancel.js';
import { declareClose } from './commands/close.js';
import type { Declaration, Run } from './commands/command.js';
import { declareCompletion } from './commands/completion.js';
import { declareConsole } from './commands/console.js';
import { declareContext } from './commands/context.js';
import { declareDevices } from './commands/devices.js';
import { declareGet } from './commands/get.js';
import { declareHealth } from './commands/health.js';
import { declareHost } from './commands/host.js';
import { declareList } from './commands/list.js';
import { declareOpen } from './commands/open.js';
import { declareRenew } from './commands/renew.js';
import { declareVisibility } from './commands/visibility.js';
import { declareWatch } from './commands/watch.js';
import { ADDRESS_DEFAULT } from './contexts/target.js';
import { EXIT, EXIT_MEANINGS } from './exit-code.js';

/** In the order of `--help`. */
const COMMANDS: Readonly<Record<string, readonly Declaration[]>> = {
  'Sessions:': [declareOpen, declareClose, declareCancel, declareRenew, declareGet, declareList, declareWatch],
  'The host and its devices:': [declareDevices, declareVisibility, declareHost, declareHealth, declareConsole],
  'This program:': [declareContext, declareCompletion],
};

/** Where help and usage errors are written. */
interface Writing {
  readonly out: (text: string) => void;
  readonly error: (text: string) => void;
  readonly columns: number | undefined;
}

export function makeProgram(version: string, { out, error, columns = 80 }: Writing, run: Run): Command {
  const program = new Command('wfdctl')
    .description('Open, close and watch Wi-Fi Direct sessions on hosts that run wfdd.')
    .version(`wfdctl ${version}`, '--version', 'Print the version.')
    .helpOption('-h, --help', 'Print help.')
    .helpCommand(false)
    .exitOverride()
    .configureOutput({
      writeOut: out,
      writeErr: error,
      getOutHelpWidth: () => columns,
      getErrHelpWidth: () => columns,
    });
  addGlobalOptions(program);
  for (const [group, declarations] of Object.entries(COMMANDS))
    for (const declare of declarations) declare(program, run).helpGroup(group);
  const help = new Command('help').argument('[command]').description('Print help for wfdctl or for one command.');
  program.addHelpCommand(help.helpGroup('This program:'));
  return program.addHelpText('after', AFTER_HELP);
}

function addGlobalOptions(program: Command): void {
  const output = new Option('-o, --output <format>', 'output format: wide does not cut lines, name prints only ids');
  program
    .addOption(output.choices(['text', 'wide', 'json', 'yaml', 'name']).default('text'))
    .option('--context <context>', 'named host to connect to (default: WFDCTL_CONTEXT, else the current context)')
    .option('--address <host:port>', `address of the host, used without any context (default: ${ADDRESS_DEFAULT})`)
    .option('--tls', 'use TLS (default, except to this machine)')
    .option('--no-tls', 'send everything in clear text')
    .option('--ca <file>', 'CA certificates to verify the host with (PEM)')
    .option('--cert <file>', 'your client certificate (PEM)')
    .option('--key <file>', 'the private key of --cert (PEM)')
    .option('--server-name <name>', 'the name that the certificate of the host must have')
    .option('--token-file <file>', 'file with your token, read again for each call')
    .option('--token <token>', 'your token; other users can see it in `ps`, so prefer --token-file')
    .option('--config <file>', 'the context file (default: WFDCTL_CONFIG, else your settings folder)');
}

const AFTER_HELP = `
Examples:
  wfdctl devices                          list the devices of the host
  wfdctl open 02:11:22:33:44:01           open a session; Ctrl+C closes it
  wfdctl list --state open -o json        print JSON for a script
  wfdctl context set lab --address host-7.example --token-file lab.token
  wfdctl open --help                      print help for one command

A duration needs a unit: 500ms, 30s, 5m, 1h30m. NO_COLOR turns colour off.

Signals: Ctrl+C (SIGINT), SIGTERM and SIGHUP end a watch. In wfdctl open the
first one closes the session. The second one exits at once, and the host closes
the session. SIGHUP is ignored without a terminal, for example under nohup.

Exit codes:
${Object.entries(EXIT_MEANINGS)
  .map(([kind, meaning]) => `  ${String(EXIT[kind as keyof typeof EXIT]).padEnd(4)} ${meaning}`)
  .join('\n')}
`;
