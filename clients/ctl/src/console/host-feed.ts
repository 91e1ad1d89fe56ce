/**
 * The frames of one host for one page: the host, its sessions and devices, and their events. There
 * is no polling. Watches deliver the events, and a change of health triggers a new GetHost.
 *
 *   health answers ---> host, sessions, the events that the host still has ---> events as they come
 *        ^                                                                           |
 *        +------------- lost: try again, then resume after the last cursor ----------+
 *
 * Invariant: a page that reads slowly uses no extra memory. While it is behind, its watches are
 * stopped. Later they resume after the last event that was sent, so the log of the host is the
 * queue.
 */
import {
  type Client,
  type DeviceWatchItem,
  GatewayError,
  type GetHostResponse,
  type SessionWatchItem,
  status,
} from '../../../typescript/src/client.js';
import { toCliError } from '../error-messages.js';
import { deviceDocument, deviceEventDocument, eventDocument, hostDocument, sessionDocument } from './documents.js';
import type { Document, HostFrame } from './frames.js';

export interface HostLink {
  /** The host as the user knows it. */
  readonly name: string;
  readonly client: Client;
}

/** The stream to the page. */
export interface Sink {
  send(frame: HostFrame): void;
  readonly isFull: boolean;
}

interface Subscription {
  unsubscribe(): void;
}

type Body = HostFrame extends infer Each ? (Each extends HostFrame ? Omit<Each, 'host'> : never) : never;

/** A host that is reachable sends something at least this often. */
const BOOKMARK_MS = 2000;
const RETRY_MS = 2000;
const BACKOFF = { maxMs: 5000 };
/** The most sessions or events in one frame. */
const PART_MAX = 500;

/** A retry can't succeed after these. */
const FATAL: ReadonlySet<status> = new Set([
  status.UNAUTHENTICATED,
  status.PERMISSION_DENIED,
  status.INVALID_ARGUMENT,
  status.UNIMPLEMENTED,
]);

export class HostFeed {
  readonly #link: HostLink;
  readonly #sink: Sink;
  readonly #watches = new Map<'health' | 'sessions' | 'devices', Subscription>();
  readonly #broken = new Set<'health' | 'sessions'>();
  /** Events since the last frame of events. */
  #events: Document[] = [];
  #sessionCursor: string | undefined;
  #deviceCursor: string | undefined;
  #hasStarted = false;
  #isStarting = false;
  #isClosed = false;
  #retry: NodeJS.Timeout | undefined;

  constructor(link: HostLink, sink: Sink) {
    this.#link = link;
    this.#sink = sink;
  }

