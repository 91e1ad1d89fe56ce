/** Opens the log and the audit, each with its own output. */
import { isatty } from 'node:tty';
import type { Config } from '../config/schema.js';
import { createLog, type Log } from './log.js';
import { LogFiles } from './log-files.js';
import { Output, type Sink, standardOutput } from './output.js';

/** Extra room for audit lines if they share standard output with the log (D-85). */
const AUDIT_RESERVE_BYTES = 1024 * 1024;

export interface Logs {
  readonly log: Log;
  readonly audit: Log;
  /** How many lines each output has dropped, by name. */
  dropped(): Iterable<readonly [string, number]>;
  /**
   * Resolves when everything is written, when an output accepts nothing more, or after `limitMs`.
   */
  flush(limitMs: number): Promise<void>;
  /** Whether a write may never return, so that `process.exit` would hang. */
  isStuck(): boolean;
}

/** Writes to standard output unless sinks are given. The audit goes to files if it has a folder. */
export async function openLogs(
  settings: Config['log'],
  sinks?: { readonly log: Sink; readonly audit: Sink },
): Promise<Logs> {
  const output = new Output(sinks?.log ?? standardOutput());
  const isTerminal = sinks === undefined && isatty(1);
  const log = await createLog(settings, output, isTerminal);
  const failed = (error: Error) =>
    log.error('audit-failed', `Cannot write the audit: ${error.message}`, { folder: settings.auditFolder });
  const files = settings.auditFolder === null ? undefined : new LogFiles(settings.auditFolder, 'audit', failed);
  const sink = files ?? sinks?.audit;
  if (sink === undefined) {
    const audit = await createLog(settings, output.withReserve(AUDIT_RESERVE_BYTES), isTerminal);
    return logsOf(log, audit, new Map([['log', output]]));
  }
  const auditOutput = new Output(sink);
  const audit = await createLog({ ...settings, level: 'info', format: 'json' }, auditOutput);
  return logsOf(
    log,
    audit,
    new Map([
      ['log', output],
      ['audit', auditOutput],
    ]),
  );
}

function logsOf(log: Log, audit: Log, outputs: ReadonlyMap<string, Output>): Logs {
  const all = [...outputs.values()];
  return {
    log,
    audit,
    dropped: () => [...outputs].map(([name, output]) => [name, output.dropped] as const),
    flush: async (limitMs) => {
      await Promise.all(all.map((output) => output.flush(limitMs)));
    },
    isStuck: () => all.some((output) => output.isStuck),
  };
}
