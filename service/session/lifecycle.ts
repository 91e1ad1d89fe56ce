/**
 * The only writer of sessions. Requests, native completions and timers arrive here as inputs.
 *
 * The event loop is the queue (D-24). Each input is handled completely in one turn: `step` decides,
 * the log records the events, and the commands run.
 *
 * Invariant: nothing that is called within a turn calls back into this class. The driver and the
 * event stream promise this, and a guard throws if it happens.
 */
import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import type { Subject, Subscription } from 'rxjs';
import type { Completion, Driver } from '../driver/driver.js';
import type { EventStream } from '../events/stream.js';
import { type Fault, hostStopping, ok, type Result, refuse, sessionNotFound } from '../fault.js';
import { once } from '../once.js';
import { open, restore, step } from './machine.js';
import { type Entry, Registry, type RegistryLimits } from './registry.js';
import { RequestMemory, requestIdReused } from './request-memory.js';
import {
  type EventCause,
  isFinal,
  type LoggedSessionEvent,
  type Moment,
  type OpenRequest,
  placeOf,
  type Session,
  type SessionCommand,
  type SessionEvent,
  type SessionEventDraft,
  type SessionInput,
} from './session.js';
import { Timers } from './timers.js';
import { closeFault, type SessionRecord, type Step } from './transition.js';

export interface LifecycleSettings extends RegistryLimits {
  readonly closeTimeoutMs: number;
  readonly requestMemoryMax: number;
}

/**
 * How a session was created. It is kept beside the events of the session, so that a request can be
 * repeated safely after a restart too.
 */
export interface SessionOrigin {
  readonly id: string;
  readonly ordinal: number;
  readonly requestKey: string | undefined;
  readonly fingerprint: string;
}

/** A request id that was used, and for what. The moment is that of its first use. */
export interface RequestRecord extends Moment {
  readonly key: string;
  readonly fingerprint: string;
}

/** Keeps what has to survive the process. It is called within a turn, so it must return at once. */
export interface SessionMemory {
  /** A session is created. Called before its first event is appended. */
  onSessionCreated(origin: SessionOrigin): void;
  onRequestUsed(request: RequestRecord): void;
}

/** A stream that follows one session. A session without a lease ends with its last attachment. */
export interface Attachment {
  /** The newest event when the stream was attached. `events` has all later ones. */
  readonly current: SessionEvent;
  readonly events: Subject<SessionEvent>;
  detach(): void;
}

export class Lifecycle {
  readonly registry: Registry;
  readonly events: EventStream<SessionEventDraft, SessionEvent, LoggedSessionEvent>;
  readonly #driver: Driver;
  readonly #settings: LifecycleSettings;
  readonly #now: () => Moment;
  readonly #requests: RequestMemory;
  #memory: SessionMemory | undefined;
  readonly #timers = new Timers();
  readonly #subscription: Subscription;
  #pruneTimer: NodeJS.Timeout | undefined;
  #isStopping = false;
  #inTurn = false;

  constructor(
    driver: Driver,
    events: EventStream<SessionEventDraft, SessionEvent, LoggedSessionEvent>,
    settings: LifecycleSettings,
    now: () => Moment = readClocks,
  ) {
    this.#now = now;
    this.#driver = driver;
    this.events = events;
    this.#settings = settings;
    this.registry = new Registry(settings);
    this.#requests = new RequestMemory(settings.requestMemoryMax, settings.retentionMs);
    this.#subscription = driver.completions.subscribe((completion) => this.#onCompletion(completion));
  }

