/**
 * What a daemon holds for its callers, as its own metrics count it: when nobody asks anything of it
 * any more, all of it is back at zero.
 */
import type { DaemonProcess } from './daemon.js';

/** For the daemon whose counts are read. */
export const countingFlags = ['--set', 'metrics.listen=127.0.0.1:0'] as const;

/** What the edge holds for its calls. */
const ofCalls = [
  'wfdd_watchers',
  'wfdd_watched_ids',
  'wfdd_streams',
  'wfdd_sessions_followed',
  'wfdd_requests_in_flight',
  'wfdd_calls_in_flight',
  'wfdd_transit_bytes',
  'wfdd_events_waiting',
] as const;

/** What sessions hold, and what is under way for them. */
const ofSessions = [
  'wfdd_sessions{state="OPENING"}',
  'wfdd_sessions{state="OPEN"}',
  'wfdd_sessions{state="CANCELLING"}',
  'wfdd_sessions{state="CLOSING"}',
  'wfdd_callback_contexts{callback="WFD_OPEN_SESSION_COMPLETE_CALLBACK"}',
  'wfdd_native_calls_in_flight',
  'wfdd_native_calls_waiting{lane="open"}',
  'wfdd_native_calls_waiting{lane="slow"}',
  'wfdd_native_calls_waiting{lane="end"}',
  'wfdd_native_calls_waiting{lane="look"}',
  'wfdd_journal_events_waiting',
] as const;

export type Held = (typeof ofCalls)[number] | (typeof ofSessions)[number];

/** Whose counts are to be zero: `calls` where sessions may still live. */
export type Scope = 'calls' | 'all';

/** What is not at zero, with its count. Fails for a count that the daemon does not tell. */
export async function heldBy(daemon: DaemonProcess, scope: Scope): Promise<Partial<Record<Held, number>>> {
  const { address } = await daemon.line('metrics-serving');
  const text = await (await fetch(`http://${String(address)}/metrics`)).text();
  const counts = new Map(
    text.split('\n').map((line) => {
      const at = line.lastIndexOf(' ');
      return [line.slice(0, at), Number(line.slice(at + 1))] as const;
    }),
  );
  const names = scope === 'all' ? [...ofCalls, ...ofSessions] : ofCalls;
  const held = names.map((name) => {
    const count = counts.get(name);
    // A state that no session is in has no series.
    if (count === undefined && !name.startsWith('wfdd_sessions{')) throw new Error(`${name} is not counted`);
    return [name, count ?? 0] as const;
  });
  return Object.fromEntries(held.filter(([, count]) => count !== 0));
}
