/** Checks and findings, and what checks share. */
import { winerrorName } from '../../native/constants.js';
import type { DoctorHost } from './host.js';

export type State = 'ok' | 'warning' | 'failed';

export interface Finding {
  readonly state: State;
  /** The observation, in sentences. */
  readonly seen: string;
  /** The remedy; absent if the state is ok. */
  readonly help?: string;
  /** All measured values, for the report. */
  readonly facts?: Facts;
}

export type Facts = Readonly<Record<string, unknown>>;

export interface Check {
  /** A stable id, for programs. */
  readonly id: string;
  readonly title: string;
  /** Returns why the check does not apply here, in a few words; undefined if it applies. */
  readonly notHere?: (host: DoctorHost) => string | undefined;
  /** The time limit, if it is longer than usual. */
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

/** Combines findings of one check. Good ones are shown only if nothing is wrong. */
export function together(findings: readonly Finding[], facts?: Facts): Finding {
  const state = worstOf(findings.map((finding) => finding.state));
  const shown = findings.filter((finding) => state === 'ok' || finding.state !== 'ok');
  const help = [...new Set(shown.flatMap((finding) => finding.help ?? []))].join(' ');
  const all = Object.assign({}, facts, ...findings.map((finding) => finding.facts ?? {}));
  return { state, seen: shown.map(({ seen }) => seen).join(' '), ...(help && { help }), facts: all };
}

export const onWindowsOnly = ({ windows }: DoctorHost) => (windows === undefined ? 'only on Windows' : undefined);

/** For checks of the real radio, which do not apply if devices are simulated. */
export const withRadioOnly = (host: DoctorHost) =>
  onWindowsOnly(host) ?? (host.isSimulated ? 'the devices are simulated' : undefined);

/** `1062 ERROR_SERVICE_NOT_ACTIVE`, or an HRESULT in hexadecimal. */
export function codeText(code: number): string {
  const unsigned = code >>> 0;
  if (unsigned > 0xffff) return `0x${unsigned.toString(16).padStart(8, '0')}`;
  const name = winerrorName(unsigned);
  return name === undefined ? String(unsigned) : `${unsigned} ${name}`;
}

/** Returns the result of a call and its duration. */
export async function timed<T>(call: () => Promise<T>): Promise<{ answer: T; ms: number }> {
  const startMs = performance.now();
  const answer = await call();
  return { answer, ms: Math.round(performance.now() - startMs) };
}