  open(): void {
    const health = this.#link.client.watchHealth().subscribe({
      next: () => void this.#readHost(),
      error: (error: unknown) => this.#retryHealth(GatewayError.from(error)),
      complete: () =>
        this.#retryHealth(new GatewayError(status.UNAVAILABLE, 'The host ended the watch of its health.')),
    });
    this.#watches.set('health', health);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#retry);
    for (const watch of this.#watches.values()) watch.unsubscribe();
    this.#watches.clear();
  }

  /** The page has read everything. Starts the watches that were stopped. */
  resume(): void {
    if (this.#isClosed || !this.#hasStarted) return;
    if (!this.#watches.has('sessions')) this.#watchSessions();
    if (!this.#watches.has('devices')) this.#watchDevices();
  }

  async #readHost(): Promise<void> {
    try {
      const about = await this.#link.client.host();
      if (this.#isClosed) return;
      this.#send({ kind: 'host', about: hostDocument(about, this.#link.name) });
      if (!this.#hasStarted && !this.#isStarting) await this.#sendSessions(about);
      this.#onRecovered('health');
    } catch (thrown) {
      const error = GatewayError.from(thrown);
      this.#watches.get('health')?.unsubscribe();
      this.#retryHealth(error);
    }
  }

  /**
   * Sends all sessions before any event, because sessions older than the log of the host have no
   * events there.
   */
  async #sendSessions({ oldestCursor }: GetHostResponse): Promise<void> {
    this.#isStarting = true;
    try {
      for await (const { sessions, hostTime } of this.#link.client.sessions.list({ pageSize: PART_MAX })) {
        if (this.#isClosed) return;
        if (hostTime !== undefined) this.#send({ kind: 'clock', aheadMs: hostTime.getTime() - Date.now() });
        this.#send({ kind: 'sessions', sessions: sessions.map(sessionDocument), replaces: false });
      }
    } finally {
      this.#isStarting = false;
    }
    this.#hasStarted = true;
    this.#sessionCursor = oldestCursor;
    this.#watchSessions();
    this.#watchDevices();
  }

  #watchSessions(): void {
    const watch = this.#link.client.sessions.watch({
      cursor: this.#sessionCursor,
      bookmarkIntervalMs: BOOKMARK_MS,
      backoff: BACKOFF,
    });
    const subscription = watch.subscribe({
      next: (item) => this.#onSessionItem(item),
      error: (error: unknown) => this.#onRefused(GatewayError.from(error)),
    });
    this.#watches.set('sessions', subscription);
  }

  #onSessionItem(item: SessionWatchItem): void {
    if (item.kind === 'disconnected') {
      // The events are gone, but a snapshot follows.
      if (item.error.reason !== 'CURSOR_EXPIRED') this.#onLost('sessions', item.error, item.retryInMs);
      return;
    }
    this.#onRecovered('sessions');
    if (item.kind === 'snapshot') {
      this.#flush();
      this.#send({ kind: 'sessions', sessions: item.sessions.map(sessionDocument), replaces: true });
    } else if (item.kind === 'event') {
      if (this.#events.length === 0) setImmediate(() => this.#flush());
      this.#events.push(eventDocument(item.event));
      if (this.#events.length >= PART_MAX) this.#flush();
    }
    this.#sessionCursor = item.cursor;
    this.#pauseIfFull('sessions');
  }

  #watchDevices(): void {
    const watch = this.#link.client.devices.watch({ cursor: this.#deviceCursor, backoff: BACKOFF });
    const subscription = watch.subscribe({
      next: (item) => this.#onDeviceItem(item),
      error: (error: unknown) => this.#onNoDevices(GatewayError.from(error)),
    });
    this.#watches.set('devices', subscription);
  }

  #onDeviceItem(item: DeviceWatchItem): void {
    if (item.kind === 'disconnected') {
      const { reason } = item.error;
      // An error without a reason is a lost connection, which the watch of sessions reports.
      if (reason === 'WLAN_SERVICE_UNREACHABLE' || reason === 'DRIVER_NOT_AVAILABLE') this.#onNoDevices(item.error);
      return;
    }
    if (item.kind === 'snapshot') this.#send({ kind: 'devices', devices: item.devices.map(deviceDocument) });
    else if (item.kind === 'event') this.#send({ kind: 'deviceEvents', events: [deviceEventDocument(item.event)] });
    this.#deviceCursor = item.cursor;
    this.#pauseIfFull('devices');
  }

  #flush(): void {
    const events = this.#events;
    this.#events = [];
    if (events.length > 0) this.#send({ kind: 'events', events });
  }

  #pauseIfFull(which: 'sessions' | 'devices'): void {
    if (!this.#sink.isFull) return;
    this.#watches.get(which)?.unsubscribe();
    this.#watches.delete(which);
  }

  #retryHealth(error: GatewayError): void {
    if (this.#isClosed) return;
    if (FATAL.has(error.code)) this.#onRefused(error);
    else {
      this.#onLost('health', error, RETRY_MS);
      clearTimeout(this.#retry);
      this.#retry = setTimeout(() => this.open(), RETRY_MS);
    }
  }

  #onLost(which: 'health' | 'sessions', error: GatewayError, retryInMs: number): void {
    const isFirst = this.#broken.size === 0;
    this.#broken.add(which);
    const { message } = toCliError(error, this.#link.name, this.#hasStarted);
    if (isFirst) this.#send({ kind: 'lost', message, since: Date.now(), retryInMs });
  }

  #onRecovered(which: 'health' | 'sessions'): void {
    if (this.#broken.delete(which) && this.#broken.size === 0) this.#send({ kind: 'back' });
  }

  #onRefused(error: GatewayError): void {
    this.#send({ kind: 'refused', message: toCliError(error, this.#link.name).message });
  }

  #onNoDevices(error: GatewayError): void {
    this.#send({ kind: 'noDevices', message: toCliError(error, this.#link.name, true).message });
  }

  #send(body: Body): void {
    if (!this.#isClosed) this.#sink.send({ host: this.#link.name, ...body } as HostFrame);
  }
}
