/**
 * The paired devices as Windows knows them: a device query that stays open, copied into a table and told as changes. What it tells may
 * come late, so whoever must know reads the devices at once, with `refresh`.
 *
 * The query is created anew, with a fresh table, when the system aborts it. The rule that must not be broken: a query is closed from the
 * event loop, asynchronously, never from within its callback.
 */
import { type Observable, Subject } from 'rxjs';
import {
  type Cfgmgr32,
  type DevObject,
  type DevQueryHandle,
  type DevQueryResult,
  devQueryResultCallbacks,
  findProperty,
} from '../../native/cfgmgr32.js';
import * as c from '../../native/constants.js';
import { macFromBytes, macToBytes } from '../../native/types.js';
import type { DeviceChange, DeviceProperties } from './driver.js';
import type { NativeCalls } from './native-calls.js';

const properties = [
  c.DEVPKEY_WiFiDirect_DeviceAddress,
  c.DEVPKEY_WiFiDirect_InterfaceAddress,
  c.DEVPKEY_WiFiDirect_InterfaceGuid,
  c.DEVPKEY_WiFiDirect_IsConnected,
  c.DEVPKEY_WiFiDirect_IsVisible,
  c.DEVPKEY_WiFiDirect_IsLegacyDevice,
  c.DEVPKEY_WiFiDirect_LinkQuality,
  c.DEVPKEY_WiFiDirect_GroupId,
  c.DEVPKEY_NAME,
] as const;

const isPairedDevice = {
  Operator: c.DEVPROP_OPERATOR_EXISTS,
  Property: { Key: c.DEVPKEY_WiFiDirect_DeviceAddress, Type: c.DEVPROP_TYPE_EMPTY, Value: null },
};

const isDevice = (address: string) => ({
  Operator: c.DEVPROP_OPERATOR_EQUALS,
  Property: { Key: c.DEVPKEY_WiFiDirect_DeviceAddress, Type: c.DEVPROP_TYPE_BINARY, Value: macToBytes(address) },
});

/** How long the next query waits: doubled with each that comes to nothing. */
export interface DeviceTableSettings {
  readonly reopenBackoffMinMs: number;
  readonly reopenBackoffMaxMs: number;
}

/** How often a read is repeated that the query has overtaken. */
const READS_MAX = 3;

export class DeviceTable {
  readonly #cfgmgr32: Cfgmgr32;
  readonly #calls: NativeCalls;
  readonly #settings: DeviceTableSettings;
  readonly #changes = new Subject<DeviceChange>();
  readonly #devices = new Map<string, DeviceProperties>();
  /** Object id → device address: an update or a removal need not carry the address. */
  readonly #addresses = new Map<string, string>();
  /** Addresses not seen again since the query was created anew. */
  #stale = new Set<string>();
  #query: { readonly handle: DevQueryHandle; readonly context: bigint } | undefined;
  #creating: Promise<void> | undefined;
  /** How many results the query has told. */
  #results = 0;
  #enumerated: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #backoffMs: number;
  #isKnown = false;
  #isClosed = false;

  constructor(cfgmgr32: Cfgmgr32, calls: NativeCalls, settings: DeviceTableSettings) {
    this.#cfgmgr32 = cfgmgr32;
    this.#calls = calls;
    this.#settings = settings;
    this.#backoffMs = settings.reopenBackoffMinMs;
  }

  get changes(): Observable<DeviceChange> {
    return this.#changes;
  }

  /** By device address; undefined until the first enumeration is complete. */
  get devices(): ReadonlyMap<string, DeviceProperties> | undefined {
    return this.#isKnown ? this.#devices : undefined;
  }

  /** Resolves when the devices that are there have been told, or the query could not be created. */
  start(): Promise<void> {
    return new Promise((resolve) => {
      this.#enumerated = resolve;
      this.#creating = this.#create();
    });
  }

