/** Runs `wfdd journal`: writes what the journal has to a sink. */
import { toSessionEvent } from '../codec/messages.js';
import type { JournalChoice } from '../commands/journal.js';
import { type FileReport, readEvents, toJsonLine, toTextLine, verify } from './reading.js';

/** Writes a piece of text; resolves when there is room for more. */
export type Sink = (text: string) => Promise<void>;

/** Resolves to false if something is damaged or missing. */
export async function runJournalCommand(choice: JournalChoice, folder: string, write: Sink): Promise<boolean> {
  if (choice.command === 'verify') return writeReports(await verify(folder), choice.json, write);
  const toLine =
    choice.command === 'export'
      ? (event: Parameters<typeof toTextLine>[0]) => toJsonLine(event, toSessionEvent)
      : toTextLine;
  for await (const event of readEvents(folder, choice)) await write(`${toLine(event)}\n`);
  return true;
}

async function writeReports(reports: readonly FileReport[], isJson: boolean, write: Sink): Promise<boolean> {
  const isGood = reports.every(({ problem }) => problem === undefined);
  if (isJson) {
    await write(`${JSON.stringify({ isGood, files: reports }, null, 2)}\n`);
    return isGood;
  }
  for (const { file, bytes, events, problem } of reports) {
    await write(`${file}  ${bytes} bytes  ${events} events  ${problem ?? 'good'}\n`);
  }
  const total = reports.reduce((sum, { events }) => sum + events, 0);
  await write(`${reports.length} files, ${total} events: ${isGood ? 'good' : 'DAMAGED'}.\n`);
  return isGood;
}
