/**
 * The rooms below the transport as the daemon puts them together, over the real ABI: the lifecycle,
 * the driver, and the simulator's library with its controls. One world a process, so the tests of a
 * file that use it run one after another.
 */
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { filter, firstValueFrom, Subject } from 'rxjs';
import { openContexts } from '../../native/callbacks.js';
import { loadLibraries } from '../../native/load.js';
import { openSimulatorControl } from '../../native/simulator-control.js';
import { SIMULATED_FUNCTIONS } from '../../native/simulator-types.js';
import type { SessionCompletion } from '../../service/driver/driver.js';
import { WlanDriver, type WlanDriverSettings } from '../../service/driver/wlan-driver.js';
import { EventLog, type Logged } from '../../service/events/log.js';
import { EventStream, type LogReader } from '../../service/events/stream.js';
import type { Result } from '../../service/fault.js';
import { type Attachment, Lifecycle, type LifecycleSettings } from '../../service/session/lifecycle.js';
import type {
  EventCause,
  Moment,
  OpenRequest,
  Session,
  SessionEvent,
  SessionEventDraft,
  SessionEventType,
} from '../../service/session/session.js';
import { type KeptSessionEvent, keepingKind } from '../harness/keeping-kind.js';
import { by, openRequest } from './life.js';

export const display = '02:11:22:33:44:01';
export const scanner = '02:11:22:33:44:02';
export const printer = '02:11:22:33:44:03';
export const robot = '02:11:22:33:44:04';

const HOUR = 3_600_000;
const EPOCH = '0123456789abcdef';
export const library = fileURLToPath(
  new URL(`../../native/simulator/${process.platform === 'win32' ? 'wfdsim.dll' : 'libwfdsim.so'}`, import.meta.url),
);

export const world = openSimulatorControl(library);

interface RigSettings extends Partial<LifecycleSettings>, Partial<WlanDriverSettings> {
  /** The clocks of the host. */
  readonly now?: () => Moment;
}

/** No call here waits for the thread of another: the pool of a test has four. */
const driverSettings: WlanDriverSettings = {
  nativeCallsMax: 4,
  slowCallsMax: 1,
  nativeCallWarnMs: HOUR,
  probeIntervalMs: HOUR,
  reopenBackoffMinMs: 5,
  reopenBackoffMaxMs: 50,
  linkPollMs: 20,
};

const lifecycleSettings: LifecycleSettings = {
  sessionsMax: 1000,
  sessionsPerPrincipalMax: 1000,
  endedSessionsMax: 1000,
  retentionMs: HOUR,
  requestMemoryMax: 1000,
  closeTimeoutMs: 10_000,
};

export class Rig {
  readonly driver: WlanDriver;
  readonly lifecycle: Lifecycle;
  readonly events: EventStream<SessionEventDraft, SessionEvent, KeptSessionEvent>;
  readonly #slowCalls = new Subject<string>();
  readonly #returnedCalls = new Subject<string>();
  #opened = 0;

  private constructor(settings: RigSettings) {
    const limits = { eventsMax: 100_000, bytesMax: 2 ** 30, ageMaxMs: HOUR, supersededMax: 1000 };
    const kind = keepingKind();
    this.events = new EventStream(new EventLog(EPOCH, limits, kind), kind);
    const libraries = loadLibraries({ wlanapi: library, iphlpapi: library, cfgmgr32: library });
    this.driver = new WlanDriver(
      libraries,
      { ...driverSettings, ...settings },
      {
        onNativeReturned: (fn, code) => this.#returnedCalls.next(`${fn} ${code}`),
        onNativeSlow: (fn) => this.#slowCalls.next(fn),
      },
    );
    // That its log keeps more than others do is no affair of the lifecycle.
    const events = this.events as unknown as ConstructorParameters<typeof Lifecycle>[1];
    this.lifecycle = new Lifecycle(this.driver, events, { ...lifecycleSettings, ...settings }, settings.now);
  }

  static async start(settings: RigSettings): Promise<Rig> {
    world.reset();
    world.setDefaults({ openMs: 1, legacyOpenMs: 1, cancelMs: 1, closeMs: 1, addressMs: 1 });
    const rig = new Rig(settings);
    await rig.driver.start();
    return rig;
  }

  /** Asks for a session; without a lease it lives on, as nobody attaches to it. */
  ask(wanted: Partial<OpenRequest> = {}) {
    this.#opened += 1;
    const request = openRequest({ sessionId: `session-${this.#opened}`, openTimeoutMs: 20_000, ...wanted });
    return this.lifecycle.open(request, by('OpenSession', request.requestId));
  }

  /** Asks for a session that will be opened, and gives its id. */
  open(wanted: Partial<OpenRequest> = {}): string {
    return must(this.ask(wanted)).session.id;
  }

  async opened(wanted: Partial<OpenRequest> = {}): Promise<string> {
    const id = this.open(wanted);
    await this.event(id, 'OPENED');
    return id;
  }

