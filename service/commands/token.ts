/** The command line of `wfdd token`. */
import { type Command, InvalidArgumentError } from 'commander';

export interface TokenChoice {
  readonly action: 'token';
  readonly principal: string;
  /** When the token expires; undefined: never. */
  readonly expires: Expiry | undefined;
  readonly json: boolean;
  /** The file to write the token to, instead of the terminal. */
  readonly tokenFile: string | undefined;
}

export type Expiry = { readonly atMs: number } | { readonly inMs: number };

/** The words of these commands; any other word on the command line is unknown. */
export const TOKEN_WORDS: readonly string[] = ['token', 'create'];

interface Options {
  readonly expires?: Expiry;
  readonly json?: boolean;
  readonly tokenFile?: string;
}

const MS_OF: Readonly<Record<string, number>> = { h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 };

const AFTER_HELP = `
The entry for the tokens file is printed to standard output. The token itself is
printed once, to standard error, or written with --token-file to a file that only
its owner can read.

Examples:
  wfdd token create me --token-file me.token >> tokens.yaml
  wfdd token create fleet-agent --expires 90d --json
`;

/** Adds `wfdd token` with its commands. */
export function addTokenCommands(program: Command, choose: (choice: TokenChoice) => void): void {
  program
    .command('token')
    .description('Create bearer tokens.')
    .helpCommand(false)
    // The configuration does not matter here.
    .configureHelp({ showGlobalOptions: false })
    .command('create')
    .description('Create a random token and its entry for the file access.tokensFile.')
    .argument('<principal>', 'The name of the caller that uses this token.')
    .option(
      '--expires <when>',
      'When it expires: a time like 2027-01-01T00:00:00Z, or a duration from now like 12h, 90d or 8w.',
      expiryFrom,
    )
    .option('--token-file <file>', 'Write the token to this new file instead of printing it.')
    .option('--json', 'Print the entry and the token as JSON to standard output.')
    .addHelpText('after', AFTER_HELP)
    .action((principal: string, { expires, json = false, tokenFile }: Options) =>
      choose({ action: 'token', principal, expires, json, tokenFile }),
    );
}

function expiryFrom(text: string): Expiry {
  const [, count, unit = ''] = /^([1-9]\d{0,4})([hdw])$/.exec(text) ?? [];
  if (count !== undefined) return { inMs: Number(count) * (MS_OF[unit] ?? 0) };
  const atMs = /^\d{4}-\d\d-\d\d(T.*(Z|[+-]\d\d:\d\d))?$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(atMs))
    throw new InvalidArgumentError('Expected a time like 2027-01-01T00:00:00Z, or a duration like 12h, 90d or 8w.');
  return { atMs };
}
