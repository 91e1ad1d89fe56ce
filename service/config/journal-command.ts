/** `wfdd journal ...`: what was typed -> what of the journal is to be shown. */
import { type Command, InvalidArgumentError } from 'commander';

export interface JournalChoice {
  readonly action: 'journal';
  readonly command: 'list' | 'export' | 'verify';
  /** Only events of this session. */
  readonly session: string | undefined;
  /** Only events of sessions to this device, as `aa:bb:cc:dd:ee:ff`. */
  readonly device: string | undefined;
  readonly sinceMs: number | undefined;
  readonly untilMs: number | undefined;
  readonly json: boolean;
}

/** The words of these commands, for telling an unknown one. */
export const JOURNAL_WORDS: readonly string[] = ['journal', 'list', 'export', 'verify'];

interface Options {
  readonly session?: string;
  readonly device?: string;
  readonly since?: number;
  readonly until?: number;
  readonly json?: boolean;
}

const MS_OF: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

const AFTER_HELP = `
The folder is journal.folder of the configuration, or --journal-folder; on
Windows else that of the service wfdd. A daemon may be at work on it meanwhile.
Times are of this host.

Examples:
  wfdd journal list --since 24h
  wfdd journal list --session scanner-1
  wfdd journal export --since 2027-01-31 --until 2027-02-01 > january-31.jsonl
  wfdd journal verify

Exit codes: 0 done, 1 something is damaged (verify), 64 usage, 78 no journal.
`;

/** Adds `wfdd journal` with its commands. */
export function addJournalCommands(program: Command, choose: (choice: JournalChoice) => void): void {
  const journal = program
    .command('journal')
    .description('Read what the journal has kept: events of sessions, across restarts.')
    .helpCommand(false)
    .addHelpText('after', AFTER_HELP);
  const add = (command: JournalChoice['command'], description: string) =>
    journal
      .command(command)
      .description(description)
      .addHelpText('after', AFTER_HELP)
      .action(({ session, device, since, until, json = false }: Options) =>
        choose({ action: 'journal', command, session, device, sinceMs: since, untilMs: until, json }),
      );
  for (const command of [
    add('list', 'Print events, one a line, oldest first.'),
    add('export', 'Print events as JSON, one a line, oldest first.'),
  ]) {
    command
      .option('--session <id>', 'Only events of this session.')
      .option('--device <address>', 'Only events of sessions to this device.', deviceFrom)
      .option(
        '--since <when>',
        'Only events from then on: 2027-01-31, 2027-01-31T08:00Z, or 30m, 24h, 7d ago.',
        timeFrom,
      )
      .option('--until <when>', 'Only events before then.', timeFrom);
  }
  add('verify', 'Check every file, and name what is damaged or missing.').option('--json', 'As JSON.');
}

function deviceFrom(text: string): string {
  const address = text.toLowerCase().replaceAll('-', ':');
  if (/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(address)) return address;
  throw new InvalidArgumentError('It is not of the form aa:bb:cc:dd:ee:ff.');
}

function timeFrom(text: string): number {
  const [, count, unit = ''] = /^([1-9]\d{0,4})([mhd])$/.exec(text) ?? [];
  if (count !== undefined) return Date.now() - Number(count) * (MS_OF[unit] ?? 0);
  // A date alone would be taken as of UTC, and people mean their own midnight.
  const timeMs = Date.parse(/^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00` : text);
  if (Number.isNaN(timeMs)) throw new InvalidArgumentError('It is neither a time nor a duration of m, h or d.');
  return timeMs;
}