  close(id: string, { wait = true, cause = by('CloseSession'), signal = new AbortController().signal } = {}) {
    return this.lifecycle.close(id, wait, cause, signal);
  }

  cancel(id: string, cause: EventCause = by('CancelOpenSession')): Result<Session> {
    return this.lifecycle.cancel(id, cause);
  }

  renew(id: string, leaseTtlMs?: number, cause: EventCause = by('RenewSession')): Result<Session> {
    return this.lifecycle.renew(id, leaseTtlMs, cause);
  }

  session(id: string): Session | undefined {
    return this.lifecycle.registry.find(id)?.record.session;
  }

  attach(id: string): Attachment {
    const attachment = this.lifecycle.attach(id);
    if (attachment === undefined) throw new Error(`there is no session ${id}`);
    return attachment;
  }

  eventsOf(id: string): SessionEvent[] {
    return readAll(this.events.read(0, ({ session }) => session.id === id));
  }

  /** But for changes of addresses, which come when they like. */
  typesOf(id: string): SessionEventType[] {
    return this.eventsOf(id).flatMap(({ type }) => (type === 'NETWORK_INTERFACE_CHANGED' ? [] : [type]));
  }

  /** An event of a session, past or to come; fails where the session ends without. */
  async event(id: string, type: SessionEventType): Promise<SessionEvent> {
    for (;;) {
      const events = this.eventsOf(id);
      const found = events.find((event) => event.type === type);
      if (found !== undefined) return found;
      if (events.at(-1)?.session.end !== undefined) throw new Error(`${id} had ${this.typesOf(id)}, and no ${type}`);
      await firstValueFrom(this.events.ready);
    }
  }

  /** The next completion of this type for this session. Ask for it before what brings it about. */
  completion(id: string, type: SessionCompletion['type']): Promise<unknown> {
    return new Promise((resolve) => {
      const subscription = this.driver.completions.subscribe((completion) => {
        if (completion.type !== type || completion.sessionId !== id) return;
        subscription.unsubscribe();
        resolve(completion);
      });
    });
  }

  /** Resolves when a call of this function is late. */
  slow(fn: string): Promise<unknown> {
    return firstValueFrom(this.#slowCalls.pipe(filter((each) => each === fn)));
  }

  /** Resolves when a call of this function has returned this code. */
  returned(fn: string, code: number): Promise<unknown> {
    return firstValueFrom(this.#returnedCalls.pipe(filter((each) => each === `${fn} ${code}`)));
  }

  /** Ends everything, and expects that nothing was misused or is left behind. */
  async finish(t: ExecutionContext): Promise<void> {
    world.clearScripts();
    world.setClock('real');
    // Not the close of a client handle that waits for its opens: they would never call back.
    for (const name of SIMULATED_FUNCTIONS) if (name !== 'WFDCloseHandle') world.releaseCalls(name);
    world.startService();
    t.true(await this.lifecycle.drain(20_000), 'every session has ended');
    t.true(await this.driver.close(20_000), 'Windows has let go');
    this.lifecycle.dispose();
    t.is(this.driver.calls.inFlight, 0, 'no native call runs or waits');
    for (const [lane, count] of this.driver.calls.waiting) t.is(count, 0, `nothing waits in the lane ${lane}`);
    for (const entry of this.lifecycle.registry.entries()) {
      t.is(entry.timers.size, 0, `no timer of ${entry.id} is set`);
      t.is(entry.waiters.size, 0, `nobody waits for ${entry.id}`);
    }
    t.is(this.lifecycle.registry.live, 0, 'no session holds a place');
    t.is(this.events.followed, 0, 'nobody follows a session');
    for (const [name, count] of openContexts()) t.is(count, 0, `no context of ${name} is open`);
    // Nobody waits for those of lost opens, and a process must not end under them.
    t.true(await world.waitIdle(20_000), 'no callback is under way');
    world.checkLeaks();
    t.deepEqual(world.misuse().records, []);
    t.is(world.misuse().total, 0);
  }
}

/**
 * Starts a rig for a test, in a world as it is at the start, where nothing takes long; the file's
 * hook finishes it.
 */
export function rigForThisFile(): (settings?: RigSettings) => Promise<Rig> {
  let rig: Rig | undefined;
  test.afterEach.always('all has ended, and no native function was misused', async (t) => {
    const last = rig;
    rig = undefined;
    await last?.finish(t);
  });
  return async (settings = {}) => {
    rig = await Rig.start(settings);
    return rig;
  };
}

/** All that a reader has before it, however many turns a stream would take for it. */
export function readAll<E extends Logged>(reader: LogReader<E>): E[] {
  const events: E[] = [];
  while (reader.lag > 0 && !reader.isTrimmed) events.push(...reader.next(Number.POSITIVE_INFINITY));
  return events;
}

/** Turns of the event loop, until something is so that only the world knows of. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}

export function must<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(result.fault.message);
  return result.value;
}

/** The reason of a refusal. */
export function refusalOf(result: Result<unknown>): string | undefined {
  return result.ok ? undefined : result.fault.reason;
}
