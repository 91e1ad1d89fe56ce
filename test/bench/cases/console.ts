/**
 * The page of `wfdctl console` while a host is busy: how smoothly it scrolls, and how late it shows
 * what happened.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Locator } from 'playwright-core';
import { launch, Person } from '../../console/browser.js';
import type { Bench, Case } from '../bench.js';
import { figure, type Round } from '../figure.js';
import * as calls from '../load/calls.js';
import type { Connection } from '../load/connection.js';
import { percentile } from '../statistics.js';

const SETTINGS = ['limits.sessionsMax=20000', 'limits.sessionsPerPrincipalMax=20000'];
const EVENTS_PER_SECOND = 2000;
const TICK_MS = 10;
/** Below what one caller may have under way, with room for a close. */
const IN_FLIGHT_MAX = 150;
const SETTLE_MS = 2000;
/** One session is closed in each round. */
const CLOSED_MAX = 10;
const wfdctl = fileURLToPath(new URL('../../../../clients/ctl/wfdctl.mjs', import.meta.url));

const measured = [
  { name: 'frames in a second', unit: '1/s', key: 'framesPerSecond' },
  { name: 'frame, p50', unit: 'ms', key: 'p50Ms' },
  { name: 'frame, p99', unit: 'ms', key: 'p99Ms' },
  { name: 'longest frame', unit: 'ms', key: 'longestMs' },
  { name: 'events in a second', unit: '1/s', key: 'eventsPerSecond' },
  { name: 'from an event to the eye', unit: 'ms', key: 'shownMs' },
] as const;

export const busyConsole: Case = {
  name: 'console',
  title: 'the page of wfdctl console, while its list of sessions is scrolled',
  async *figures(bench: Bench) {
    const count = bench.size(1000, 50);
    for (const perSecond of [0, EVENTS_PER_SECOND]) {
      const rounds = await measure(bench, count, perSecond);
      const how = `${count} sessions, ${perSecond === 0 ? 'quiet' : `${perSecond} events/s`}`;
      for (const each of measured) yield figure('console', { ...each, name: `${each.name}, ${how}` }, rounds);
    }
  },
};

async function measure(bench: Bench, count: number, perSecond: number): Promise<Round[]> {
  await using gateway = await bench.gateway({ settings: SETTINGS, devices: count + 1 });
  await calls.hold(gateway, count);
  const connection = await gateway.connect();
  // A connection on which nobody has called is closed after a while.
  await connection.answer(calls.getSession('held-0'));
  const ctl = spawn(process.execPath, [wfdctl, 'console', '--no-browser', '--address', gateway.address], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, WFDCTL_CONFIG: '/nobody/none.yaml' },
  });
  const browser = await launch();
  try {
    const [link] = (await once(createInterface({ input: ctl.stdout }), 'line')) as [string];
    await using person = await Person.sit(browser, link);
    await person.goes('Sessions');
    await person.sees(String(count));
    const rounds: Round[] = [];
    for (let round = 0; round < bench.extent.rounds; round += 1)
      rounds.push(await scroll(person, connection, { count, perSecond, roundMs: bench.size(5000, 300), round }));
    return rounds;
  } finally {
    await browser.close();
    ctl.kill();
    await connection.close();
  }
}

interface Load {
  readonly count: number;
  readonly perSecond: number;
  readonly roundMs: number;
  readonly round: number;
}

async function scroll(person: Person, connection: Connection, load: Load): Promise<Round> {
  const { count, perSecond, roundMs, round } = load;
  // Those that are closed are renewed no more.
  using renewals = new Renewals(connection, count - CLOSED_MAX, perSecond);
  const list = person.page.locator('.list');
  await person.page.waitForTimeout(Math.min(SETTLE_MS, roundMs));
  const times = await framesWhileScrolling(list, roundMs);
  const eventsPerSecond = renewals.perSecond;
  await list.evaluate((element) => {
    element.scrollTop = 0;
  });
  const id = `held-${count - 1 - round}`;
  const closedMs = performance.now();
  await connection.answer(calls.closeSession(id));
  await person.page.getByRole('button', { name: 'Ended' }).click();
  await person.page.getByText(id, { exact: true }).waitFor();
  const shownMs = performance.now() - closedMs;
  await person.page.getByRole('button', { name: 'All', exact: true }).click();
  return {
    framesPerSecond: 1000 / (times.reduce((sum, ms) => sum + ms, 0) / times.length),
    p50Ms: percentile(times, 50),
    p99Ms: percentile(times, 99),
    longestMs: Math.max(...times),
    eventsPerSecond,
    shownMs,
  };
}

/** Renews the sessions in turn, at a pace: each renewal is an event. */
class Renewals implements Disposable {
  readonly #startMs = performance.now();
  readonly #pacer: NodeJS.Timeout;
  #sent = 0;
  #answered = 0;
  #inFlight = 0;

  constructor(connection: Connection, sessions: number, perSecond: number) {
    const renew = async () => {
      this.#inFlight += 1;
      await connection.answer(calls.renewSession(`held-${this.#sent++ % sessions}`));
      this.#inFlight -= 1;
      this.#answered += 1;
    };
    this.#pacer = setInterval(() => {
      const due = Math.floor(((performance.now() - this.#startMs) / 1000) * perSecond);
      // One that fails keeps its place, so that who fails always sends no more.
      while (this.#sent < due && this.#inFlight < IN_FLIGHT_MAX) renew().catch(() => {});
    }, TICK_MS);
  }

  get perSecond(): number {
    return this.#answered / ((performance.now() - this.#startMs) / 1000);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#pacer);
  }
}

/** The times from one frame to the next while the list goes down and up again, in ms. */
function framesWhileScrolling(list: Locator, ms: number): Promise<number[]> {
  return list.evaluate(
    (element, durationMs) =>
      new Promise<number[]>((resolve) => {
        const frames: number[] = [];
        const view = element.ownerDocument.defaultView;
        let last = performance.now();
        const begin = last;
        let step = 60;
        const frame = (at: number) => {
          frames.push(at - last);
          last = at;
          if (element.scrollTop + element.clientHeight >= element.scrollHeight - 1) step = -60;
          else if (element.scrollTop <= 0) step = 60;
          element.scrollTop += step;
          if (at - begin < durationMs) view.requestAnimationFrame(frame);
          else resolve(frames.slice(1));
        };
        view.requestAnimationFrame(frame);
      }),
    ms,
  );
}
