/** The command line of `wfdd journal`. */
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

/** The words of these commands; any other word on the command line is unknown. */
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
The folder is --journal-folder, or journal.folder of the configuration. If
neither is set on Windows, it is the folder of the service wfdd. The daemon may
be running. Times are in the time zone of this host.

Examples:
  wfdd journal list --since 24h
  wfdd journal list --session scanner-1
  wfdd journal export --since 2027-01-31 --until 2027-02-01 > january-31.jsonl
  wfdd journal verify

Exit codes: 0 success, 1 the journal is damaged (verify), 64 usage, 78 no journal.
`;

/** Adds `wfdd journal` with its commands. */
export function addJournalCommands(program: Command, choose: (choice: JournalChoice) => void): void {
  const journal = program
    .command('journal')
    .description('Read the journal: the events of sessions, across restarts.')
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
    add('list', 'Print events, one per line, oldest first.'),
    add('export', 'Print events as JSON, one per line, oldest first.'),
  ]) {
    command
      .option('--session <id>', 'Only events of this session.')
      .option('--device <address>', 'Only events of sessions to this device.', deviceFrom)
      .option(
        '--since <when>',
        'Only events from this time on: 2027-01-31, 2027-01-31T08:00Z, or a duration back from now (30m, 24h, 7d).',
        timeFrom,
      )
      .option('--until <when>', 'Only events before this time, in the same forms.', timeFrom);
  }
  add('verify', 'Check every file and report what is damaged or missing.').option('--json', 'Print JSON.');
}

function deviceFrom(text: string): string {
  const address = text.toLowerCase().replaceAll('-', ':');
  if (/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(address)) return address;
  throw new InvalidArgumentError('Expected an address like aa:bb:cc:dd:ee:ff.');
}

function timeFrom(text: string): number {
  const [, count, unit = ''] = /^([1-9]\d{0,4})([mhd])$/.exec(text) ?? [];
  if (count !== undefined) return Date.now() - Number(count) * (MS_OF[unit] ?? 0);
  // Date.parse() reads a bare date as UTC, but people mean local midnight.
  const timeMs = Date.parse(/^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00` : text);
  if (Number.isNaN(timeMs))
    throw new InvalidArgumentError('Expected a time like 2027-01-31T08:00Z, or a duration like 30m, 24h or 7d.');
  return timeMs;
}
