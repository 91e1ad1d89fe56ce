/**
 * Is this session's link still up, and which addresses has it? Looked at whenever Windows notifies of a change, and by a slow poll
 * behind it, since no document promises a notification.
 *
 * A look is at the links that something concerns: a notification names an interface, a change a device; the poll takes a slice in
 * turn. So the cost of one session does not grow with the number of others. Looks never overlap, and each reads an interface once.
 * The rule that must not be broken: a link is reported down once, with the evidence, and never from within a native callback.
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
import { freshSight, type InterfaceSight, interfaceSight, judge, type LinkSight } from './link-evidence.js';
import type { NativeCalls } from './native-calls.js';

/** What a watched link has to tell. */
export interface LinkListener {
  down(evidence: DisconnectEvidence): void;
  changed(networkInterface: NetworkInterface): void;
}

interface Link {
  readonly deviceAddress: string;
  readonly listener: LinkListener;
  /** On the clock that stands still while the computer sleeps: meanwhile no link could come up. */
  readonly openedMs: number;
  /** 0 until Windows has told which interface the GUID names. */
  luid: bigint;
  /** As last told. */
  networkInterface: NetworkInterface;
  sight: LinkSight;
  isClosing: boolean;
  isDown: boolean;
}

/** What one look has seen of an interface. */
interface Seen {
  readonly luid: bigint;
  readonly sight: InterfaceSight;
  /** Undefined where it is not there, or Windows does not say. */
  readonly row: InterfaceRow | undefined;
}

/** An interface may come up, or even be there, only some time after the open has succeeded; no document bounds it. */
const SETTLE_MS = 3000;
/** How many links one poll looks at. */
const POLLED_MAX = 64;
const NO_GUID = '00000000-0000-0000-0000-000000000000';

/** The paired devices: as last told, and as they are now. */
type Devices = Pick<DeviceTable, 'devices' | 'refresh'>;

