/**
 * One daemon for the tests of a file, with clients of all its services and the world it lives in.
 * Before each test the world is as at the start; after each, the simulator must have counted no
 * misuse, every stream must have kept its promises, and the daemon must hold nothing any more.
 */

import { setTimeout as pause } from 'node:timers/promises';
import { type ClientReadableStream, credentials, InterceptingCall, type Interceptor, status } from '@grpc/grpc-js';
import test from 'ava';
import { type GetHostResponse, HostState } from '../../proto/gen/wifidirect/v1/host_service.js';
import type { Session, SessionEvent, SessionState } from '../../proto/gen/wifidirect/v1/session.js';
import { SessionEventType } from '../../proto/gen/wifidirect/v1/session.js';
import {
  CancelOpenSessionRequest,
  CloseSessionRequest,
  GetSessionRequest,
  ListSessionsRequest,
  OpenSessionRequest,
  type OpenSessionResponse,
  WatchSessionsRequest,
  type WatchSessionsResponse,
} from '../../proto/gen/wifidirect/v1/session_service.js';
import { call, type ReadError, Received, readError } from './calls.js';
import { type DaemonProcess, patience, startSimulated } from './daemon.js';
import { DeviceServiceClient, HostServiceClient, SessionServiceClient } from './grpc-services.js';
import { countingFlags, heldBy, type Scope } from './held.js';
import { OpenStreamValidator, StreamValidator } from './validator.js';
import { World } from './world.js';

const ASKED_EVERY_MS = 10;
const ASKED_MAX = 3000;
/** How long what a test took may need to be given back. */
const GIVEN_BACK_MS = 30_000;

/** The devices of the simulator's default world. */
export const display = '02:11:22:33:44:01';
export const scanner = '02:11:22:33:44:02';
export const printer = '02:11:22:33:44:03';
export const robot = '02:11:22:33:44:04';
export const forklifts = ['02:11:22:33:44:05', '02:11:22:33:44:06'] as const;

export type OpenFields = Parameters<typeof OpenSessionRequest.fromPartial>[0];
export type WatchFields = Parameters<typeof WatchSessionsRequest.fromPartial>[0];

/** An OpenSession stream and its session; it checks the promises of the stream as it reads. */
export class Opened extends Received<OpenSessionResponse> {
  readonly validator = new OpenStreamValidator();

  constructor(stream: ClientReadableStream<OpenSessionResponse>) {
    super(stream);
    stream.on('data', (message: OpenSessionResponse) => this.validator.message(message));
    void this.ended.then((error) => (error === undefined ? this.validator.ended() : this.validator.disconnected()));
  }

  get events(): SessionEvent[] {
    return this.messages.flatMap(({ event }) => (event === undefined ? [] : [event]));
  }

  /** The names of the events that have come, but for address changes, which come when they like. */
  get types(): string[] {
    return typesOf(this.events);
  }

  async event(name: keyof typeof SessionEventType): Promise<SessionEvent & { session: Session }> {
    const { event } = await this.first((message) => message.event?.type === SessionEventType[name]);
    return event as SessionEvent & { session: Session };
  }

  /** How the stream ended: undefined is OK. */
  async status(): Promise<ReadError | undefined> {
    const error = await this.ended;
    return error && readError(error);
  }
}

/** A watch of sessions; it checks the promises of the stream as it reads. */
export class Watcher extends Received<WatchSessionsResponse> {
  readonly validator: StreamValidator;

  /** The fields are those that it was asked for with. */
  constructor(stream: ClientReadableStream<WatchSessionsResponse>, { cursor = '', sessionIds = [] }: WatchFields) {
    super(stream);
    this.validator = new StreamValidator({ filtered: sessionIds.length > 0 });
    // One that is refused, maybe for its cursor, never begins.
    stream.once('data', () => this.validator.connected(cursor));
    stream.on('data', (message: WatchSessionsResponse) => this.validator.message(message));
    void this.ended.then(() => this.validator.disconnected());
  }

