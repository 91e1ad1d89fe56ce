/**
 * Watches the links of open sessions: whether they are up, and which addresses they have. It looks
 * whenever Windows notifies of a change. A slow poll backs this up, because no document promises
 * that Windows notifies of every change.
 *
 * A look covers only the links that may have changed: a notification names an interface, and a
 * change names a device. Looks never overlap, and each reads an interface once. What has to be read
 * for all links at once costs more the more links there are, so it is done less often then: the
 * tables of addresses, and the poll, which covers a slice of the links at a time (D-140).
 *
 * Invariant: a link is reported down once, with the evidence, and never from within a native
 * callback.
 */
import { setImmediate as endOfTurn, setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Iphlpapi } from '../../native/iphlpapi.js';
import { awakeClock } from '../awake-clock.js';
import { Multimap } from '../multimap.js';
import type { DisconnectEvidence, NetworkInterface } from '../session/session.js';
import { type AddressTables, localAddresses, peerAddresses } from './addresses.js';
import type { DeviceTable } from './device-table.js';
import type { DeviceProperties } from './driver.js';
import { type InterfaceReading, Interfaces } from './interfaces.js';
import { assess, initialObservation, type LinkObservation } from './link-evidence.js';
import type { NativeCalls } from './native-calls.js';

interface LinkListener {
  /** The link is down. Called once, and nothing is called after it. */
  onDown(evidence: DisconnectEvidence): void;
  /** The interface became known, or its index, alias or addresses changed. */
  onChanged(networkInterface: NetworkInterface): void;
}

interface Link {
  readonly deviceAddress: string;
  readonly listener: LinkListener;
  /** On the clock that stops while the computer sleeps, because no link comes up meanwhile. */
  readonly openedMs: number;
  /** 0 until Windows has said which interface has the GUID. */
  luid: bigint;
  /** As it was reported last. */
  networkInterface: NetworkInterface;
  observation: LinkObservation;
  /** As it was read last; undefined before the first look. */
  reading: InterfaceReading | undefined;
  isClosing: boolean;
  isDown: boolean;
}

/**
 * How long an interface can take to appear and to come up after the open has succeeded. No document
 * gives a bound (D-72).
 */
const SETTLE_MS = 3000;
/** How many links one poll covers. */
const POLLED_MAX = 64;
/** The largest part of the time that polls may take, and that reads of the tables may take. */
const POLL_SHARE = 0.01;
const TABLES_SHARE = 0.1;
/** A call that hangs takes long as well, and must not put off the next poll for long. */
const REST_MAX_MS = 60_000;

/** The paired devices as they are known, and a way to read them again. */
type Devices = Pick<DeviceTable, 'devices' | 'refresh'>;

export class LinkWatch {
  readonly #interfaces: Interfaces;
  readonly #pollMs: number;
  readonly #table: Devices;
  readonly #links = new Map<string, Link>();
  readonly #byLuid = new Multimap<bigint, Link>();
  readonly #byDevice = new Multimap<string, Link>();
  /** The links that the next look covers. */
  #due = new Set<Link>();
  #isPollDue = false;
  #polled: Iterator<Link> | undefined;
  #looking: Promise<void> | undefined;
  /** The links whose addresses are read next. */
  #addressless = new Set<Link>();
  #reading: Promise<void> | undefined;
  /** The address tables are not read before. */
  #restUntilMs = 0;
  /** How long looks and reads of the tables have taken since the last poll. */
  #spentMs = 0;
  #timer: NodeJS.Timeout | undefined;
  readonly #closed = new AbortController();

