/**
 * The paired devices as Windows knows them. A device query that stays open fills a table, and the
 * table reports its changes. A query can report late, so code that needs the present state reads
 * the devices at once, with `refresh`.
 *
 * Invariant: what a read has changed in the table stays only if a query reports the same. A query
 * does not report a change that is undone before its report, and a read may have seen exactly that
 * moment. So reads are repeated until a query confirms them.
 *
 * The SDK header documents the properties on device nodes. WinRT documents them on device
 * interfaces, under the canonical address. So if no device node has them, the interfaces of paired
 * devices are queried as well.
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

type DeviceTableSettings = DeviceQuerySettings;

/** One kind of objects that can have the properties of paired devices. */
interface Source {
  readonly objectType: number;
  readonly ofAll: DevFilter;
  readonly ofOne: (address: string) => DevFilter;
}

const equalsAddress = (Key: c.DevPropKey) => (address: string) => ({
  Operator: c.DEVPROP_OPERATOR_EQUALS,
  Property: { Key, Type: c.DEVPROP_TYPE_BINARY, Value: macToBytes(address) },
});

/** "Not empty" is how Windows itself writes a query for a property that exists. */
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

/** How often `refresh` reads again because a query reported something meanwhile. */
const READS_MAX = 3;
/** How many removed devices and objects are remembered. A host has few; this bounds a leak. */
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
  /** The fault of each query that could not be created. */
  readonly #failed = new Map<Source, Fault>();
  /** Devices whose last node Windows has removed, as they were before. */
  readonly #removed = new Map<string, DeviceProperties>();
  /**
   * Objects that a read no longer found, with their devices. A query may still report their
   * removal.
   */
  readonly #missing = new Map<string, DeviceProperties>();
  /**
   * Objects that a read has changed, as the queries reported them last, until a query reports them
   * again.
   */
  readonly #unconfirmed = new Map<
    string,
    { readonly objectType: number; readonly reported: DeviceProperties | undefined }
  >();
  #confirmTimer: NodeJS.Timeout | undefined;
  #confirming: Promise<void> | undefined;
  #confirmMs: number;
  /** How many results the queries have reported so far. */
  #results = 0;
  #isKnown = false;
  #isClosed = false;
  #resolveStart: (() => void) | undefined;

  constructor(cfgmgr32: Cfgmgr32, calls: NativeCalls, settings: DeviceTableSettings) {
    this.#native = { cfgmgr32, calls, settings };
    this.#confirmMs = settings.reopenBackoffMinMs;
  }

  get changes(): Observable<DeviceChange> {
    return this.#changes;
  }

  /**
   * Why Windows refuses the query; undefined while it does not. Emits the present state at once.
   */
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

  /**
   * A device that Windows has reported as removed, as it was before; undefined if it was not
   * removed.
   */
  removedDevice(address: string): DeviceProperties | undefined {
    return this.#removed.get(address);
  }

  /** Resolves when every existing device has been reported, or the query could not be created. */
  start(): Promise<void> {
    return new Promise((resolve) => {
      this.#resolveStart = resolve;
      this.#open(deviceNodes);
    });
  }

  /**
   * Updates the table, or these devices only, from Windows. Changes nothing if Windows does not
   * answer.
   */
  async refresh(of?: ReadonlySet<string>): Promise<void> {
    for (let reads = 0; reads < READS_MAX; reads += 1) {
      const before = this.#results;
      const sources = [...this.#queries.keys()];
      const read = await Promise.all(sources.map((source) => this.#read(source, of)));
      if (!this.#isKnown || read.includes(undefined)) return;
      // What a query has reported meanwhile can be newer than what was read.
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
        this.#onNotEnumerated(source.objectType);
        this.#settle();
        this.#setFault(source, undefined);
        this.#onEnumerated(source);
      },
      onFailed: (fault) => {
        this.#setFault(source, fault);
        // Without the interfaces, the device nodes are all there is to know.
        if (source === deviceInterfaces) this.#isKnown = true;
        this.#resolveStart?.();
      },
    });
    this.#queries.set(source, query);
    query.start();
  }

  /**
   * A new query reports every object that exists. So an unconfirmed object of this type that it has
   * not reported did not exist for it. If a read has found the object, it may be gone since.
   */
  #onNotEnumerated(objectType: number): void {
    for (const [id, unconfirmed] of this.#unconfirmed) {
      if (unconfirmed.objectType !== objectType) continue;
      if (this.#nodes.get(id) === undefined) this.#unconfirmed.delete(id);
      else this.#unconfirmed.set(id, { objectType, reported: undefined });
    }
  }

  #onEnumerated(source: Source): void {
    const hasNothing = source === deviceNodes && this.#nodes.ids().length === 0;
    if (hasNothing && !this.#queries.has(deviceInterfaces) && !this.#isClosed) {
      this.#open(deviceInterfaces);
      return;
    }
    this.#isKnown = true;
    this.#resolveStart?.();
  }

  #setFault(source: Source, fault: Fault | undefined): void {
    if (fault === undefined) this.#failed.delete(source);
    else this.#failed.set(source, fault);
    this.#faults.next(this.#failed.get(deviceNodes) ?? this.#failed.get(deviceInterfaces));
  }

  /** Reads the objects of these devices, or of all; undefined if Windows does not answer. */
  async #read(source: Source, of: ReadonlySet<string> | undefined): Promise<DevObject[] | undefined> {
    const [first, ...others] = of ?? [];
    const filter = first === undefined || others.length > 0 ? source.ofAll : source.ofOne(first);
    // An object that is not known yet is wanted too.
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

  /** Applies a complete read: these are all objects of these sources, or all of these devices. */
  #adopt(sources: readonly Source[], objects: readonly DevObject[], of: ReadonlySet<string> | undefined): void {
    const wasRead = new Set(sources.map(({ objectType }) => objectType));
    const known = of === undefined ? this.#nodes.ids() : [...of].flatMap((address) => this.#nodes.idsOf(address));
    const gone = new Set(known.filter((id) => wasRead.has(this.#nodes.typeOf(id) ?? 0)));
    for (const object of objects) {
      gone.delete(object.ObjectId);
      this.#changeUnconfirmed(object.ObjectId, object.ObjectType, () => this.#nodes.put(object));
    }
    for (const id of gone) {
      const device = this.#nodes.devices.get(this.#nodes.addressOf(id) ?? '');
      if (device !== undefined) keep(this.#missing, id, device);
      this.#changeUnconfirmed(id, this.#nodes.typeOf(id) ?? 0, () => this.#nodes.remove(id));
    }
    this.#settle();
    this.#confirm();
  }

  /** Applies a change that a read has found and no query has reported. */
  #changeUnconfirmed(id: string, objectType: number, change: () => void): void {
    const before = this.#nodes.get(id);
    const { reported } = this.#unconfirmed.get(id) ?? { reported: before };
    change();
    const after = this.#nodes.get(id);
    const isAsReported = reported === undefined || after === undefined ? reported === after : isSame(reported, after);
    if (isAsReported) this.#unconfirmed.delete(id);
    else this.#unconfirmed.set(id, { objectType, reported });
  }

  /** Reads again, less and less often, until the queries have reported what was read. */
  #confirm(): void {
    clearTimeout(this.#confirmTimer);
    if (this.#isClosed) return;
    const { reopenBackoffMinMs, reopenBackoffMaxMs } = this.#native.settings;
    if (this.#unconfirmed.size === 0) {
      this.#confirmMs = reopenBackoffMinMs;
      return;
    }
    this.#confirmTimer = setTimeout(() => {
      // Usually they have reported it by now.
      if (this.#unconfirmed.size === 0) this.#confirm();
      else this.#confirming = this.refresh().then(() => this.#confirm());
    }, this.#confirmMs);
    this.#confirmTimer.unref();
    this.#confirmMs = Math.min(this.#confirmMs * 2, reopenBackoffMaxMs);
  }

  /** Reports what has changed; returns the devices that no longer exist. */
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

/** Adds a value, and drops the oldest one if there are too many. */
function keep<T>(all: Map<string, T>, key: string, value: T): void {
  all.delete(key);
  all.set(key, value);
  const [oldest] = all.keys();
  if (oldest !== undefined && all.size > REMOVED_MAX) all.delete(oldest);
}
