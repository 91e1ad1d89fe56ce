/**
 * The paired devices as Windows knows them: a device query that stays open, copied into a table and told as changes.
 * What it tells may come late, so whoever must know reads the devices at once, with `refresh`.
 *
 * Invariant: the table is not left as a read found it unless a query says the same. A query tells nothing of a change
 * that is undone before it came to tell it, and a read may have seen just that moment: such reads are repeated.
 *
 * The SDK header documents the properties on device nodes; WinRT documents them on device interfaces, by the canonical
 * address. So where no device node has them, the interfaces of paired devices are asked as well.
 */
import { BehaviorSubject, distinctUntilChanged, type Observable, Subject } from 'rxjs';
import type { Cfgmgr32, DevFilter, DevObject } from '../../native/cfgmgr32.js';
import * as c from '../../native/constants.js';
import { macToBytes } from '../../native/types.js';
import type { Fault } from '../fault.js';
import { DeviceNodes, isSame, nodeProperties } from './device-nodes.js';
import { DeviceQuery, type DeviceQuerySettings } from './device-query.js';
import type { DeviceChange, DeviceProperties } from './driver.js';
import type { NativeCalls } from './native-calls.js';

export type DeviceTableSettings = DeviceQuerySettings;

/** Where the properties of paired devices are looked for. */
interface Source {
  readonly objectType: number;
  readonly ofAll: DevFilter;
  readonly ofOne: (address: string) => DevFilter;
}

const equalsAddress = (Key: c.DevPropKey) => (address: string) => ({
  Operator: c.DEVPROP_OPERATOR_EQUALS,
  Property: { Key, Type: c.DEVPROP_TYPE_BINARY, Value: macToBytes(address) },
});

/** "Not empty" is the form that Windows itself makes of a query for a property that exists. */
const deviceNodes: Source = {
  objectType: c.DevObjectTypeDevice,
  ofAll: {
    Operator: c.DEVPROP_OPERATOR_NOT_EQUALS,
    Property: { Key: c.DEVPKEY_WiFiDirect_DeviceAddress, Type: c.DEVPROP_TYPE_EMPTY, Value: null },
  },
  ofOne: equalsAddress(c.DEVPKEY_WiFiDirect_DeviceAddress),
};

const deviceInterfaces: Source = {
  objectType: c.DevObjectTypeDeviceInterface,
  ofAll: {
    Operator: c.DEVPROP_OPERATOR_EQUALS,
    Property: {
      Key: c.DEVPKEY_DeviceInterface_ClassGuid,
      Type: c.DEVPROP_TYPE_GUID,
      Value: c.GUID_DEVINTERFACE_WIFIDIRECT_DEVICE,
    },
  },
  ofOne: equalsAddress(c.DEVPKEY_WiFiDirect_DeviceAddressCopy),
};

/** How often a read is repeated that a query has overtaken. */
const READS_MAX = 3;
/** How many removed devices and objects are remembered. A host has few; this only keeps a leak from being one. */
const REMOVED_MAX = 1000;

