/** What a check is, what it finds, and the words that checks share. */
import { winerrorName } from '../../native/constants.js';
import type { DoctorHost } from './host.js';

export type State = 'ok' | 'warning' | 'failed';

export interface Finding {
  readonly state: State;
  /** What was seen, as sentences. */
  readonly seen: string;
  /** What helps; not where all is well. */
  readonly help?: string;
  /** Everything that was measured, for whoever reads the report. */
  readonly facts?: Facts;
}

export type Facts = Readonly<Record<string, unknown>>;

export interface Check {
  /** Stable, for programs. */
  readonly id: string;
  readonly title: string;
  /** Where it means nothing: why, in a few words. Undefined where it is to be run. */
  readonly notHere?: (host: DoctorHost) => string | undefined;
  /** How long it may take, where that is more than usual. */
  readonly limitMs?: (host: DoctorHost) => number;
  readonly run: (host: DoctorHost) => Promise<Finding>;
}

export function ok(seen: string, facts?: Facts): Finding {
  return { state: 'ok', seen, ...(facts && { facts }) };
}

export function warning(seen: string, help: string, facts?: Facts): Finding {
  return { state: 'warning', seen, help, ...(facts && { facts }) };
}

export function failed(seen: string, help: string, facts?: Facts): Finding {
  return { state: 'failed', seen, help, ...(facts && { facts }) };
}

const RANK: Readonly<Record<State, number>> = { ok: 0, warning: 1, failed: 2 };

export function worstOf(states: readonly State[]): State {
  return states.reduce((worst, state) => (RANK[state] > RANK[worst] ? state : worst), 'ok');
}

/** Several findings of one check as one. The good ones are told only where nothing is wrong. */
export function together(findings: readonly Finding[], facts?: Facts): Finding {
  const state = worstOf(findings.map((finding) => finding.state));
  const told = findings.filter((finding) => state === 'ok' || finding.state !== 'ok');
  const help = [...new Set(told.flatMap((finding) => finding.help ?? []))].join(' ');
  const all = Object.assign({}, facts, ...findings.map((finding) => finding.facts ?? {}));
  return { state, seen: told.map(({ seen }) => seen).join(' '), ...(help && { help }), facts: all };
}

export const onWindowsOnly = ({ windows }: DoctorHost) => (windows === undefined ? 'only on Windows' : undefined);

/** For what would ask the real radio of a host whose devices are made up. */
export const withRadioOnly = (host: DoctorHost) =>
  onWindowsOnly(host) ?? (host.isSimulated ? 'the devices are simulated' : undefined);

/** `1062 ERROR_SERVICE_NOT_ACTIVE`, or a HRESULT in hexadecimal. */
export function codeText(code: number): string {
  const unsigned = code >>> 0;
  if (unsigned > 0xffff) return `0x${unsigned.toString(16).padStart(8, '0')}`;
  const name = winerrorName(unsigned);
  return name === undefined ? String(unsigned) : `${unsigned} ${name}`;
}

/** The answer, and how long it took. */
export async function timed<T>(call: () => Promise<T>): Promise<{ answer: T; ms: number }> {
  const startMs = performance.now();
  const answer = await call();
  return { answer, ms: Math.round(performance.now() - startMs) };
}
