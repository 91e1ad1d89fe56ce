/**
 * The list of metrics in service/README.md, from what the daemon registers. Run on its own it
 * writes it there.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { root } from '../../service/root.js';
import { Metrics, type Readings } from '../../service/telemetry/metrics.js';

export const readme = new URL('service/README.md', root);
const [BEGIN, END] = ['<!-- metrics: begin, made by `npm run generate` -->', '<!-- metrics: end -->'];

/** The text with its list as it should be. */
export function withMetrics(text: string): string {
  const [before, rest] = split(text, BEGIN);
  const [, after] = split(rest, END);
  const rows = new Metrics(nothing).describe().map(({ name, kind, labelNames: labels, help }) => {
    const shown = labels.length > 0 ? `\`${labels.join('`, `')}\`` : '';
    return `| \`${name}\` | ${kind} | ${shown} | ${help} |`;
  });
  const table = ['| name | kind | labels | what |', '|---|---|---|---|', ...rows].join('\n');
  return `${before}${BEGIN}\n\n${table}\n\n${END}${after}`;
}

/** The names of all metrics of the daemon itself. */
export function metricNames(): string[] {
  return new Metrics(nothing).describe().map(({ name }) => name);
}

function split(text: string, mark: string): [before: string, after: string] {
  const at = text.indexOf(mark);
  if (at < 0) throw new Error(`${mark} is missing.`);
  return [text.slice(0, at), text.slice(at + mark.length)];
}

const none = () => [];
const zero = () => 0;
const nothing: Readings = {
  sessionsByState: none,
  journal: () => undefined,
  watchers: zero,
  openStreams: zero,
  watchedIds: zero,
  sessionsFollowed: zero,
  callbackContexts: none,
  requestsInFlight: zero,
  connections: zero,
  callsInFlight: zero,
  bytesInTransit: zero,
  nativeCallsInFlight: zero,
  nativeCallsWaiting: none,
  eventsWaitingMost: zero,
  spansLost: zero,
  eventsLogged: zero,
  eventsTrimmed: zero,
  logLinesDropped: none,
  isServing: () => true,
  degradation: () => undefined,
  handlesLost: zero,
  certificateExpireTimeMs: () => undefined,
  rpcs: [],
  nativeFunctions: [],
  build: { version: '', node: '', driver: '' },
  limits: [],
  misuse: none,
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(readme, withMetrics(readFileSync(readme, 'utf8')));
  console.log(`wrote ${fileURLToPath(readme)}`);
}
