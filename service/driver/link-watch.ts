/**
 * Is this session's link still up, and which addresses has it? Looked at whenever Windows notifies of a change, and by a slow poll
 * behind it, since no document promises a notification.
 *
 * One look reads each interface once, whatever the number of links, and looks never overlap. The rule that must not be broken: a
 * link is reported down once, with the evidence, and never from within a native callback.
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
import type { DisconnectEvidence, NetworkInterface } from '../session/session.js';
import { type AddressTables, localAddresses, peerAddresses, readAddressTables } from './addresses.js';
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
  /** On the clock of `performance.now`. */
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
const NO_GUID = '00000000-0000-0000-0000-000000000000';

/** The paired devices: as last told, and as they are now. */
type Devices = Pick<DeviceTable, 'devices' | 'refresh'>;

/** The two notifications, and how each is asked for. */
interface Registration {
  readonly handle: NotificationHandle;
  readonly forget: () => void;
}

export class LinkWatch {
  readonly #iphlpapi: Iphlpapi;
  readonly #calls: NativeCalls;
  readonly #pollMs: number;
  readonly #table: Devices;
  readonly #links = new Map<string, Link>();
  #registrations: Registration[] = [];
  #looking: Promise<void> | undefined;
  #lookAgain = false;
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
    await Promise.all([
      this.#register(ipInterfaceChangeCallbacks, NotifyIpInterfaceChange),
      this.#register(unicastIpAddressChangeCallbacks, NotifyUnicastIpAddressChange),
    ]);
  }

  /** What the interface of a GUID is; only the GUID where Windows can't say, or not soon. */
  async resolve(guid: string): Promise<NetworkInterface> {
    const { luid, row } = await this.#see(guid, 0n);
    const { InterfaceIndex: index = 0, Alias: alias = '' } = row ?? {};
    return { guid, luid, index, alias, localAddresses: [], peerAddresses: [] };
  }

  watch(sessionId: string, deviceAddress: string, networkInterface: NetworkInterface, listener: LinkListener): void {
    const { luid } = networkInterface;
    const openedMs = performance.now();
    const wasConnected = this.#table.devices?.get(deviceAddress)?.isConnected === true;
    const now = { sight: { ...freshSight, wasConnected }, isClosing: false, isDown: false };
    this.#links.set(sessionId, { deviceAddress, listener, openedMs, luid, networkInterface, ...now });
    this.look();
  }

  /** Windows has been told to close the session. */
  closing(sessionId: string): void {
    const link = this.#links.get(sessionId);
    if (link !== undefined) link.isClosing = true;
    this.look();
  }

  /** A device has changed. That it was connected is kept, as it may no longer be so when its link is looked at. */
  deviceChanged({ address, isConnected }: DeviceProperties): void {
    if (isConnected === true) {
      for (const link of this.#links.values()) {
        if (link.deviceAddress === address) link.sight = { ...link.sight, wasConnected: true };
      }
    }
    this.look();
  }

  forget(sessionId: string): void {
    this.#links.delete(sessionId);
  }

  /** Looks at every link, now or right after the look that is under way. */
  look(isPoll = false): void {
    if (this.#isClosed) return;
    if (this.#looking !== undefined) {
      this.#lookAgain = true;
      return;
    }
    clearTimeout(this.#timer);
    this.#looking = this.#lookAtAll(isPoll).finally(() => {
      this.#looking = undefined;
      const again = this.#lookAgain;
      this.#lookAgain = false;
      if (again) this.look();
      else this.#poll();
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#links.clear();
    await this.#looking;
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
    const context = callbacks.registerContext(() => this.look());
    const forget = () => callbacks.forgetContext(context);
    const registered = await notify(AF_UNSPEC, context, false).catch(() => undefined);
    if (registered?.code === winerror.ERROR_SUCCESS) {
      this.#registrations.push({ handle: registered.NotificationHandle, forget });
    } else forget();
  }

  #poll(): void {
    if (this.#isClosed || this.#links.size === 0) return;
    this.#timer = setTimeout(() => this.look(true), this.#pollMs);
    this.#timer.unref();
  }

  async #lookAtAll(isPoll: boolean): Promise<void> {
    if (this.#links.size === 0) return;
    const seen = await this.#seeAll();
    const judged = (link: Link, { sight }: Seen) => {
      const { deviceAddress, openedMs, isClosing } = link;
      const age = { isSettled: performance.now() - openedMs > SETTLE_MS, isClosing };
      return judge(link.sight, sight, this.#table.devices?.get(deviceAddress), age);
    };
    // The notification of a device may come late, or never: the poll asks, and so does a look that finds a contradiction.
    if (isPoll || [...seen].some(([link, each]) => judged(link, each).sight.isDoubted)) await this.#table.refresh();
    const tables = await readAddressTables(this.#iphlpapi, this.#calls);
    for (const link of this.#links.values()) {
      const each = seen.get(link);
      if (each === undefined) continue;
      const { sight, evidence } = judged(link, each);
      link.sight = sight;
      if (evidence !== undefined) {
        link.isDown = true;
        link.listener.down(evidence);
      } else if (tables !== undefined) this.#tell(link, each, tables);
    }
  }

  /** Every link that is not known to be down. Each interface is looked at once. */
  async #seeAll(): Promise<ReadonlyMap<Link, Seen>> {
    const interfaces = new Map<string, Seen>();
    const seen = new Map<Link, Seen>();
    for (const link of [...this.#links.values()].filter(({ isDown }) => !isDown)) {
      const { guid } = link.networkInterface;
      const each = interfaces.get(guid) ?? (await this.#see(guid, link.luid));
      interfaces.set(guid, each);
      seen.set(link, each);
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
    const isShared = [...this.#links.values()].some((other) => other !== link && other.luid === luid);
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