  /** Brings the table, or these devices, up to what Windows says now; leaves it as it is where Windows does not say. */
  async refresh(of?: ReadonlySet<string>): Promise<void> {
    const [first, ...others] = of ?? [];
    const filter = first === undefined || others.length > 0 ? isPairedDevice : isDevice(first);
    for (let reads = 0; reads < READS_MAX; reads += 1) {
      const before = this.#results;
      // Also one that is not known yet.
      const isWanted = (objectId: string) => {
        const address = this.#addresses.get(objectId);
        return of === undefined || address === undefined || of.has(address);
      };
      const read = await this.#calls.ask('DevGetObjects', () =>
        this.#cfgmgr32.DevGetObjects(c.DevObjectTypeDevice, c.DevQueryFlagNone, properties, [filter], isWanted),
      );
      if (read?.code !== c.winerror.ERROR_SUCCESS || !this.#isKnown) return;
      // What the query has told meanwhile may be newer than what was read.
      if (this.#results !== before) continue;
      this.#adopt(read.Objects, of);
      return;
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#creating;
    await this.#discard();
  }

  async #create(): Promise<void> {
    this.#stale = new Set(this.#devices.keys());
    let isDead = false;
    const context = devQueryResultCallbacks.registerContext((result) => {
      if (isDead) return;
      // An aborted query says nothing more, and is closed outside of its callback.
      isDead = result.Action === c.DevQueryResultStateChange && result.State === c.DevQueryStateAborted;
      if (isDead) this.#again();
      else this.#apply(result);
    });
    const { DevCreateObjectQuery } = this.#cfgmgr32;
    const { code, hDevQuery } = await this.#calls
      .run('look', 'DevCreateObjectQuery', () =>
        DevCreateObjectQuery(c.DevObjectTypeDevice, c.DevQueryFlagUpdateResults, properties, [isPairedDevice], context),
      )
      .catch(() => ({ code: c.winerror.ERROR_PROC_NOT_FOUND, hDevQuery: undefined }));
    if (code !== c.winerror.ERROR_SUCCESS || hDevQuery === undefined) {
      devQueryResultCallbacks.forgetContext(context);
      this.#enumerated?.();
      this.#again();
      return;
    }
    this.#query = { handle: hDevQuery, context };
  }

  #again(): void {
    if (this.#isClosed) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#recreate(), this.#backoffMs);
    this.#timer.unref();
    this.#backoffMs = Math.min(this.#backoffMs * 2, this.#settings.reopenBackoffMaxMs);
  }

  async #recreate(): Promise<void> {
    // A query may be aborted before the call that created it has returned.
    await this.#creating;
    await this.#discard();
    if (!this.#isClosed) this.#creating = this.#create();
  }

  async #discard(): Promise<void> {
    const query = this.#query;
    this.#query = undefined;
    if (query === undefined) return;
    await this.#calls.run('end', 'DevCloseObjectQuery', async () => {
      await this.#cfgmgr32.DevCloseObjectQuery(query.handle);
      return { code: c.winerror.ERROR_SUCCESS };
    });
    devQueryResultCallbacks.forgetContext(query.context);
  }

  #apply(result: DevQueryResult): void {
    this.#results += 1;
    if (result.Action === c.DevQueryResultStateChange) {
      if (result.State !== c.DevQueryStateEnumCompleted) return;
      for (const address of this.#stale) this.#remove(address);
      this.#isKnown = true;
      this.#backoffMs = this.#settings.reopenBackoffMinMs;
      this.#enumerated?.();
      return;
    }
    const { DeviceObject } = result;
    if (result.Action === c.DevQueryResultRemove) {
      const address = this.#addresses.get(DeviceObject.ObjectId);
      if (address !== undefined) this.#remove(address);
      return;
    }
    this.#put(DeviceObject);
  }

  /** These are all, or all of those. */
  #adopt(objects: readonly DevObject[], of: Iterable<string> = this.#devices.keys()): void {
    const gone = new Set(of);
    for (const object of objects) gone.delete(this.#put(object) ?? '');
    for (const address of gone) this.#remove(address);
  }

  /** The address of the device, if it has one. */
  #put(object: DevObject): string | undefined {
    const address = addressOf(object) ?? this.#addresses.get(object.ObjectId);
    if (address === undefined) return undefined;
    this.#addresses.set(object.ObjectId, address);
    this.#stale.delete(address);
    const before = this.#devices.get(address);
    const device = toDevice(address, object, before);
    if (before === undefined || !isSame(before, device)) {
      this.#devices.set(address, device);
      this.#changes.next({ type: before === undefined ? 'ADDED' : 'CHANGED', device });
    }
    return address;
  }

  #remove(address: string): void {
    const device = this.#devices.get(address);
    if (device === undefined) return;
    this.#devices.delete(address);
    for (const [id, of] of this.#addresses) if (of === address) this.#addresses.delete(id);
    this.#changes.next({ type: 'REMOVED', device });
  }
}

function addressOf(object: DevObject): string | undefined {
  const bytes = findProperty(object, c.DEVPKEY_WiFiDirect_DeviceAddress);
  return Buffer.isBuffer(bytes) && bytes.length === 6 ? macFromBytes(bytes) : undefined;
}

/** An update carries all requested properties, or those that changed: one that is not there at all is as it was. */
function toDevice(address: string, object: DevObject, before: DeviceProperties | undefined): DeviceProperties {
  const read = <T>(key: c.DevPropKey, is: (value: unknown) => value is T, was: T | undefined): T | undefined => {
    const value = findProperty(object, key);
    if (value === undefined) return was;
    return is(value) ? value : undefined;
  };
  const interfaceAddress = read(
    c.DEVPKEY_WiFiDirect_InterfaceAddress,
    (value): value is Buffer => Buffer.isBuffer(value) && value.length === 6,
    undefined,
  );
  const keepsAddress = findProperty(object, c.DEVPKEY_WiFiDirect_InterfaceAddress) === undefined;
  return {
    address,
    name: read(c.DEVPKEY_NAME, isString, before?.name) ?? '',
    isConnected: read(c.DEVPKEY_WiFiDirect_IsConnected, isBoolean, before?.isConnected),
    isVisible: read(c.DEVPKEY_WiFiDirect_IsVisible, isBoolean, before?.isVisible),
    isLegacy: read(c.DEVPKEY_WiFiDirect_IsLegacyDevice, isBoolean, before?.isLegacy),
    linkQuality: read(c.DEVPKEY_WiFiDirect_LinkQuality, isNumber, before?.linkQuality),
    interfaceGuid: read(c.DEVPKEY_WiFiDirect_InterfaceGuid, isString, before?.interfaceGuid),
    groupId: read(c.DEVPKEY_WiFiDirect_GroupId, isString, before?.groupId),
    interfaceAddress: keepsAddress ? before?.interfaceAddress : interfaceAddress && macFromBytes(interfaceAddress),
  };
}

const isString = (value: unknown): value is string => typeof value === 'string';
const isBoolean = (value: unknown): value is boolean => typeof value === 'boolean';
const isNumber = (value: unknown): value is number => typeof value === 'number';

function isSame(a: DeviceProperties, b: DeviceProperties): boolean {
  return (Object.keys(a) as (keyof DeviceProperties)[]).every((key) => a[key] === b[key]);
}