export class DeviceTable {
  readonly #native: {
    readonly cfgmgr32: Cfgmgr32;
    readonly calls: NativeCalls;
    readonly settings: DeviceQuerySettings;
  };
  readonly #changes = new Subject<DeviceChange>();
  readonly #faults = new BehaviorSubject<Fault | undefined>(undefined);
  readonly #nodes = new DeviceNodes();
  /** The open queries, device nodes first. */
  readonly #queries = new Map<Source, DeviceQuery>();
  /** What each query that failed has failed with. */
  readonly #failed = new Map<Source, Fault>();
  /** Devices whose last node Windows has removed, as they were. */
  readonly #removed = new Map<string, DeviceProperties>();
  /** Objects that a read no longer had, with their devices: a query may still say that Windows has removed them. */
  readonly #missing = new Map<string, DeviceProperties>();
  /** Objects that a read has changed, as the queries told them last, until a query tells them again. */
  readonly #unconfirmed = new Map<
    string,
    { readonly objectType: number; readonly told: DeviceProperties | undefined }
  >();
  #confirmTimer: NodeJS.Timeout | undefined;
  #confirming: Promise<void> | undefined;
  #confirmMs: number;
  /** How many results the queries have told. */
  #results = 0;
  #isKnown = false;
  #isClosed = false;
  #started: (() => void) | undefined;

  constructor(cfgmgr32: Cfgmgr32, calls: NativeCalls, settings: DeviceTableSettings) {
    this.#native = { cfgmgr32, calls, settings };
    this.#confirmMs = settings.reopenBackoffMinMs;
  }

  get changes(): Observable<DeviceChange> {
    return this.#changes;
  }

  /** Why Windows does not tell the devices, as long as it refuses to. Emits the present state at once. */
  get faults(): Observable<Fault | undefined> {
    return this.#faults.pipe(distinctUntilChanged((a, b) => a?.message === b?.message));
  }

  get fault(): Fault | undefined {
    return this.#faults.value;
  }

  /** By device address; undefined until the first enumeration is complete. */
  get devices(): ReadonlyMap<string, DeviceProperties> | undefined {
    return this.#isKnown ? this.#nodes.devices : undefined;
  }

  /** The device as it was when Windows said that it is removed; undefined where Windows did not say so. */
  removedDevice(address: string): DeviceProperties | undefined {
    return this.#removed.get(address);
  }

  /** Resolves when the devices that are there have been told, or the query could not be created. */
  start(): Promise<void> {
    return new Promise((resolve) => {
      this.#started = resolve;
      this.#open(deviceNodes);
    });
  }

  /** Brings the table, or these devices, up to what Windows says now; leaves it as it is where Windows does not say. */
  async refresh(of?: ReadonlySet<string>): Promise<void> {
    for (let reads = 0; reads < READS_MAX; reads += 1) {
      const before = this.#results;
      const sources = [...this.#queries.keys()];
      const read = await Promise.all(sources.map((source) => this.#read(source, of)));
      if (!this.#isKnown || read.includes(undefined)) return;
      // What a query has told meanwhile may be newer than what was read.
      if (this.#results !== before) continue;
      this.#adopt(
        sources,
        read.flatMap((objects) => objects ?? []),
        of,
      );
      return;
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#confirmTimer);
    await Promise.all([this.#confirming, ...[...this.#queries.values()].map((query) => query.close())]);
  }

  #open(source: Source): void {
    let stale = new Set<string>();
    const query = new DeviceQuery(this.#native, source.objectType, [source.ofAll], {
      onCreating: () => {
        stale = new Set(this.#nodes.ids(source.objectType));
      },
      onObject: (object) => {
        stale.delete(object.ObjectId);
        this.#missing.delete(object.ObjectId);
        this.#unconfirmed.delete(object.ObjectId);
        this.#results += 1;
        this.#nodes.put(object);
        this.#settle();
      },
      onRemoved: (objectId) => {
        stale.delete(objectId);
        this.#unconfirmed.delete(objectId);
        this.#results += 1;
        this.#nodes.remove(objectId);
        const missing = this.#missing.get(objectId);
        this.#missing.delete(objectId);
        for (const device of this.#settle()) this.#remember(device);
        if (missing !== undefined && !this.#nodes.devices.has(missing.address)) this.#remember(missing);
      },
      onEnumerated: () => {
        this.#results += 1;
        for (const id of stale) this.#nodes.remove(id);
        for (const [id, { objectType }] of this.#unconfirmed) {
          if (objectType === source.objectType) this.#unconfirmed.delete(id);
        }
        this.#settle();
        this.#setFault(source, undefined);
        this.#enumerated(source);
      },
      onFailed: (fault) => {
        this.#setFault(source, fault);
        // Without the interfaces the device nodes are all that is known.
        if (source === deviceInterfaces) this.#isKnown = true;
        this.#started?.();
      },
    });
    this.#queries.set(source, query);
    query.start();
  }

  #enumerated(source: Source): void {
    const hasNothing = source === deviceNodes && this.#nodes.ids().length === 0;
    if (hasNothing && !this.#queries.has(deviceInterfaces) && !this.#isClosed) {
      this.#open(deviceInterfaces);
      return;
    }
    this.#isKnown = true;
    this.#started?.();
  }

  #setFault(source: Source, fault: Fault | undefined): void {
    if (fault === undefined) this.#failed.delete(source);
    else this.#failed.set(source, fault);
    this.#faults.next(this.#failed.get(deviceNodes) ?? this.#failed.get(deviceInterfaces));
  }

  /** The objects of these devices, or of all, that there are now; undefined where Windows does not say. */
  async #read(source: Source, of: ReadonlySet<string> | undefined): Promise<DevObject[] | undefined> {
    const [first, ...others] = of ?? [];
    const filter = first === undefined || others.length > 0 ? source.ofAll : source.ofOne(first);
    // Also one that is not known yet.
    const isWanted = (objectId: string) => {
      const address = this.#nodes.addressOf(objectId);
      return of === undefined || address === undefined || of.has(address);
    };
    const { cfgmgr32, calls } = this.#native;
    const read = await calls.ask('DevGetObjects', () =>
      cfgmgr32.DevGetObjects(source.objectType, c.DevQueryFlagNone, nodeProperties, [filter], isWanted),
    );
    return read?.code === c.winerror.ERROR_SUCCESS ? read.Objects : undefined;
  }

  /** These are all objects of these sources, or all of those devices. */
  #adopt(sources: readonly Source[], objects: readonly DevObject[], of: ReadonlySet<string> | undefined): void {
    const wasRead = new Set(sources.map(({ objectType }) => objectType));
    const known = of === undefined ? this.#nodes.ids() : [...of].flatMap((address) => this.#nodes.idsOf(address));
    const gone = new Set(known.filter((id) => wasRead.has(this.#nodes.typeOf(id) ?? 0)));
    for (const object of objects) {
      gone.delete(object.ObjectId);
      this.#change(object.ObjectId, object.ObjectType, () => this.#nodes.put(object));
    }
    for (const id of gone) {
      const device = this.#nodes.devices.get(this.#nodes.addressOf(id) ?? '');
      if (device !== undefined) keep(this.#missing, id, device);
      this.#change(id, this.#nodes.typeOf(id) ?? 0, () => this.#nodes.remove(id));
    }
    this.#settle();
    this.#confirm();
  }

  /** A change that a read has found, and no query has told. */
  #change(id: string, objectType: number, change: () => void): void {
    const before = this.#nodes.get(id);
    const { told } = this.#unconfirmed.get(id) ?? { told: before };
    change();
    const after = this.#nodes.get(id);
    const isAsTold = told === undefined || after === undefined ? told === after : isSame(told, after);
    if (isAsTold) this.#unconfirmed.delete(id);
    else this.#unconfirmed.set(id, { objectType, told });
  }

  /** Reads again, ever more rarely, until the queries have told what was read. */
  #confirm(): void {
    clearTimeout(this.#confirmTimer);
    if (this.#isClosed) return;
    const { reopenBackoffMinMs, reopenBackoffMaxMs } = this.#native.settings;
    if (this.#unconfirmed.size === 0) {
      this.#confirmMs = reopenBackoffMinMs;
      return;
    }
    this.#confirmTimer = setTimeout(() => {
      // They have told it meanwhile, mostly.
      if (this.#unconfirmed.size === 0) this.#confirm();
      else this.#confirming = this.refresh().then(() => this.#confirm());
    }, this.#confirmMs);
    this.#confirmTimer.unref();
    this.#confirmMs = Math.min(this.#confirmMs * 2, reopenBackoffMaxMs);
  }

  /** Tells what has changed; returns the devices that are gone. */
  #settle(): DeviceProperties[] {
    const changes = this.#nodes.settle();
    for (const change of changes) {
      if (change.type !== 'REMOVED') this.#removed.delete(change.device.address);
      this.#changes.next(change);
    }
    return changes.flatMap(({ type, device }) => (type === 'REMOVED' ? [device] : []));
  }

  #remember(device: DeviceProperties): void {
    keep(this.#removed, device.address, device);
  }
}

/** Keeps the newest. */
function keep<T>(all: Map<string, T>, key: string, value: T): void {
  all.delete(key);
  all.set(key, value);
  const [oldest] = all.keys();
  if (oldest !== undefined && all.size > REMOVED_MAX) all.delete(oldest);
}
