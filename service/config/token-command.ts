/** `wfdd token ...`: what was typed -> which token is to be made. */
import { type Command, InvalidArgumentError } from 'commander';

export interface TokenChoice {
  readonly action: 'token';
  readonly principal: string;
  /** From when on it is refused; undefined: never. */
  readonly expires: Expiry | undefined;
  readonly json: boolean;
  /** Where the token goes, in place of the terminal. */
  readonly tokenFile: string | undefined;
}

export type Expiry = { readonly atMs: number } | { readonly inMs: number };

/** The words of these commands, for telling an unknown one. */
export const TOKEN_WORDS: readonly string[] = ['token', 'create'];

interface Options {
  readonly expires?: Expiry;
  readonly json?: boolean;
  readonly tokenFile?: string;
}

const MS_OF: Readonly<Record<string, number>> = { h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 };

const AFTER_HELP = `
The entry goes to the standard output, the token to the standard error, where
it is shown this once, or with --token-file to a file for its owner alone.

Examples:
  wfdd token create me --token-file me.token >> tokens.yaml
  wfdd token create fleet-agent --expires 90d --json
`;

/** Adds `wfdd token` with its commands. */
export function addTokenCommands(program: Command, choose: (choice: TokenChoice) => void): void {
  program
    .command('token')
    .description('Make bearer tokens.')
    .helpCommand(false)
    // No key of the configuration has a part in it.
    .configureHelp({ showGlobalOptions: false })
    .command('create')
    .description('Make a random token, and its entry for the file of access.tokensFile.')
    .argument('<principal>', 'Whom a caller with this token is taken for.')
    .option('--expires <when>', 'A time such as 2027-01-01T00:00:00Z, or from now, such as 12h, 90d or 8w.', expiryFrom)
    .option('--token-file <file>', 'Write the token to this new file, in place of showing it.')
    .option('--json', 'All of it as JSON, to the standard output.')
    .addHelpText('after', AFTER_HELP)
    .action((principal: string, { expires, json = false, tokenFile }: Options) =>
      choose({ action: 'token', principal, expires, json, tokenFile }),
    );
}

function expiryFrom(text: string): Expiry {
  const [, count, unit = ''] = /^([1-9]\d{0,4})([hdw])$/.exec(text) ?? [];
  if (count !== undefined) return { inMs: Number(count) * (MS_OF[unit] ?? 0) };
  const atMs = /^\d{4}-\d\d-\d\d(T.*(Z|[+-]\d\d:\d\d))?$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(atMs)) throw new InvalidArgumentError('It is neither a time nor a duration of h, d or w.');
  return { atMs };
}
