/**
 * One host, as frames for one page: what it is, its sessions and devices, and all that happens to
 * them. Nothing is polled: the watches tell, and a change of health is the sign to ask for the host
 * anew.
 *
 *   health answers ---> host, sessions, the events that the host still has ---> events as they come
 *        ^                                                                           |
 *        +-------------- lost: try again, then go on after the last cursor ----------+
 *
 * The rule that must not be broken: a page that reads slowly costs no memory. While it is behind,
 * nothing is watched, and then the watch goes on after the last event that was sent: the log of the
 * host is the queue.
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
  /** Where it is, as the user knows it. */
  readonly name: string;
  readonly client: Client;
}

/** Where frames go. */
export interface Sink {
  send(frame: HostFrame): void;
  readonly isFull: boolean;
}

interface Subscription {
  unsubscribe(): void;
}

type Body = HostFrame extends infer Each ? (Each extends HostFrame ? Omit<Each, 'host'> : never) : never;

/** The host answers at least this often while it is there. */
const BOOKMARK_MS = 2000;
const RETRY_MS = 2000;
const BACKOFF = { maxMs: 5000 };
/** Sessions of one frame, and of one page of a list. */
const PART_MAX = 500;

/** What trying again can't help against. */
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
  /** Events that came in this turn. */
  #events: Document[] = [];
  #sessionCursor: string | undefined;
  #deviceCursor: string | undefined;
  #hasBegun = false;
  #isBeginning = false;
  #isClosed = false;
  #retry: NodeJS.Timeout | undefined;

  constructor(link: HostLink, sink: Sink) {
    this.#link = link;
    this.#sink = sink;
  }

  open(): void {
    const health = this.#link.client.watchHealth().subscribe({
      next: () => void this.#ask(),
      error: (error: unknown) => this.#again(GatewayError.from(error)),
      complete: () => this.#again(new GatewayError(status.UNAVAILABLE, 'The host ended the watch of its health.')),
    });
    this.#watches.set('health', health);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#retry);
    for (const watch of this.#watches.values()) watch.unsubscribe();
    this.#watches.clear();
  }

  /** The page has read what was waiting for it. */
  drained(): void {
    if (this.#isClosed || !this.#hasBegun) return;
    if (!this.#watches.has('sessions')) this.#watchSessions();
    if (!this.#watches.has('devices')) this.#watchDevices();
  }

  async #ask(): Promise<void> {
    try {
      const about = await this.#link.client.host();
      if (this.#isClosed) return;
      this.#send({ kind: 'host', about: hostDocument(about, this.#link.name) });
      if (!this.#hasBegun && !this.#isBeginning) await this.#begin(about);
      this.#mended('health');
    } catch (thrown) {
      const error = GatewayError.from(thrown);
      this.#watches.get('health')?.unsubscribe();
      this.#again(error);
    }
  }

  /** First all sessions that there are, as those that are older than the log are in no event. */
  async #begin({ oldestCursor }: GetHostResponse): Promise<void> {
    this.#isBeginning = true;
    try {
      for await (const { sessions, hostTime } of this.#link.client.sessions.list({ pageSize: PART_MAX })) {
        if (this.#isClosed) return;
        if (hostTime !== undefined) this.#send({ kind: 'clock', aheadMs: hostTime.getTime() - Date.now() });
        this.#send({ kind: 'sessions', sessions: sessions.map(sessionDocument), replaces: false });
      }
    } finally {
      this.#isBeginning = false;
    }
    this.#hasBegun = true;
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
      next: (item) => this.#sessionItem(item),
      error: (error: unknown) => this.#refused(GatewayError.from(error)),
    });
    this.#watches.set('sessions', subscription);
  }

  #sessionItem(item: SessionWatchItem): void {
    if (item.kind === 'disconnected') {
      // Its events are gone; the snapshot that follows says all.
      if (item.error.reason !== 'CURSOR_EXPIRED') this.#lost('sessions', item.error, item.retryInMs);
      return;
    }
    this.#mended('sessions');
    if (item.kind === 'snapshot') {
      this.#flush();
      this.#send({ kind: 'sessions', sessions: item.sessions.map(sessionDocument), replaces: true });
    } else if (item.kind === 'event') {
      if (this.#events.length === 0) setImmediate(() => this.#flush());
      this.#events.push(eventDocument(item.event));
      if (this.#events.length >= PART_MAX) this.#flush();
    }
    this.#sessionCursor = item.cursor;
    this.#restIfFull('sessions');
  }

  #watchDevices(): void {
    const watch = this.#link.client.devices.watch({ cursor: this.#deviceCursor, backoff: BACKOFF });
    const subscription = watch.subscribe({
      next: (item) => this.#deviceItem(item),
      error: (error: unknown) => this.#noDevices(GatewayError.from(error)),
    });
    this.#watches.set('devices', subscription);
  }

  #deviceItem(item: DeviceWatchItem): void {
    if (item.kind === 'disconnected') {
      const { reason } = item.error;
      // Without a reason it was the connection, of which the sessions tell.
      if (reason === 'WLAN_SERVICE_UNREACHABLE' || reason === 'DRIVER_NOT_AVAILABLE') this.#noDevices(item.error);
      return;
    }
    if (item.kind === 'snapshot') this.#send({ kind: 'devices', devices: item.devices.map(deviceDocument) });
    else if (item.kind === 'event') this.#send({ kind: 'deviceEvents', events: [deviceEventDocument(item.event)] });
    this.#deviceCursor = item.cursor;
    this.#restIfFull('devices');
  }

  #flush(): void {
    const events = this.#events;
    this.#events = [];
    if (events.length > 0) this.#send({ kind: 'events', events });
  }

  #restIfFull(which: 'sessions' | 'devices'): void {
    if (!this.#sink.isFull) return;
    this.#watches.get(which)?.unsubscribe();
    this.#watches.delete(which);
  }

  #again(error: GatewayError): void {
    if (this.#isClosed) return;
    if (FATAL.has(error.code)) this.#refused(error);
    else {
      this.#lost('health', error, RETRY_MS);
      clearTimeout(this.#retry);
      this.#retry = setTimeout(() => this.open(), RETRY_MS);
    }
  }

  #lost(which: 'health' | 'sessions', error: GatewayError, retryInMs: number): void {
    const isFirst = this.#broken.size === 0;
    this.#broken.add(which);
    const { message } = toCliError(error, this.#link.name, this.#hasBegun);
    if (isFirst) this.#send({ kind: 'lost', message, since: Date.now(), retryInMs });
  }

  #mended(which: 'health' | 'sessions'): void {
    if (this.#broken.delete(which) && this.#broken.size === 0) this.#send({ kind: 'back' });
  }

  #refused(error: GatewayError): void {
    this.#send({ kind: 'refused', message: toCliError(error, this.#link.name).message });
  }

  #noDevices(error: GatewayError): void {
    this.#send({ kind: 'noDevices', message: toCliError(error, this.#link.name, true).message });
  }

  #send(body: Body): void {
    if (!this.#isClosed) this.#sink.send({ host: this.#link.name, ...body } as HostFrame);
  }
}
