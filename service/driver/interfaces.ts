/**
 * The interfaces and addresses of the host as Windows has last shown them. What was read stays true
 * until Windows notifies of a change, so it is read once for each change and not for each look.
 *
 * Nothing is kept unless Windows has granted both notifications. The neighbours of an interface
 * change without a notification, so the caller says when they may have changed.
 *
 * Invariant: what was read before a change is never kept after it.
 */
import { AF_UNSPEC, winerror } from '../../native/constants.js';
import {
  type Iphlpapi,
  ipInterfaceChangeCallbacks,
  type NotificationHandle,
  unicastIpAddressChangeCallbacks,
} from '../../native/iphlpapi.js';
import type { InterfaceRow } from '../../native/netioapi.js';
import { type GiveBack, once } from '../once.js';
import { type AddressTables, byInterface, readAddressTables } from './addresses.js';
import { type InterfaceStatus, interfaceStatus } from './link-evidence.js';
import type { NativeCalls } from './native-calls.js';

/** What is known about an interface. */
export interface InterfaceReading {
  /** 0 if it is not known. */
  readonly luid: bigint;
  readonly status: InterfaceStatus;
  /** Undefined if the interface does not exist or could not be read. */
  readonly row: InterfaceRow | undefined;
}

/** One registration for notifications. */
interface Registration {
  readonly handle: NotificationHandle;
  readonly forget: GiveBack;
}

const NO_GUID = '00000000-0000-0000-0000-000000000000';
const NOTIFICATIONS = 2;
const NO_ADDRESSES: AddressTables = { local: [], neighbours: [] };

export class Interfaces {
  readonly #iphlpapi: Iphlpapi;
  readonly #calls: NativeCalls;
  readonly #onChanged: (luid: bigint | undefined) => void;
  readonly #readings = new Kept<InterfaceReading>();
  readonly #addresses = new Kept<AddressTables>();
  #registering: Promise<unknown> | undefined;
  #registrations: Registration[] = [];

  /** `onChanged` is called with the LUID of the interface; undefined if any may have changed. */
  constructor(iphlpapi: Iphlpapi, calls: NativeCalls, onChanged: (luid: bigint | undefined) => void) {
    this.#iphlpapi = iphlpapi;
    this.#calls = calls;
    this.#onChanged = onChanged;
  }

