/**
 * Watches the links of open sessions: whether they are up, and which addresses they have. It looks
 * whenever Windows notifies of a change. A slow poll backs this up, because no document promises
 * that Windows notifies of every change.
 *
 * A look covers only the links that may have changed: a notification names an interface, and a
 * change names a device. The poll covers a slice of the links at a time. So the cost of one session
 * does not grow with the number of sessions. Looks never overlap, and each reads an interface once.
 *
 * Invariant: a link is reported down once, with the evidence, and never from within a native
 * callback.
 */
import { isDeepStrictEqual } from 'node:util';
import { AF_UNSPEC, winerror } from '../../native/constants.js';
import {
  type Iphlpapi,
  ipInterfaceChangeCallbacks,
  type NotificationHandle,
  unicastIpAddressChangeCallbacks,
} from '../../native/iphlpapi.js';
import type { InterfaceRow } from '../../native/netioapi.js';
import { awakeClock } from '../awake-clock.js';
import { Multimap } from '../multimap.js';
import { type GiveBack, once } from '../once.js';
import type { DisconnectEvidence, NetworkInterface } from '../session/session.js';
import { type AddressTables, byInterface, localAddresses, peerAddresses, readAddressTables } from './addresses.js';
import type { DeviceTable } from './device-table.js';
import type { DeviceProperties } from './driver.js';
import {
  assess,
  type InterfaceStatus,
  initialObservation,
  interfaceStatus,
  type LinkObservation,
} from './link-evidence.js';
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
  isClosing: boolean;
  isDown: boolean;
}

/** What one look has read about an interface. */
interface InterfaceReading {
  readonly luid: bigint;
  readonly status: InterfaceStatus;
  /** Undefined if the interface does not exist or could not be read. */
  readonly row: InterfaceRow | undefined;
}

/**
 * How long an interface can take to appear and to come up after the open has succeeded. No document
 * gives a bound (D-72).
 */
const SETTLE_MS = 3000;
/** How many links one poll covers. */
const POLLED_MAX = 64;
const NO_GUID = '00000000-0000-0000-0000-000000000000';

/** The paired devices as they are known, and a way to read them again. */
type Devices = Pick<DeviceTable, 'devices' | 'refresh'>;

/** One registration for notifications. */
interface Registration {
  readonly handle: NotificationHandle;
  readonly forget: GiveBack;
}

