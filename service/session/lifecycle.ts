/**
 * The one writer of sessions. Two kinds of input arrive: requests, and completions and time. Each runs to its end in one turn of the
 * event loop, which is the queue: `step` decides, the log records, the commands run. Nothing that is called from a turn calls back in
 * (the driver and the stream promise it), and a guard says so if something ever did.
 */
import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import type { Subject, Subscription } from 'rxjs';
import type { Completion, Driver } from '../driver/driver.js';
import type { EventStream } from '../events/stream.js';
import { type Fault, ok, type Result, refuse } from '../fault.js';
import { once } from '../once.js';
import { open, restored, step } from './machine.js';
import { type Entry, Registry, type RegistryLimits } from './registry.js';
import { RequestMemory, requestIdReused } from './request-memory.js';
import {
  type EventCause,
  hasEnded,
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
import { closeFault, type Machine, type Step } from './transition.js';

export interface LifecycleSettings extends RegistryLimits {
  readonly closeTimeoutMs: number;
  readonly requestMemoryMax: number;
}

/** What is remembered of a session beside its events, so that asking twice is safe over a restart too. */
export interface SessionRecord {
  readonly id: string;
  readonly ordinal: number;
  readonly requestKey: string | undefined;
  readonly fingerprint: string;
}

export interface RequestRecord extends Moment {
  readonly key: string;
  readonly fingerprint: string;
}

/** Keeps what has to outlive the process. Called within a turn: it only takes note. */
export interface SessionMemory {
  /** Before the first event of the session. */
  sessionBegins(record: SessionRecord): void;
  requestUsed(record: RequestRecord): void;
}

/** A reader of one session's events, from the session as it is now. While one is attached, a session without a lease lives. */
export interface Attachment {
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
    this.#subscription = driver.completions.subscribe((completion) => this.#completed(completion));
  }

  /** Takes over the sessions and request ids that the life before has left, before anything else happens. */
  restore(
    sessions: readonly { readonly record: SessionRecord; readonly lastEvent: SessionEvent }[],
    requests: readonly RequestRecord[],
  ): void {
    for (const { record, lastEvent } of sessions.toSorted((a, b) => a.record.ordinal - b.record.ordinal)) {
      const { owner } = lastEvent.session;
      const machine = restored(lastEvent, this.#settings.closeTimeoutMs);
      this.registry.add({ ...record, owner, machine, lastEvent, streams: 0, timers: new Map(), waiters: new Set() });
    }
    const endOf = ({ machine }: Entry) => machine.session.marks.endMs ?? Number.POSITIVE_INFINITY;
    for (const entry of [...this.registry.entries()].toSorted((a, b) => endOf(a) - endOf(b))) {
      if (hasEnded(entry.machine.session)) this.registry.retire(entry);
    }
    for (const { key, fingerprint, steadyMs } of requests) this.#requests.remember(key, fingerprint, steadyMs);
    this.#prune();
  }

  /**
   * From here on, what has to outlive the process is told to this. Sessions that were restored as live are LOST: the
   * process that knew their handles has died.
   */
  rememberBy(memory: SessionMemory): void {
    this.#memory = memory;
    for (const entry of this.registry.liveEntries()) this.#enter(entry, { type: 'HostRestarted' });
  }

  /** The newest event of a session has another number and epoch now. */
  renumber(event: SessionEvent): void {
    const entry = this.registry.find(event.session.id);
    if (entry !== undefined) entry.lastEvent = event;
  }

  /** All that is to outlive the process, as it is now. */
  *remembered(): Iterable<{ readonly record: SessionRecord; readonly lastEvent: SessionEvent }> {
    for (const { id, ordinal, requestKey, fingerprint, lastEvent } of this.registry.entries()) {
      yield { record: { id, ordinal, requestKey, fingerprint }, lastEvent };
    }
  }

  *rememberedRequests(): Iterable<RequestRecord> {
    const { timeMs, steadyMs } = this.#now();
    for (const { key, fingerprint, timeMs: usedMs } of this.#requests.all()) {
      yield { key, fingerprint, steadyMs: usedMs, timeMs: timeMs - (steadyMs - usedMs) };
    }
  }

  get isStopping(): boolean {
    return this.#isStopping;
  }

  /** Opens a session, or finds the one that the same request has opened before. */
  open(request: OpenRequest, cause: EventCause): Result<{ readonly session: Session; readonly isNew: boolean }> {
    const fingerprint = JSON.stringify(request);
    const requestKey = keyOf(request.owner, request.requestId);
    const known = requestKey === undefined ? undefined : this.registry.findByRequest(requestKey);
    if (known !== undefined) {
      if (known.fingerprint !== fingerprint) return refuse(requestIdReused(request.requestId));
      return ok({ session: known.machine.session, isNew: false });
    }
    if (requestKey !== undefined && this.#knownRequest(requestKey) !== undefined) {
      return refuse(requestIdReused(request.requestId));
    }
    if (this.#isStopping) return refuse(hostStopping());
    const unavailable = this.#driver.whyNotOpen(request.kind, request.deviceAddress);
    if (unavailable !== undefined) return refuse(unavailable);
    const admitted = this.registry.admit(request.owner);
    if (!admitted.ok) return admitted;
    // Last, so that nobody learns which ids others use but by an open that would have begun.
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

  /** Resolves when the native close has been accepted (or an open is being cancelled), or, on demand, when the session has ended. */
  async close(id: string, waitForEnd: boolean, cause: EventCause, signal: AbortSignal): Promise<Result<Session>> {
    const asked = this.#request(id, `CloseSession ${waitForEnd}`, cause, { type: 'CloseRequested', cause });
    const entry = this.registry.find(id);
    if (!asked.ok || entry === undefined) return asked;
    const before = entry.machine;
    await this.#until(entry, waitForEnd ? (machine) => hasEnded(machine.session) : isCloseDone, signal);
    const fault = closeFault(before, entry.machine);
    return fault === undefined ? ok(entry.machine.session) : refuse(fault);
  }

  attach(id: string): Attachment | undefined {
    const entry = this.registry.find(id);
    if (entry === undefined) return undefined;
    entry.streams += 1;
    return {
      current: entry.lastEvent,
      events: this.events.follow(id),
      detach: once(() => {
        entry.streams -= 1;
        if (entry.streams === 0) this.#enter(entry, { type: 'StreamsEnded' });
      }),
    };
  }

  /** Ends every session: opens are cancelled, open ones closed. False: not all have ended in time. */
  async drain(timeoutMs: number): Promise<boolean> {
    this.#isStopping = true;
    const live = this.registry.liveEntries();
    for (const entry of live) this.#enter(entry, { type: 'HostStopping' });
    const late = new AbortController();
    // Each session listens: Node takes more than ten for a leak.
    setMaxListeners(0, late.signal);
    const timer = setTimeout(() => late.abort(), Math.max(timeoutMs, 0));
    await Promise.all(live.map((entry) => this.#until(entry, ({ session }) => hasEnded(session), late.signal)));
    clearTimeout(timer);
    return !late.signal.aborted;
  }

  /** Nothing is accepted, timed or heard of any more. */
  dispose(): void {
    this.#subscription.unsubscribe();
    clearTimeout(this.#pruneTimer);
    for (const entry of this.registry.entries()) clearTimers(entry);
  }

  #create(request: OpenRequest, requestKey: string | undefined, fingerprint: string, cause: EventCause): Session {
    const first = open(request, cause, this.#now(), this.#settings.closeTimeoutMs);
    const [opening] = first.events;
    if (opening === undefined) throw new Error('a session begins with an event');
    const record = { id: request.sessionId, ordinal: this.registry.nextOrdinal(), requestKey, fingerprint };
    this.#memory?.sessionBegins(record);
    const entry: Entry = {
      ...record,
      owner: request.owner,
      machine: first.machine,
      lastEvent: this.events.append(opening),
      streams: 0,
      timers: new Map(),
      waiters: new Set(),
    };
    this.registry.add(entry);
    for (const command of first.commands) this.#run(entry, command);
    return entry.machine.session;
  }

  /** Does what was asked, once for each request id. One that was refused has done nothing, and may be asked for again. */
  #request(id: string, fingerprint: string, cause: EventCause, input: SessionInput): Result<Session> {
    const entry = this.registry.find(id);
    if (entry === undefined) return refuse(sessionNotFound(id));
    const key = keyOf(cause.principal, cause.requestId);
    const asked = `${fingerprint} ${id}`;
    const known = key === undefined ? undefined : this.#knownRequest(key);
    if (known === asked) return ok(entry.machine.session);
    if (known !== undefined) return refuse(requestIdReused(cause.requestId));
    const { refusal } = this.#enter(entry, input);
    if (refusal !== undefined) return refuse(refusal);
    if (key !== undefined) {
      const { timeMs, steadyMs } = this.#now();
      this.#requests.remember(key, asked, steadyMs);
      this.#memory?.requestUsed({ key, fingerprint: asked, timeMs, steadyMs });
    }
    return ok(entry.machine.session);
  }

  /** What a request id was used for. */
  #knownRequest(key: string): string | undefined {
    return this.registry.findByRequest(key)?.fingerprint ?? this.#requests.find(key, this.#now().steadyMs);
  }

  #completed(completion: Completion): void {
    if (completion.type === 'DriverLost') {
      for (const live of this.registry.liveEntries()) this.#enter(live, completion);
      return;
    }
    const entry = this.registry.find(completion.sessionId);
    if (entry !== undefined) this.#enter(entry, completion);
  }

  /** One turn: decide, record, act. */
  #enter(entry: Entry, input: SessionInput): Step {
    if (this.#inTurn) throw new Error(`${input.type} arrived within a turn`);
    this.#inTurn = true;
    try {
      const next = step(entry.machine, input, this.#now());
      const hadEnded = hasEnded(entry.machine.session);
      entry.machine = next.machine;
      for (const draft of next.events) entry.lastEvent = this.events.append(draft);
      for (const command of next.commands) this.#run(entry, command);
      if (isUnstarted(next.machine)) this.#driver.withdrawOpen(entry.id);
      if (!hadEnded && hasEnded(entry.machine.session)) this.#retire(entry);
      for (const wake of [...entry.waiters]) wake();
      return next;
    } finally {
      this.#inTurn = false;
    }
  }

  #run(entry: Entry, command: SessionCommand): void {
    const { id, timers } = entry;
    const { deviceAddress, kind } = entry.machine.session;
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
      const fire = () => this.#enter(entry, { type: 'TimerFired', timer });
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

  #until(entry: Entry, isTrue: (machine: Machine) => boolean, signal: AbortSignal): Promise<void> {
    if (isTrue(entry.machine) || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const stop = () => {
        entry.waiters.delete(wake);
        signal.removeEventListener('abort', stop);
        resolve();
      };
      const wake = () => {
        if (isTrue(entry.machine)) stop();
      };
      entry.waiters.add(wake);
      signal.addEventListener('abort', stop);
    });
  }
}

function readClocks(): Moment {
  return { timeMs: Date.now(), steadyMs: performance.now() };
}

/** Its open is to be stopped, and Windows may not have been asked for it yet. */
function isUnstarted({ session, startReturned }: Machine): boolean {
  return session.state === 'CANCELLING' && !startReturned;
}

/** Nothing more is to come from the native close: it has returned, was not needed, or waits for a cancelled open. */
function isCloseDone(machine: Machine): boolean {
  return hasEnded(machine.session) || machine.close === 'returned' || machine.session.state === 'CANCELLING';
}

function keyOf(principal: string, requestId: string): string | undefined {
  return requestId === '' ? undefined : `${principal}\n${requestId}`;
}

function clearTimers(entry: Entry): void {
  for (const takeBack of entry.timers.values()) takeBack();
  entry.timers.clear();
}

export function sessionNotFound(id: string): Fault {
  return {
    reason: 'SESSION_NOT_FOUND',
    message: `There is no session ${id} on this host, or none that you may see.`,
    metadata: { session_id: id },
    resource: { type: 'wifidirect.v1.Session', name: id },
  };
}

export function hostStopping(): Fault {
  return { reason: 'HOST_STOPPING', message: 'The host is stopping; try another host, or this one later.' };
}

function alreadyExists(id: string): Fault {
  return {
    reason: 'SESSION_ALREADY_EXISTS',
    message: `Session ${id} exists already; get it, or choose another session_id.`,
    metadata: { session_id: id },
    resource: { type: 'wifidirect.v1.Session', name: id },
  };
}