  constructor(iphlpapi: Iphlpapi, calls: NativeCalls, pollMs: number, table: Devices) {
    // Links whose interface is not known yet (LUID 0) may be concerned by every change.
    this.#interfaces = new Interfaces(iphlpapi, calls, (luid) =>
      this.#look(luid === undefined ? this.#links.values() : [...this.#byLuid.get(luid), ...this.#byLuid.get(0n)]),
    );
    this.#pollMs = pollMs;
    this.#table = table;
  }

  /** Registers for notifications. If Windows refuses them, the poll still finds every change. */
  start(): Promise<void> {
    return this.#interfaces.start();
  }

  /** Reads the interface that has a GUID. Only the GUID is set if Windows does not answer soon. */
  async resolve(guid: string): Promise<NetworkInterface> {
    const { luid, row } = await this.#interfaces.read(guid, 0n);
    const { InterfaceIndex: index = 0, Alias: alias = '' } = row ?? {};
    return { guid, luid, index, alias, localAddresses: [], peerAddresses: [] };
  }

  watch(sessionId: string, deviceAddress: string, networkInterface: NetworkInterface, listener: LinkListener): void {
    const { luid } = networkInterface;
    const openedMs = awakeClock.nowMs();
    const wasConnected = this.#table.devices?.get(deviceAddress)?.isConnected === true;
    const link: Link = {
      deviceAddress,
      listener,
      openedMs,
      luid,
      networkInterface,
      observation: { ...initialObservation, wasConnected },
      reading: undefined,
      isClosing: false,
      isDown: false,
    };
    this.#links.set(sessionId, link);
    this.#byLuid.add(luid, link);
    this.#byDevice.add(deviceAddress, link);
    this.#look([link]);
  }

  /** Windows has accepted the close of the session. */
  onClosing(sessionId: string): void {
    const link = this.#links.get(sessionId);
    if (link === undefined) return;
    link.isClosing = true;
    this.#interfaces.invalidate(link.luid);
    this.#look([link]);
  }

  /**
   * A device has changed. If it is connected, its links remember that now, because it may be
   * disconnected again when they are looked at.
   */
  onDeviceChanged({ address, isConnected }: DeviceProperties): void {
    const links = this.#byDevice.get(address);
    for (const link of links) {
      if (isConnected === true) link.observation = { ...link.observation, wasConnected: true };
      this.#interfaces.invalidateAddresses(link.luid);
    }
    this.#look(links);
  }

  /** Stops watching the link of a session. */
  forget(sessionId: string): void {
    const link = this.#links.get(sessionId);
    if (link === undefined) return;
    this.#links.delete(sessionId);
    this.#byLuid.delete(link.luid, link);
    this.#byDevice.delete(link.deviceAddress, link);
    this.#due.delete(link);
    if (this.#byLuid.get(link.luid).size === 0) this.#interfaces.forget(link.luid);
  }

  /** Reads every link anew. */
  look(): void {
    this.#lookAnew([...this.#links.values()]);
  }

  async close(): Promise<void> {
    this.#closed.abort();
    clearTimeout(this.#timer);
    this.#links.clear();
    this.#due.clear();
    this.#addressless.clear();
    await Promise.all([this.#looking, this.#reading]);
    await this.#interfaces.close();
  }

  /** Looks at these links, and believes nothing that was read before. */
  #lookAnew(links: readonly Link[]): void {
    for (const { luid } of links) {
      this.#interfaces.invalidate(luid);
      this.#interfaces.invalidateAddresses(luid);
    }
    this.#look(links);
  }

  /** Looks at these links now, or right after the look that is running. */
  #look(links: Iterable<Link>): void {
    for (const link of links) this.#due.add(link);
    if (this.#isClosed || this.#looking !== undefined || this.#due.size === 0) return;
    this.#looking = this.#timed(this.#lookAtDue()).finally(() => {
      this.#looking = undefined;
      this.#look([]);
    });
    this.#timer ??= this.#setPoll(this.#pollMs);
  }

  get #isClosed(): boolean {
    return this.#closed.signal.aborted;
  }

  async #timed(work: Promise<void>): Promise<void> {
    const startMs = performance.now();
    await work;
    this.#spentMs += performance.now() - startMs;
  }

  #setPoll(delayMs: number): NodeJS.Timeout {
    return setTimeout(() => this.#poll(), delayMs).unref();
  }

  #poll(): void {
    this.#spentMs = 0;
    this.#isPollDue = true;
    this.#lookAnew(this.#nextToPoll());
    void this.#afterPoll();
  }

  /** The next poll is set when it is known what this one has cost. */
  async #afterPoll(): Promise<void> {
    // If a look was running, the look of the poll begins after it.
    if (this.#isPollDue) await this.#looking;
    await this.#looking;
    await this.#reading;
    const delayMs = Math.max(this.#pollMs, this.#restMs(this.#spentMs, POLL_SHARE));
    this.#timer = this.#links.size === 0 ? undefined : this.#setPoll(delayMs);
  }

  /** With few links, what is read for all of them costs little however often it is read. */
  #restMs(spentMs: number, share: number): number {
    return this.#links.size > POLLED_MAX ? restMs(spentMs, share) : 0;
  }

  /** The next slice of all links, in turn. */
  #nextToPoll(): Link[] {
    const slice: Link[] = [];
    while (slice.length < Math.min(POLLED_MAX, this.#links.size)) {
      this.#polled ??= this.#links.values();
      const { value, done } = this.#polled.next();
      if (done === true) this.#polled = undefined;
      else slice.push(value);
    }
    return slice;
  }

  async #lookAtDue(): Promise<void> {
    // Windows notifies of one change several times in a row, and one look covers all of them.
    await endOfTurn();
    const due = this.#due;
    const isPoll = this.#isPollDue;
    this.#due = new Set();
    this.#isPollDue = false;
    const readings = await this.#readInterfaces(due);
    const assessed = (link: Link, { status }: InterfaceReading) => {
      const { deviceAddress, openedMs, isClosing } = link;
      const age = { isSettled: awakeClock.nowMs() - openedMs > SETTLE_MS, isClosing };
      return assess(link.observation, status, this.#table.devices?.get(deviceAddress), age);
    };
    // The notification about a device can be late or missing. So the poll reads the devices, and so
    // does a look that finds a contradiction.
    if (isPoll || [...readings].some(([link, reading]) => assessed(link, reading).observation.needsSecondLook)) {
      await this.#table.refresh(new Set([...due].map(({ deviceAddress }) => deviceAddress)));
    }
    for (const link of due) {
      const reading = readings.get(link);
      if (reading === undefined || !this.#isWatched(link)) continue;
      const { observation, evidence } = assessed(link, reading);
      link.observation = observation;
      if (observation.needsSecondLook) this.#interfaces.invalidate(link.luid);
      link.reading = reading;
      if (evidence !== undefined) {
        link.isDown = true;
        link.listener.onDown(evidence);
      } else this.#addressless.add(link);
    }
    this.#addresses();
  }

  /** Reads the addresses of the links that wait for them, after the read that is running. */
  #addresses(): void {
    if (this.#isClosed || this.#reading !== undefined || this.#addressless.size === 0) return;
    this.#reading = this.#readAddresses().finally(() => {
      this.#reading = undefined;
      this.#addresses();
    });
  }

  async #readAddresses(): Promise<void> {
    const leftMs = this.#restUntilMs - performance.now();
    if (leftMs > 0) await sleep(leftMs, undefined, { signal: this.#closed.signal }).catch(() => {});
    // Nobody needs the addresses of a link that is being closed.
    const links = [...this.#addressless].filter(({ isClosing, isDown }) => !isClosing && !isDown);
    this.#addressless = new Set();
    const startMs = performance.now();
    const tablesOf = await this.#interfaces.addresses(new Set(links.map(({ luid }) => luid)));
    const spentMs = performance.now() - startMs;
    this.#spentMs += spentMs;
    this.#restUntilMs = performance.now() + this.#restMs(spentMs, TABLES_SHARE);
    if (tablesOf === undefined) return;
    for (const link of links) this.#reportChange(link, tablesOf(link.luid));
  }

  #isWatched(link: Link): boolean {
    return this.#byDevice.get(link.deviceAddress).has(link);
  }

  /**
   * Reads the interfaces of these links, each once. Links that are known to be down are left out.
   */
  async #readInterfaces(due: ReadonlySet<Link>): Promise<ReadonlyMap<Link, InterfaceReading>> {
    const byGuid = new Map<string, InterfaceReading>();
    const readings = new Map<Link, InterfaceReading>();
    for (const link of [...due].filter(({ isDown }) => !isDown)) {
      const { guid } = link.networkInterface;
      const reading = byGuid.get(guid) ?? (await this.#interfaces.read(guid, link.luid));
      byGuid.set(guid, reading);
      readings.set(link, reading);
      if (link.luid !== reading.luid && this.#isWatched(link)) {
        this.#byLuid.delete(link.luid, link);
        this.#byLuid.add(reading.luid, link);
      }
      link.luid = reading.luid;
    }
    return readings;
  }

  /**
   * Reports the interface if it has changed. An interface that is down or does not exist is not
   * reported.
   */
  #reportChange(link: Link, tables: AddressTables): void {
    const { deviceAddress, networkInterface: before, reading } = link;
    if (reading === undefined || link.isDown || link.isClosing || !this.#isWatched(link)) return;
    const { luid, status, row } = reading;
    if (luid === 0n || (status !== 'UP' && status !== 'UNKNOWN')) return;
    const isShared = this.#byLuid.get(luid).size > 1;
    const interfaceAddress = this.#table.devices?.get(deviceAddress)?.interfaceAddress;
    const now: NetworkInterface = {
      guid: before.guid,
      luid,
      index: row?.InterfaceIndex ?? before.index,
      alias: row?.Alias ?? before.alias,
      localAddresses: localAddresses(tables, luid),
      peerAddresses: peerAddresses(tables, luid, interfaceAddress, isShared),
    };
    if (isDeepStrictEqual(now, before)) return;
    link.networkInterface = now;
    link.listener.onChanged(now);
  }
}

/** How long to rest after work, so that this work takes no more than its share of the time. */
export function restMs(spentMs: number, share: number): number {
  return Math.min((spentMs * (1 - share)) / share, REST_MAX_MS);
}