export class LinkWatch {
  readonly #iphlpapi: Iphlpapi;
  readonly #calls: NativeCalls;
  readonly #pollMs: number;
  readonly #table: Devices;
  readonly #links = new Map<string, Link>();
  readonly #byLuid = new Multimap<bigint, Link>();
  readonly #byDevice = new Multimap<string, Link>();
  /** The links that the next look covers. */
  #due = new Set<Link>();
  #isPollDue = false;
  #polled: Iterator<Link> | undefined;
  #registering: Promise<unknown> | undefined;
  #registrations: Registration[] = [];
  #looking: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(iphlpapi: Iphlpapi, calls: NativeCalls, pollMs: number, table: Devices) {
    this.#iphlpapi = iphlpapi;
    this.#calls = calls;
    this.#pollMs = pollMs;
    this.#table = table;
  }

  /** Registers for notifications. If Windows refuses them, the poll still finds every change. */
  async start(): Promise<void> {
    const { NotifyIpInterfaceChange, NotifyUnicastIpAddressChange } = this.#iphlpapi;
    this.#registering = Promise.all([
      this.#register(ipInterfaceChangeCallbacks, NotifyIpInterfaceChange),
      this.#register(unicastIpAddressChangeCallbacks, NotifyUnicastIpAddressChange),
    ]);
    await this.#registering;
  }

  /** Reads the interface that has a GUID. Only the GUID is set if Windows does not answer soon. */
  async resolve(guid: string): Promise<NetworkInterface> {
    const { luid, row } = await this.#readInterface(guid, 0n);
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
  }

  /** Looks at every link. */
  look(): void {
    this.#look(this.#links.values());
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#links.clear();
    this.#due.clear();
    await Promise.all([this.#looking, this.#registering]);
    for (const { handle, forget } of this.#registrations) {
      await this.#calls.run('end', 'CancelMibChangeNotify2', () => this.#iphlpapi.CancelMibChangeNotify2(handle));
      forget();
    }
    this.#registrations = [];
  }

  async #register(
    callbacks: typeof ipInterfaceChangeCallbacks,
    notify: Iphlpapi['NotifyIpInterfaceChange'],
  ): Promise<void> {
    // Links whose interface is not known yet (LUID 0) may be concerned as well.
    const context = callbacks.registerContext(({ Row }) =>
      this.#look(
        Row === null ? this.#links.values() : [...this.#byLuid.get(Row.InterfaceLuid), ...this.#byLuid.get(0n)],
      ),
    );
    const forget = once(() => callbacks.forgetContext(context));
    const registered = await notify(AF_UNSPEC, context, false).catch(() => undefined);
    if (registered?.code === winerror.ERROR_SUCCESS) {
      this.#registrations.push({ handle: registered.NotificationHandle, forget });
    } else forget();
  }

  /** Looks at these links now, or right after the look that is running. */
  #look(links: Iterable<Link>): void {
    for (const link of links) this.#due.add(link);
    if (this.#isClosed || this.#looking !== undefined || this.#due.size === 0) return;
    const due = this.#due;
    const isPoll = this.#isPollDue;
    this.#due = new Set();
    this.#isPollDue = false;
    this.#looking = this.#lookAt(due, isPoll).finally(() => {
      this.#looking = undefined;
      this.#look([]);
    });
    this.#timer ??= setTimeout(() => this.#poll(), this.#pollMs).unref();
  }

  #poll(): void {
    this.#timer = this.#links.size === 0 ? undefined : setTimeout(() => this.#poll(), this.#pollMs).unref();
    this.#isPollDue = true;
    this.#look(this.#nextToPoll());
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

  async #lookAt(due: ReadonlySet<Link>, isPoll: boolean): Promise<void> {
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
    // Nobody needs the addresses of a link that is being closed.
    const luids = new Set([...due].filter(({ isClosing }) => !isClosing).map(({ luid }) => luid));
    const tables = luids.size > 0 ? await readAddressTables(this.#iphlpapi, this.#calls, luids) : undefined;
    const tablesOf = tables && byInterface(tables);
    for (const link of due) {
      const reading = readings.get(link);
      if (reading === undefined || !this.#isWatched(link)) continue;
      const { observation, evidence } = assessed(link, reading);
      link.observation = observation;
      if (evidence !== undefined) {
        link.isDown = true;
        link.listener.onDown(evidence);
      } else if (tablesOf !== undefined) this.#reportChange(link, reading, tablesOf(reading.luid));
    }
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
      const reading = byGuid.get(guid) ?? (await this.#readInterface(guid, link.luid));
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
   * Asks for the LUID only if it is not known: Windows forgets the GUID of an interface that is
   * gone.
   */
  async #readInterface(guid: string, knownLuid: bigint): Promise<InterfaceReading> {
    const { ConvertInterfaceGuidToLuid, GetIfEntry2 } = this.#iphlpapi;
    let luid = knownLuid;
    if (luid === 0n) {
      const converted = await this.#calls.ask('ConvertInterfaceGuidToLuid', () => ConvertInterfaceGuidToLuid(guid));
      if (converted === undefined || guid === NO_GUID) return { luid, status: 'UNKNOWN', row: undefined };
      if (converted.code !== winerror.ERROR_SUCCESS) return { luid, status: 'ABSENT', row: undefined };
      luid = converted.InterfaceLuid;
    }
    const read = await this.#calls.ask('GetIfEntry2', () => GetIfEntry2(luid));
    if (read === undefined) return { luid, status: 'UNKNOWN', row: undefined };
    const status = interfaceStatus(read.code, read.Row);
    return { luid, status, row: read.code === winerror.ERROR_SUCCESS ? read.Row : undefined };
  }

  /**
   * Reports the interface if it has changed. An interface that is down or does not exist is not
   * reported.
   */
  #reportChange(link: Link, { luid, status, row }: InterfaceReading, tables: AddressTables): void {
    if (luid === 0n || (status !== 'UP' && status !== 'UNKNOWN')) return;
    const { deviceAddress, networkInterface: before } = link;
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