/** The two notifications, and how each is asked for. */
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
  /** To be looked at next. */
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

  /** Asks Windows for notifications. Without them the poll still finds everything. */
  async start(): Promise<void> {
    const { NotifyIpInterfaceChange, NotifyUnicastIpAddressChange } = this.#iphlpapi;
    this.#registering = Promise.all([
      this.#register(ipInterfaceChangeCallbacks, NotifyIpInterfaceChange),
      this.#register(unicastIpAddressChangeCallbacks, NotifyUnicastIpAddressChange),
    ]);
    await this.#registering;
  }

  /** What the interface of a GUID is; only the GUID where Windows can't say, or not soon. */
  async resolve(guid: string): Promise<NetworkInterface> {
    const { luid, row } = await this.#see(guid, 0n);
    const { InterfaceIndex: index = 0, Alias: alias = '' } = row ?? {};
    return { guid, luid, index, alias, localAddresses: [], peerAddresses: [] };
  }

  watch(sessionId: string, deviceAddress: string, networkInterface: NetworkInterface, listener: LinkListener): void {
    const { luid } = networkInterface;
    const openedMs = awakeClock.nowMs();
    const wasConnected = this.#table.devices?.get(deviceAddress)?.isConnected === true;
    const now = { sight: { ...freshSight, wasConnected }, isClosing: false, isDown: false };
    const link: Link = { deviceAddress, listener, openedMs, luid, networkInterface, ...now };
    this.#links.set(sessionId, link);
    this.#byLuid.add(luid, link);
    this.#byDevice.add(deviceAddress, link);
    this.#look([link]);
  }

  /** Windows has been told to close the session. */
  closing(sessionId: string): void {
    const link = this.#links.get(sessionId);
    if (link === undefined) return;
    link.isClosing = true;
    this.#look([link]);
  }

  /** A device has changed. That it was connected is kept, as it may no longer be so when its link is looked at. */
  deviceChanged({ address, isConnected }: DeviceProperties): void {
    const links = this.#byDevice.get(address);
    for (const link of links) {
      if (isConnected === true) link.sight = { ...link.sight, wasConnected: true };
    }
    this.#look(links);
  }

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
    // Those whose interface is not known yet may be meant as well.
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

  /** Now, or right after the look that is under way. */
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

  /** The next links in turn. */
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
    const seen = await this.#seeAll(due);
    const judged = (link: Link, { sight }: Seen) => {
      const { deviceAddress, openedMs, isClosing } = link;
      const age = { isSettled: awakeClock.nowMs() - openedMs > SETTLE_MS, isClosing };
      return judge(link.sight, sight, this.#table.devices?.get(deviceAddress), age);
    };
    // The notification of a device may come late, or never: the poll asks, and so does a look that finds a contradiction.
    if (isPoll || [...seen].some(([link, each]) => judged(link, each).sight.isDoubted)) {
      await this.#table.refresh(new Set([...due].map(({ deviceAddress }) => deviceAddress)));
    }
    // Who is closing has nothing to learn of addresses.
    const luids = new Set([...due].filter(({ isClosing }) => !isClosing).map(({ luid }) => luid));
    const tables = luids.size > 0 ? await readAddressTables(this.#iphlpapi, this.#calls, luids) : undefined;
    const tablesOf = tables && byInterface(tables);
    for (const link of due) {
      const each = seen.get(link);
      if (each === undefined || !this.#isWatched(link)) continue;
      const { sight, evidence } = judged(link, each);
      link.sight = sight;
      if (evidence !== undefined) {
        link.isDown = true;
        link.listener.down(evidence);
      } else if (tablesOf !== undefined) this.#tell(link, each, tablesOf(each.luid));
    }
  }

  #isWatched(link: Link): boolean {
    return this.#byDevice.get(link.deviceAddress).has(link);
  }

  /** Of these, every link that is not known to be down. Each interface is looked at once. */
  async #seeAll(due: ReadonlySet<Link>): Promise<ReadonlyMap<Link, Seen>> {
    const interfaces = new Map<string, Seen>();
    const seen = new Map<Link, Seen>();
    for (const link of [...due].filter(({ isDown }) => !isDown)) {
      const { guid } = link.networkInterface;
      const each = interfaces.get(guid) ?? (await this.#see(guid, link.luid));
      interfaces.set(guid, each);
      seen.set(link, each);
      if (link.luid !== each.luid && this.#isWatched(link)) {
        this.#byLuid.delete(link.luid, link);
        this.#byLuid.add(each.luid, link);
      }
      link.luid = each.luid;
    }
    return seen;
  }

  /** Asks for the LUID only where it is not known, as Windows forgets the GUID of an interface that is gone. */
  async #see(guid: string, knownLuid: bigint): Promise<Seen> {
    const { ConvertInterfaceGuidToLuid, GetIfEntry2 } = this.#iphlpapi;
    let luid = knownLuid;
    if (luid === 0n) {
      const converted = await this.#calls.ask('ConvertInterfaceGuidToLuid', () => ConvertInterfaceGuidToLuid(guid));
      if (converted === undefined || guid === NO_GUID) return { luid, sight: 'UNKNOWN', row: undefined };
      if (converted.code !== winerror.ERROR_SUCCESS) return { luid, sight: 'ABSENT', row: undefined };
      luid = converted.InterfaceLuid;
    }
    const read = await this.#calls.ask('GetIfEntry2', () => GetIfEntry2(luid));
    if (read === undefined) return { luid, sight: 'UNKNOWN', row: undefined };
    const sight = interfaceSight(read.code, read.Row);
    return { luid, sight, row: read.code === winerror.ERROR_SUCCESS ? read.Row : undefined };
  }

  /** Tells what has become known of the interface, or has changed. One that is down or not there has nothing to tell. */
  #tell(link: Link, { luid, sight, row }: Seen, tables: AddressTables): void {
    if (luid === 0n || (sight !== 'UP' && sight !== 'UNKNOWN')) return;
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
    link.listener.changed(now);
  }
}
