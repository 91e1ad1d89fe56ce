/** The command line of `wfdd tls`. */
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { type Command, InvalidArgumentError } from 'commander';

export interface TlsChoice {
  readonly action: 'tls';
  readonly folder: string;
  readonly names: readonly string[];
  readonly clients: readonly TlsClient[];
  readonly days: number;
  readonly renew: boolean;
  readonly json: boolean;
}

interface TlsClient {
  /** The name of its files. */
  readonly name: string;
  readonly principal: string;
}

/** The words of these commands; any other word on the command line is unknown. */
export const TLS_WORDS: readonly string[] = ['tls', 'create'];

const AFTER_HELP = `
Creates these files in the folder, unless they exist: an authority (ca.pem,
ca.key), a certificate for this host (host.pem, host.key) and one for each
client (NAME.pem, NAME.key). Run it again to add clients. --renew replaces the
certificates of the host and of the named clients. The authority is never
replaced.

The host needs host.pem, host.key and ca.pem. Each client needs its own pair
and ca.pem. Keep ca.key where you issue certificates.

Examples:
  wfdd tls create tls --name gateway-7.example --client backend-berlin
  wfdd tls create tls --client agent=spiffe://fleet.example/agent/7
  wfdd tls create tls --renew
`;

/** Always among the names: clients on the host itself use these. */
const LOCAL = ['localhost', '127.0.0.1', '::1'];

interface Options {
  readonly name?: readonly string[];
  readonly client?: readonly TlsClient[];
  readonly days?: number;
  readonly renew?: boolean;
  readonly json?: boolean;
}

/** Adds `wfdd tls` with its command. */
export function addTlsCommands(program: Command, choose: (choice: TlsChoice) => void): void {
  program
    .command('tls')
    .description('Create certificates if you have no other way to issue them.')
    .helpCommand(false)
    .configureHelp({ showGlobalOptions: false })
    .command('create')
    .description('Create an authority, a certificate for this host, and certificates for clients.')
    .argument('<folder>', 'The folder of the files. It is created if it does not exist.')
    .option(
      '--name <name>',
      'A DNS name or address that clients use for this host, besides the host name. Can be repeated.',
      nameFrom,
    )
    .option(
      '--client <name>',
      'A client: its principal name, or FILE=NAME if NAME is a URI or the files need another name. Can be repeated.',
      clientFrom,
    )
    .option(
      '--days <days>',
      'How long the certificates are valid. The authority is valid for ten years.',
      daysFrom,
      365,
    )
    .option('--renew', 'Replace the certificates of the host and of the named clients.')
    .option('--json', 'Print the resulting files as JSON.')
    .addHelpText('after', AFTER_HELP)
    .action((folder: string, { name = [], client = [], days = 365, renew = false, json = false }: Options) => {
      // A host name that is not valid in a certificate (an underscore, for example) is left out.
      const own = [hostname().toLowerCase()].filter(isName);
      const names = [...new Set([...name, ...own, ...LOCAL])];
      choose({ action: 'tls', folder, names, clients: client, days, renew, json });
    });
}

function isName(text: string): boolean {
  return /^(\*\.)?[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/i.test(text);
}

function nameFrom(text: string, earlier: readonly string[] = []): readonly string[] {
  if (isIP(text) === 0 && !isName(text)) throw new InvalidArgumentError('Expected a DNS name or an IP address.');
  return [...earlier, text];
}

function clientFrom(text: string, earlier: readonly TlsClient[] = []): readonly TlsClient[] {
  const at = text.indexOf('=');
  const [name, principal] = at === -1 ? [text, text] : [text.slice(0, at), text.slice(at + 1)];
  if (!/^[\w][\w.@-]{0,63}$/.test(name) || /^(ca|host)$/i.test(name)) {
    throw new InvalidArgumentError(
      'It names files, so use letters, digits, ".", "_", "@" and "-", but not "ca" or "host".',
    );
  }
  const isCommonName = /^[\x21-\x7e]{1,64}$/.test(principal);
  const isUri = /^[a-z][a-z0-9+.-]*:\/\/[\x21-\x7e]{1,200}$/i.test(principal);
  if (!isCommonName && !isUri) {
    throw new InvalidArgumentError('Expected a principal of at most 64 visible ASCII characters, or a URI.');
  }
  if (earlier.some((client) => client.name.toLowerCase() === name.toLowerCase())) {
    throw new InvalidArgumentError('Two clients have this name.');
  }
  return [...earlier, { name, principal }];
}

function daysFrom(text: string): number {
  if (/^[1-9]\d{0,3}$/.test(text) && Number(text) <= 3650) return Number(text);
  throw new InvalidArgumentError('Expected a number of days from 1 to 3650.');
}