  get events(): SessionEvent[] {
    return this.messages.flatMap(({ events }) => events);
  }

  async event(sessionId: string, name: keyof typeof SessionEventType): Promise<SessionEvent> {
    const isIt = (event: SessionEvent) =>
      event.session?.sessionId === sessionId && event.type === SessionEventType[name];
    const message = await this.first(({ events }) => events.some(isIt));
    return message.events.find(isIt) as SessionEvent;
  }

  typesOf(sessionId: string): string[] {
    return typesOf(this.events.filter(({ session }) => session?.sessionId === sessionId));
  }
}

export class Gateway {
  readonly daemon: DaemonProcess;
  readonly sessions: SessionServiceClient;
  readonly devices: DeviceServiceClient;
  readonly host: HostServiceClient;
  readonly world: World;
  readonly #streams: (Opened | Watcher)[] = [];
  readonly #calls = new Set<InterceptingCall>();
  #isGone = false;

  constructor(daemon: DaemonProcess) {
    this.daemon = daemon;
    void daemon.exited.then(() => {
      this.#isGone = true;
    });
    const insecure = credentials.createInsecure();
    const options = { interceptors: [this.#remember] };
    this.sessions = new SessionServiceClient(daemon.address, insecure, options);
    this.devices = new DeviceServiceClient(daemon.address, insecure, options);
    this.host = new HostServiceClient(daemon.address, insecure, options);
    this.world = new World(daemon.address);
  }

  open(fields: OpenFields): Opened {
    const opened = new Opened(this.sessions.openSession(OpenSessionRequest.fromPartial(fields)));
    this.#streams.push(opened);
    return opened;
  }

  /** Opens and waits for OPENED. */
  async openSession(fields: OpenFields): Promise<{ stream: Opened; id: string }> {
    const stream = this.open(fields);
    const { session } = await stream.event('OPENED');
    return { stream, id: session.sessionId };
  }

  watch(fields: WatchFields = {}): Watcher {
    const watcher = new Watcher(this.sessions.watchSessions(WatchSessionsRequest.fromPartial(fields)), fields);
    this.#streams.push(watcher);
    return watcher;
  }

  readonly #remember: Interceptor = (options, next) => {
    const call: InterceptingCall = new InterceptingCall(next(options), {
      start: (metadata, _, start) =>
        start(metadata, {
          onReceiveStatus: (outcome, pass) => {
            this.#calls.delete(call);
            pass(outcome);
          },
        }),
    });
    this.#calls.add(call);
    return call;
  };

  /** Ends the calls that a test has left. */
  cancelCalls(): void {
    for (const call of this.#calls) call.cancelWithStatus(status.CANCELLED, 'The test is over.');
    this.#calls.clear();
  }

  /**
   * Waits until the daemon holds nothing; fails with what it still holds. One that has ended or
   * stops holds nothing.
   */
  async holdsNothing(scope: Scope): Promise<void> {
    const untilMs = performance.now() + GIVEN_BACK_MS * patience;
    const isStopping = () => this.#isGone || this.daemon.log.some(({ event }) => event === 'stopping');
    while (!isStopping()) {
      const held = await heldBy(this.daemon, scope).catch((error: unknown) => {
        if (isStopping()) return {};
        throw error;
      });
      if (Object.keys(held).length === 0) return;
      if (performance.now() > untilMs) throw new Error(`never given back: ${JSON.stringify(held)}`);
      await pause(ASKED_EVERY_MS);
    }
  }

  /** Throws where a stream since the last check has broken a promise. */
  checkStreams(): void {
    for (const { validator } of this.#streams.splice(0)) validator.finish();
  }

  close(sessionId: string, fields: Partial<CloseSessionRequest> = {}) {
    return call(
      this.sessions.closeSession.bind(this.sessions),
      CloseSessionRequest.fromPartial({ sessionId, ...fields }),
      30_000,
    );
  }

  cancel(sessionId: string, fields: Partial<CancelOpenSessionRequest> = {}) {
    return call(
      this.sessions.cancelOpenSession.bind(this.sessions),
      CancelOpenSessionRequest.fromPartial({ sessionId, ...fields }),
    );
  }

  async get(sessionId: string): Promise<Session> {
    const { session } = await call(
      this.sessions.getSession.bind(this.sessions),
      GetSessionRequest.fromPartial({ sessionId }),
    );
    return session as Session;
  }

  /**
   * What an earlier test left is ended, the world is as at the start, and the host is ready for the
   * next.
   */
  async settle(): Promise<void> {
    await this.world.reset();
    await this.until(async () => (await this.getHost()).state === HostState.READY);
    const live = { states: [1, 2, 3, 4] satisfies SessionState[], pageSize: 1000 };
    const list = () => call(this.sessions.listSessions.bind(this.sessions), ListSessionsRequest.fromPartial(live));
    for (const { sessionId } of (await list()).sessions) await this.close(sessionId, { waitForDisconnect: true });
    await this.world.reset();
  }

  getHost(): Promise<GetHostResponse> {
    return call(this.host.getHost.bind(this.host), {});
  }

  /**
   * Asks until it is so, a hundred times a second: asked without a pause, the daemon would do
   * nothing but answer.
   */
  async until(isSo: () => Promise<boolean>): Promise<void> {
    for (let asked = 0; asked < ASKED_MAX; asked += 1) {
      if (await isSo()) return;
      await pause(ASKED_EVERY_MS);
    }
    throw new Error('it never came to that');
  }

  disconnect(): void {
    for (const client of [this.sessions, this.devices, this.host]) client.close();
    this.world.disconnect();
  }
}

/**
 * Starts a daemon for the tests of this file, which run one after another: they share its world.
 */
export function gatewayForThisFile(...flags: string[]): () => Gateway {
  let gateway: Gateway | undefined;
  const get = () => {
    if (gateway === undefined) throw new Error('the gateway runs only within tests');
    return gateway;
  };
  test.before(async () => {
    gateway = new Gateway(await startSimulated(...countingFlags, ...flags));
  });
  let settled: Promise<void> | undefined;
  let running = 0;
  test.beforeEach(async () => {
    running += 1;
    settled ??= get().settle();
    await settled;
  });
  test.afterEach.always('no misuse of the native API, no broken promise, nothing held', async (t) => {
    running -= 1;
    settled = undefined;
    t.deepEqual(await get().world.misuse(), {});
    // What tests beside this one hold is theirs.
    if (!t.passed || running > 0) return;
    get().checkStreams();
    get().cancelCalls();
    await get().settle();
    await get().holdsNothing('all');
    settled = Promise.resolve();
  });
  test.after.always('the daemon stops in good order', async (t) => {
    get().disconnect();
    t.is(await get().daemon.stop(), 0);
  });
  return get;
}

/**
 * Runs one test with a daemon of its own, which the test stops as it likes; what it leaves running
 * is killed.
 */
export async function withGateway(flags: readonly string[], use: (gateway: Gateway) => Promise<void>): Promise<void> {
  const gateway = new Gateway(await startSimulated(...countingFlags, ...flags));
  try {
    await use(gateway);
    gateway.checkStreams();
    gateway.cancelCalls();
    await gateway.holdsNothing('calls');
  } finally {
    gateway.disconnect();
    await gateway.daemon.kill();
  }
}

function typesOf(events: readonly SessionEvent[]): string[] {
  return events.map(({ type }) => typeName(type)).filter((type) => type !== 'NETWORK_INTERFACE_CHANGED');
}

export function typeName(type: number): string {
  return Object.entries(SessionEventType).find(([, value]) => value === type)?.[0] ?? String(type);
}
