/**
 * A daemon under attack, as a process of its own, and a bystander: a client that does all as it
 * should, while the attack goes on and after it. What an attack must not do is checked here, once
 * for all: shut others out, take memory without bound, fill the log, or end the daemon.
 */
import test, { type ExecutionContext } from 'ava';
import { unpaced } from '../stream/lively.js';
import { residentBytes } from '../stream/process-view.js';
import { display, type Gateway, gatewayForThisFile } from './gateway.js';

const MEGABYTE = 2 ** 20;

/**
 * Lines that one attack may leave in the log: those of the bystander, and those a second for what
 * is refused, from some addresses.
 */
const LINES_MAX = 400;
const LINES_PER_SECOND_MAX = 100;
/**
 * Without an attack it is a millisecond; on a machine that is busy with more than the attack it is
 * seconds.
 */
const ANSWER_MS_MAX = 40_000;

export interface Bounds {
  /**
   * How much more memory the daemon may have at any time of the attack, in MiB. V8 takes some for
   * any traffic.
   */
  readonly grownMegabytesMax?: number;
}

export class Siege {
  readonly #gateway: () => Gateway;

  constructor(...flags: string[]) {
    // What a principal may do in a second would meet most attacks before the bounds that they are
    // about.
    this.#gateway = gatewayForThisFile(...unpaced, ...flags);
    test.after.always('nothing went past the log, and no secret is in it', (t) => {
      const { log, standardError } = this.gateway.daemon;
      t.is(standardError, '');
      t.notRegex(JSON.stringify(log), /s3cr3t/);
    });
  }

  get gateway(): Gateway {
    return this.#gateway();
  }

  get address(): string {
    return this.gateway.daemon.address;
  }

  get #bytes(): number {
    return residentBytes(this.gateway.daemon.pid ?? 0);
  }

  /** Lets the attack go on to its end, and fails the test where it did what it must not. */
  async endure(
    t: ExecutionContext,
    attack: () => Promise<void>,
    { grownMegabytesMax = 150 }: Bounds = {},
  ): Promise<void> {
    const { daemon } = this.gateway;
    await this.gateway.getHost();
    const watcher = this.gateway.watch();
    await watcher.first(({ snapshotComplete }) => snapshotComplete);
    const before = { bytes: this.#bytes, lines: daemon.log.length, ms: performance.now() };
    let mostBytes = before.bytes;
    let slowestMs = 0;
    let answers = 0;
    let isOn = true;
    const bystander = async () => {
      do {
        const askedMs = performance.now();
        await this.gateway.getHost();
        slowestMs = Math.max(slowestMs, performance.now() - askedMs);
        mostBytes = Math.max(mostBytes, this.#bytes);
        answers += 1;
        await new Promise<void>((resolve) => setImmediate(resolve));
      } while (isOn);
    };
    const served = bystander();
    // It is waited for below.
    served.catch(() => {});
    try {
      await attack();
    } finally {
      isOn = false;
    }
    await served;
    const { stream, id } = await this.gateway.openSession({ deviceAddress: display });
    await watcher.event(id, 'OPENED');
    await this.gateway.close(id, { waitForDisconnect: true });
    t.is(await stream.status(), undefined);
    watcher.cancel();
    mostBytes = Math.max(mostBytes, this.#bytes);

    const grown = (mostBytes - before.bytes) / MEGABYTE;
    const lines = daemon.log.length - before.lines;
    t.log(
      `${answers} answers meanwhile, the slowest after ${slowestMs.toFixed(0)} ms; ${grown.toFixed(1)} MiB more memory; ${lines} lines`,
    );
    t.true(slowestMs < ANSWER_MS_MAX, `an answer took ${slowestMs.toFixed(0)} ms`);
    t.true(grown < grownMegabytesMax, `${grown.toFixed(1)} MiB more memory`);
    const seconds = (performance.now() - before.ms) / 1000;
    t.true(lines < LINES_MAX + LINES_PER_SECOND_MAX * seconds, `${lines} lines in the log`);
    t.deepEqual(
      daemon.log.slice(before.lines).filter(({ level }) => level === 'error'),
      [],
    );
  }
}
