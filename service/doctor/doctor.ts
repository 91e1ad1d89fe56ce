/**
 * Runs the checks of `wfdd doctor` one after another. A failing check does not stop the others,
 * each has a time limit, and none changes anything, except for the sessions of `--open`.
 */
import { hostname, userInfo } from 'node:os';
import { LATE, within } from '../deadline.js';
import { type Check, type Facts, type Finding, failed, type State, worstOf } from './check.js';
import * as ofDaemon from './daemon-checks.js';
import type { DoctorHost } from './host.js';
import * as ofNative from './native-checks.js';
import { redact } from './redact.js';
import { session } from './session-check.js';
import * as ofWindows from './windows-checks.js';

/** In order of dependency: a check comes after those that it depends on. */
export const CHECKS: readonly Check[] = [
  ofWindows.system,
  ofDaemon.runtime,
  ofWindows.modules,
  ofDaemon.account,
  ofDaemon.configuration,
  ofDaemon.certificates,
  ofDaemon.clock,
  ofNative.libraries,
  ofWindows.wlanService,
  ofWindows.adapters,
  ofWindows.policy,
  ofWindows.rights,
  ofNative.handle,
  ofNative.deviceQuery,
  ofNative.devices,
  ofNative.notifications,
  ofDaemon.ports,
  ofWindows.firewall,
  ofDaemon.journal,
  ofWindows.service,
  ofWindows.power,
  session,
];

/** A check that takes longer has hung, as native calls can. */
const CHECK_MS = 30_000;

export interface Checked {
  readonly id: string;
  readonly title: string;
  readonly state: State;
  readonly seen: string;
  readonly help?: string;
  readonly ms: number;
  readonly facts?: Facts;
}

export interface Report {
  readonly version: string;
  readonly time: string;
  readonly platform: string;
  readonly isSimulated: boolean;
  /** Whether the checks ran inside the Windows service. */
  readonly asService: boolean;
  readonly state: State;
  readonly checks: readonly Checked[];
  /** Checks that did not apply, and why. */
  readonly notChecked: readonly { readonly id: string; readonly title: string; readonly why: string }[];
}

interface Diagnosis {
  readonly checks?: readonly Check[];
  readonly showAddresses: boolean;
  /** Called as each check ends. */
  readonly tell?: (checked: Checked) => void;
}

/** Runs the checks. The report is redacted, so it can be shared. */
export async function diagnose(host: DoctorHost, diagnosis: Diagnosis): Promise<Report> {
  const { checks = CHECKS, showAddresses, tell = () => {} } = diagnosis;
  const done: Checked[] = [];
  const notChecked: Report['notChecked'][number][] = [];
  // The checks themselves find the device names to redact.
  const words = privateWords();
  for (const check of checks) {
    const { id, title } = check;
    const why = check.notHere?.(host);
    if (why !== undefined) {
      notChecked.push({ id, title, why });
      continue;
    }
    const startMs = performance.now();
    const finding = await findingOf(check.limitMs?.(host) ?? CHECK_MS, check.run(host));
    words.push(...deviceNames(finding));
    const ms = Math.round(performance.now() - startMs);
    const checked = shown({ id, title, ...finding, ms }, words, showAddresses);
    done.push(checked);
    tell(checked);
  }
  return {
    version: host.version,
    time: new Date(host.nowMs()).toISOString(),
    platform: `${host.platform} ${process.arch}`,
    isSimulated: host.isSimulated,
    asService: host.isService,
    state: worstOf(done.map(({ state }) => state)),
    checks: done.map((each) => shown(each, words, showAddresses)),
    notChecked,
  };
}

/** The finding of a check, or that the check failed or did not answer in time. */
async function findingOf(limitMs: number, running: Promise<Finding>): Promise<Finding> {
  try {
    const finding = await within(limitMs, running);
    if (finding !== LATE) return finding;
    return failed(
      `The check did not finish within ${limitMs / 1000} s.`,
      'A call hangs. Restart WLAN AutoConfig, or Windows.',
    );
  } catch (error) {
    return failed(`The check itself failed: ${error instanceof Error ? error.message : error}`, 'Send us the report.');
  }
}

type Words = (readonly [string, string])[];

function shown(checked: Checked, words: Words, showAddresses: boolean): Checked {
  const text = JSON.stringify(checked, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
  return JSON.parse(redact(text, { words, showAddresses })) as Checked;
}

/** Well-known accounts, which identify nobody. */
const EVERYWHERE = /^(system|root|administrator|local service|network service|localservice|nobody|wfdd)$/i;

function privateWords(): Words {
  const { username } = userInfo();
  const words: Words = [[hostname(), '(host)']];
  if (!EVERYWHERE.test(username)) words.push([username, '(user)']);
  return words;
}

function deviceNames({ facts }: Finding): Words {
  const devices = (facts?.['devices'] ?? []) as readonly { readonly name?: string }[];
  return devices.flatMap(({ name }, index) => (name ? [[jsonText(name), `(device ${index + 1})`] as const] : []));
}

/** The text as it appears within JSON. */
function jsonText(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}