  /**
   * Restores the sessions and request ids of the process that ran before. Call it first, before
   * anything else is called.
   */
  restore(
    sessions: readonly { readonly origin: SessionOrigin; readonly lastEvent: SessionEvent }[],
    requests: readonly RequestRecord[],
  ): void {
    for (const { origin, lastEvent } of sessions.toSorted((a, b) => a.origin.ordinal - b.origin.ordinal)) {
      const { owner } = lastEvent.session;
      const record = restore(lastEvent, this.#settings.closeTimeoutMs);
      this.registry.add({ ...origin, owner, record, lastEvent, streams: 0, timers: new Map(), waiters: new Set() });
    }
    const endMs = ({ record }: Entry) => record.session.marks.endMs ?? Number.POSITIVE_INFINITY;
    for (const entry of [...this.registry.entries()].toSorted((a, b) => endMs(a) - endMs(b))) {
      if (isFinal(entry.record.session)) this.registry.retire(entry);
    }
    for (const { key, fingerprint, steadyMs } of requests) this.#requests.remember(key, fingerprint, steadyMs);
    this.#prune();
  }

  /**
   * Reports to `memory` from now on what has to survive the process. Sessions that were restored as
   * live become LOST, because the process that knew their handles has died.
   */
  attachMemory(memory: SessionMemory): void {
    this.#memory = memory;
    for (const entry of this.registry.liveEntries()) this.#handle(entry, { type: 'HostRestarted' });
  }

  /** The newest event of a session got another sequence and epoch: this is the event now. */
  renumber(event: SessionEvent): void {
    const entry = this.registry.find(event.session.id);
    if (entry !== undefined) entry.lastEvent = event;
  }

  /** The sessions that have to survive the process, as they are now. */
  *sessionsToKeep(): Iterable<{ readonly origin: SessionOrigin; readonly lastEvent: SessionEvent }> {
    for (const { id, ordinal, requestKey, fingerprint, lastEvent } of this.registry.entries()) {
      yield { origin: { id, ordinal, requestKey, fingerprint }, lastEvent };
    }
  }

  /** The request ids that have to survive the process. */
  *requestsToKeep(): Iterable<RequestRecord> {
    const { timeMs, steadyMs } = this.#now();
    for (const { key, fingerprint, timeMs: usedMs } of this.#requests.all()) {
      yield { key, fingerprint, steadyMs: usedMs, timeMs: timeMs - (steadyMs - usedMs) };
    }
  }

  get isStopping(): boolean {
    return this.#isStopping;
  }

  /** Opens a session, or returns the one that the same request opened before. */
  open(request: OpenRequest, cause: EventCause): Result<{ readonly session: Session; readonly isNew: boolean }> {
    const fingerprint = JSON.stringify(request);
    const requestKey = keyOf(request.owner, request.requestId);
    const known = requestKey === undefined ? undefined : this.registry.findByRequest(requestKey);
    if (known !== undefined) {
      if (known.fingerprint !== fingerprint) return refuse(requestIdReused(request.requestId));
      return ok({ session: known.record.session, isNew: false });
    }
    if (requestKey !== undefined && this.#knownRequest(requestKey) !== undefined) {
      return refuse(requestIdReused(request.requestId));
    }
    if (this.#isStopping) return refuse(hostStopping());
    const unavailable = this.#driver.whyNotOpen(request.kind, request.deviceAddress);
    if (unavailable !== undefined) return refuse(unavailable);
    const admitted = this.registry.admit(request.owner);
    if (!admitted.ok) return admitted;
    // This check is the last one: only a request that could open a session learns which ids are in
    // use.
    if (request.sessionId !== '' && this.registry.find(request.sessionId) !== undefined) {
      return refuse(alreadyExists(request.sessionId));
    }
    const id = request.sessionId === '' ? randomUUID() : request.sessionId;
    return ok({ session: this.#create({ ...request, sessionId: id }, requestKey, fingerprint, cause), isNew: true });
  }

  cancel(id: string, cause: EventCause): Result<Session> {
    return this.#request(id, 'CancelOpenSession', cause, { type: 'CancelRequested', cause });
  }

  renew(id: string, leaseTtlMs: number | undefined, cause: EventCause): Result<Session> {
    const input: SessionInput = { type: 'RenewRequested', cause, leaseTtlMs };
    return this.#request(id, `RenewSession ${leaseTtlMs ?? ''}`, cause, input);
  }

  /**
   * Closes a session, or cancels its open. With `waitForEnd` it resolves when the session has
   * ended, otherwise as soon as Windows has accepted the close or the open is being cancelled. It
   * also resolves when `signal` aborts, with the session as it is then.
   */
  async close(id: string, waitForEnd: boolean, cause: EventCause, signal: AbortSignal): Promise<Result<Session>> {
    const requested = this.#request(id, `CloseSession ${waitForEnd}`, cause, { type: 'CloseRequested', cause });
    const entry = this.registry.find(id);
    if (!requested.ok || entry === undefined) return requested;
    const before = entry.record;
    await this.#waitUntil(entry, waitForEnd ? ({ session }) => isFinal(session) : isCloseAccepted, signal);
    const fault = closeFault(before, entry.record);
    return fault === undefined ? ok(entry.record.session) : refuse(fault);
  }

  /** Attaches a stream to a session; undefined if there is no such session. */
  attach(id: string): Attachment | undefined {
    const entry = this.registry.find(id);
    if (entry === undefined) return undefined;
    entry.streams += 1;
    return {
      current: entry.lastEvent,
      events: this.events.follow(id),
      detach: once(() => {
        entry.streams -= 1;
        if (entry.streams === 0) this.#handle(entry, { type: 'StreamsEnded' });
      }),
    };
  }

  /**
   * Ends every session: cancels what is opening and closes what is open. Opens are refused from now
   * on. Resolves to false if some sessions have not ended in time.
   */
  async drain(timeoutMs: number): Promise<boolean> {
    this.#isStopping = true;
    const live = this.registry.liveEntries();
    for (const entry of live) this.#handle(entry, { type: 'HostStopping' });
    const deadline = new AbortController();
    // Each session adds a listener. Node warns of a leak after ten.
    setMaxListeners(0, deadline.signal);
    const timer = setTimeout(() => deadline.abort(), Math.max(timeoutMs, 0));
    await Promise.all(live.map((entry) => this.#waitUntil(entry, ({ session }) => isFinal(session), deadline.signal)));
    clearTimeout(timer);
    return !deadline.signal.aborted;
  }

  /** Stops listening to the driver, and clears all timers. */
  dispose(): void {
    this.#subscription.unsubscribe();
    clearTimeout(this.#pruneTimer);
    for (const entry of this.registry.entries()) clearTimers(entry);
  }

  #create(request: OpenRequest, requestKey: string | undefined, fingerprint: string, cause: EventCause): Session {
    const first = open(request, cause, this.#now(), this.#settings.closeTimeoutMs);
    const [opening] = first.events;
    if (opening === undefined) throw new Error('a session begins with an event');
    const origin = { id: request.sessionId, ordinal: this.registry.nextOrdinal(), requestKey, fingerprint };
    this.#memory?.onSessionCreated(origin);
    const entry: Entry = {
      ...origin,
      owner: request.owner,
      record: first.record,
      lastEvent: this.events.append(opening),
      streams: 0,
      timers: new Map(),
      waiters: new Set(),
    };
    this.registry.add(entry);
    for (const command of first.commands) this.#run(entry, command);
    return entry.record.session;
  }

  /**
   * Handles a request about a session, once for each request id. A request that is refused changes
   * nothing, so the same request id can be used again.
   */
  #request(id: string, fingerprint: string, cause: EventCause, input: SessionInput): Result<Session> {
    const entry = this.registry.find(id);
    if (entry === undefined) return refuse(sessionNotFound(id));
    const key = keyOf(cause.principal, cause.requestId);
    const use = `${fingerprint} ${id}`;
    const known = key === undefined ? undefined : this.#knownRequest(key);
    if (known === use) return ok(entry.record.session);
    if (known !== undefined) return refuse(requestIdReused(cause.requestId));
    const { refusal } = this.#handle(entry, input);
    if (refusal !== undefined) return refuse(refusal);
    if (key !== undefined) {
      const { timeMs, steadyMs } = this.#now();
      this.#requests.remember(key, use, steadyMs);
      this.#memory?.onRequestUsed({ key, fingerprint: use, timeMs, steadyMs });
    }
    return ok(entry.record.session);
  }

  /** What a request id was used for; undefined if it was not used. */
  #knownRequest(key: string): string | undefined {
    return this.registry.findByRequest(key)?.fingerprint ?? this.#requests.find(key, this.#now().steadyMs);
  }

  #onCompletion(completion: Completion): void {
    if (completion.type === 'HandlesInvalidated') {
      for (const live of this.registry.liveEntries()) this.#handle(live, completion);
      return;
    }
    const entry = this.registry.find(completion.sessionId);
    if (entry !== undefined) this.#handle(entry, completion);
  }

  /** One turn: decide, append the events, run the commands. */
  #handle(entry: Entry, input: SessionInput): Step {
    if (this.#inTurn) throw new Error(`${input.type} arrived within a turn`);
    this.#inTurn = true;
    try {
      const next = step(entry.record, input, this.#now());
      const wasFinal = isFinal(entry.record.session);
      entry.record = next.record;
      for (const draft of next.events) entry.lastEvent = this.events.append(draft);
      for (const command of next.commands) this.#run(entry, command);
      if (isStartUnwanted(next.record)) this.#driver.withdrawOpen(entry.id);
      if (!wasFinal && isFinal(entry.record.session)) this.#retire(entry);
      for (const wake of [...entry.waiters]) wake();
      return next;
    } finally {
      this.#inTurn = false;
    }
  }

  #run(entry: Entry, command: SessionCommand): void {
    const { id, timers } = entry;
    const { deviceAddress, kind } = entry.record.session;
    const place = placeOf(entry.lastEvent);
    if (command.type === 'StartOpen') this.#driver.startOpen(id, deviceAddress, kind, entry.owner, place);
    else if (command.type === 'CancelOpen') this.#driver.cancelOpen(id, place);
    else if (command.type === 'CloseSession') this.#driver.closeSession(id, place);
    else if (command.type === 'Release') {
      clearTimers(entry);
      this.#driver.release(id);
    } else {
      const { timer, delayMs } = command;
      timers.get(timer)?.();
      const fire = () => this.#handle(entry, { type: 'TimerFired', timer });
      timers.set(timer, this.#timers.set(delayMs, fire));
    }
  }

  #retire(entry: Entry): void {
    this.registry.retire(entry);
    this.#prune();
  }

  #prune(): void {
    const nowMs = this.#now().steadyMs;
    for (const { id } of this.registry.prune(nowMs)) this.events.forget(id);
    clearTimeout(this.#pruneTimer);
    const nextMs = this.registry.nextPruneTimeMs();
    if (nextMs === undefined) return;
    this.#pruneTimer = setTimeout(() => this.#prune(), Math.max(Math.ceil(nextMs - nowMs), 1));
    this.#pruneTimer.unref();
  }

  /** Resolves when `isTrue` holds for the record, or when `signal` aborts. */
  #waitUntil(entry: Entry, isTrue: (record: SessionRecord) => boolean, signal: AbortSignal): Promise<void> {
    if (isTrue(entry.record) || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const stop = () => {
        entry.waiters.delete(wake);
        signal.removeEventListener('abort', stop);
        resolve();
      };
      const wake = () => {
        if (isTrue(entry.record)) stop();
      };
      entry.waiters.add(wake);
      signal.addEventListener('abort', stop);
    });
  }
}

function readClocks(): Moment {
  return { timeMs: Date.now(), steadyMs: performance.now() };
}

/**
 * Whether the open is being cancelled although its start has not returned: it may not have begun.
 */
function isStartUnwanted({ session, start }: SessionRecord): boolean {
  return session.state === 'CANCELLING' && start.state !== 'returned';
}

/**
 * Whether the native close has returned, is not needed, or waits for an open that is being
 * cancelled.
 */
function isCloseAccepted({ session, close }: SessionRecord): boolean {
  return isFinal(session) || close.state === 'returned' || session.state === 'CANCELLING';
}

function keyOf(principal: string, requestId: string): string | undefined {
  return requestId === '' ? undefined : `${principal}\n${requestId}`;
}

function clearTimers(entry: Entry): void {
  for (const clear of entry.timers.values()) clear();
  entry.timers.clear();
}

function alreadyExists(id: string): Fault {
  return {
    reason: 'SESSION_ALREADY_EXISTS',
    message: `Session ${id} exists already; get it, or choose another session_id.`,
    metadata: { session_id: id },
    resource: { type: 'wifidirect.v1.Session', name: id },
  };
}