  /** Registers for notifications. If Windows refuses them, every read asks Windows. */
  async start(): Promise<void> {
    const { NotifyIpInterfaceChange, NotifyUnicastIpAddressChange } = this.#iphlpapi;
    this.#registering = Promise.all([
      this.#register(ipInterfaceChangeCallbacks, NotifyIpInterfaceChange, this.#readings),
      this.#register(unicastIpAddressChangeCallbacks, NotifyUnicastIpAddressChange, this.#addresses),
    ]);
    await this.#registering;
  }

  async close(): Promise<void> {
    await this.#registering;
    for (const { handle, forget } of this.#registrations) {
      await this.#calls.run('end', 'CancelMibChangeNotify2', () => this.#iphlpapi.CancelMibChangeNotify2(handle));
      forget();
    }
    this.#registrations = [];
  }

  /** The interface may have changed: the next read asks Windows. */
  invalidate(luid: bigint): void {
    this.#readings.invalidate(luid);
  }

  /** The addresses at either end of the interface may have changed. */
  invalidateAddresses(luid: bigint): void {
    this.#addresses.invalidate(luid);
  }

  /** Nobody needs the interface any more. */
  forget(luid: bigint): void {
    this.#readings.invalidate(luid);
    this.#addresses.invalidate(luid);
  }

  /**
   * The interface with this GUID. `knownLuid` is 0 if its LUID is not known. Windows forgets the
   * GUID of an interface that is gone, so the LUID is asked for only once.
   */
  async read(guid: string, knownLuid: bigint): Promise<InterfaceReading> {
    const { ConvertInterfaceGuidToLuid, GetIfEntry2 } = this.#iphlpapi;
    let luid = knownLuid;
    if (luid === 0n) {
      const converted = await this.#calls.ask('ConvertInterfaceGuidToLuid', () => ConvertInterfaceGuidToLuid(guid));
      if (converted === undefined || guid === NO_GUID) return { luid, status: 'UNKNOWN', row: undefined };
      if (converted.code !== winerror.ERROR_SUCCESS) return { luid, status: 'ABSENT', row: undefined };
      luid = converted.InterfaceLuid;
    }
    const known = this.#readings.get(luid);
    if (known !== undefined) return known;
    const keep = this.#readings.begin([luid]);
    const read = await this.#calls.ask('GetIfEntry2', () => GetIfEntry2(luid));
    if (read === undefined) return { luid, status: 'UNKNOWN', row: undefined };
    const status = interfaceStatus(read.code, read.Row);
    const reading = { luid, status, row: read.code === winerror.ERROR_SUCCESS ? read.Row : undefined };
    if (this.#isNotified && status !== 'UNKNOWN') keep(luid, reading);
    return reading;
  }

  /** The addresses at both ends of these interfaces; undefined if Windows does not answer. */
  async addresses(luids: ReadonlySet<bigint>): Promise<((luid: bigint) => AddressTables) | undefined> {
    const known = new Map<bigint, AddressTables>();
    for (const luid of luids) {
      const tables = this.#addresses.get(luid);
      if (tables !== undefined) known.set(luid, tables);
    }
    const unknown = new Set([...luids].filter((luid) => !known.has(luid)));
    if (unknown.size > 0) {
      const keep = this.#addresses.begin(unknown);
      const tables = await readAddressTables(this.#iphlpapi, this.#calls, unknown);
      if (tables === undefined) return undefined;
      const tablesOf = byInterface(tables);
      for (const luid of unknown) {
        known.set(luid, tablesOf(luid));
        if (this.#isNotified) keep(luid, tablesOf(luid));
      }
    }
    return (luid) => known.get(luid) ?? NO_ADDRESSES;
  }

  get #isNotified(): boolean {
    return this.#registrations.length === NOTIFICATIONS;
  }

  async #register(
    callbacks: typeof ipInterfaceChangeCallbacks,
    notify: Iphlpapi['NotifyIpInterfaceChange'],
    concerned: Pick<Kept<never>, 'invalidate' | 'clear'>,
  ): Promise<void> {
    const context = callbacks.registerContext(({ Row }) => {
      if (Row === null) concerned.clear();
      else concerned.invalidate(Row.InterfaceLuid);
      this.#onChanged(Row?.InterfaceLuid);
    });
    const forget = once(() => callbacks.forgetContext(context));
    const registered = await notify(AF_UNSPEC, context, false).catch(() => undefined);
    if (registered?.code === winerror.ERROR_SUCCESS) {
      this.#registrations.push({ handle: registered.NotificationHandle, forget });
    } else forget();
  }
}

/** What was read, by LUID. A read that was overtaken by a change is not kept. */
class Kept<T> {
  readonly #values = new Map<bigint, T>();
  /** The reads that are running, by LUID: a change takes them out. */
  readonly #running = new Map<bigint, object>();

  get(luid: bigint): T | undefined {
    return this.#values.get(luid);
  }

  /** A read begins. Call the function that it returns with each result. */
  begin(luids: Iterable<bigint>): (luid: bigint, value: T) => void {
    const read = {};
    for (const luid of luids) this.#running.set(luid, read);
    return (luid, value) => {
      if (this.#running.get(luid) !== read) return;
      this.#running.delete(luid);
      this.#values.set(luid, value);
    };
  }

  invalidate(luid: bigint): void {
    this.#values.delete(luid);
    this.#running.delete(luid);
  }

  clear(): void {
    this.#values.clear();
    this.#running.clear();
  }
}
