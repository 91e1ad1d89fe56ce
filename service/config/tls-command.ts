/** `wfdd tls ...`: what was typed -> which certificates are to be made. */
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

export interface TlsClient {
  /** Of its files. */
  readonly name: string;
  readonly principal: string;
}

/** The words of these commands, for telling an unknown one. */
export const TLS_WORDS: readonly string[] = ['tls', 'create'];

const AFTER_HELP = `
Makes in the folder, where it is not there already: an authority (ca.pem,
ca.key), the certificate of the host (host.pem, host.key) and one for each
client (NAME.pem, NAME.key). Nothing is overwritten without --renew, and the
authority never is. Run it again to add clients.

The host gets host.pem, host.key and ca.pem; each client its own pair and
ca.pem; ca.key stays where certificates are issued.

Examples:
  wfdd tls create tls --name gateway-7.example --client backend-berlin
  wfdd tls create tls --client agent=spiffe://fleet.example/agent/7
  wfdd tls create tls --renew
`;

/** Always among the names: whoever is on the host itself calls it by these. */
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
    .description('Make certificates, where nobody else issues them.')
    .helpCommand(false)
    .configureHelp({ showGlobalOptions: false })
    .command('create')
    .description('Make an authority, a certificate for this host, and some for clients.')
    .argument('<folder>', 'Where the files are, or go.')
    .option(
      '--name <name>',
      "A name or an address that clients call the host by, besides the host's own. It may be repeated.",
      nameFrom,
    )
    .option(
      '--client <name>',
      'A client: the name that it is known by, or FILE=NAME, where NAME may be a URI. It may be repeated.',
      clientFrom,
    )
    .option('--days <days>', 'How long certificates are good, but that of the authority (ten years).', daysFrom, 365)
    .option('--renew', 'Make those of the host and of the named clients anew.')
    .option('--json', 'What there is then, as JSON.')
    .addHelpText('after', AFTER_HELP)
    .action((folder: string, { name = [], client = [], days = 365, renew = false, json = false }: Options) => {
      // A name of the host that no certificate may have, with an underscore for example, is not one of them.
      const own = [hostname().toLowerCase()].filter(isName);
      const names = [...new Set([...name, ...own, ...LOCAL])];
      choose({ action: 'tls', folder, names, clients: client, days, renew, json });
    });
}

function isName(text: string): boolean {
  return /^(\*\.)?[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/i.test(text);
}

function nameFrom(text: string, earlier: readonly string[] = []): readonly string[] {
  if (isIP(text) === 0 && !isName(text))
    throw new InvalidArgumentError('It is neither the name of a host nor an address.');
  return [...earlier, text];
}

function clientFrom(text: string, earlier: readonly TlsClient[] = []): readonly TlsClient[] {
  const at = text.indexOf('=');
  const [name, principal] = at === -1 ? [text, text] : [text.slice(0, at), text.slice(at + 1)];
  if (!/^[\w][\w.@-]{0,63}$/.test(name) || /^(ca|host)$/i.test(name)) {
    throw new InvalidArgumentError(
      'Its files are named by it: letters, digits and ".", "_", "@", "-"; not ca or host.',
    );
  }
  const isCommonName = /^[\x21-\x7e]{1,64}$/.test(principal);
  const isUri = /^[a-z][a-z0-9+.-]*:\/\/[\x21-\x7e]{1,200}$/i.test(principal);
  if (!isCommonName && !isUri) {
    throw new InvalidArgumentError('The name is at most 64 visible ASCII characters, or a URI.');
  }
  if (earlier.some((client) => client.name.toLowerCase() === name.toLowerCase())) {
    throw new InvalidArgumentError('There are two of this name.');
  }
  return [...earlier, { name, principal }];
}

function daysFrom(text: string): number {
  if (/^[1-9]\d{0,3}$/.test(text) && Number(text) <= 3650) return Number(text);
  throw new InvalidArgumentError('It is not a number of days from 1 to 3650.');
}
