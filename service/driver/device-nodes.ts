/**
 * Merges the device nodes of Windows into the devices that clients see. It only keeps books, so
 * that every order of arrival can be tested.
 *
 * Windows can have several nodes for one peer, one for each kind of use. They appear and disappear
 * in any order, and a device exists while one of its nodes exists. A flag is TRUE if any node has
 * it as TRUE, otherwise FALSE if any node has it. Every other property comes from the first node
 * that has it: connected nodes come first, then the order of ids decides. Device interfaces count
 * only if the address has no device node (D-66).
 */
import { type DevObject, findProperty } from '../../native/cfgmgr32.js';
import * as c from '../../native/constants.js';
import { macFromBytes } from '../../native/types.js';
import type { DeviceChange, DeviceProperties } from './driver.js';

/** The properties that are read from each object. */
export const nodeProperties = [
  c.DEVPKEY_WiFiDirect_DeviceAddress,
  c.DEVPKEY_WiFiDirect_DeviceAddressCopy,
  c.DEVPKEY_WiFiDirect_InterfaceAddress,
  c.DEVPKEY_WiFiDirect_InterfaceGuid,
  c.DEVPKEY_WiFiDirect_IsConnected,
  c.DEVPKEY_WiFiDirect_IsVisible,
  c.DEVPKEY_WiFiDirect_IsLegacyDevice,
  c.DEVPKEY_WiFiDirect_TransientAssociation,
  c.DEVPKEY_WiFiDirect_LinkQuality,
  c.DEVPKEY_WiFiDirect_GroupId,
  c.DEVPKEY_NAME,
  c.DEVPKEY_Device_IsPresent,
  c.DEVPKEY_DeviceInterface_Enabled,
] as const;

interface Node {
  readonly objectType: number;
  readonly device: DeviceProperties;
}

export class DeviceNodes {
  readonly #nodes = new Map<string, Node>();
  /** Ids of objects, by device address. */
  readonly #byAddress = new Map<string, Set<string>>();
  readonly #devices = new Map<string, DeviceProperties>();
  /** Addresses with a node that has changed since the last `settle`. */
  readonly #touched = new Set<string>();

  /** By address, as of the last `settle`. */
  get devices(): ReadonlyMap<string, DeviceProperties> {
    return this.#devices;
  }

  /** The ids of the known objects of a type, or of all types. */
  ids(objectType?: number): string[] {
    const all = [...this.#nodes];
    return all.flatMap(([id, node]) => (objectType === undefined || node.objectType === objectType ? [id] : []));
  }

  /** The ids of the objects of a device. */
  idsOf(address: string): string[] {
    return [...(this.#byAddress.get(address) ?? [])];
  }

  typeOf(objectId: string): number | undefined {
    return this.#nodes.get(objectId)?.objectType;
  }

  /** The device as this object alone shows it; undefined if there is no such object. */
  get(objectId: string): DeviceProperties | undefined {
    return this.#nodes.get(objectId)?.device;
  }

  addressOf(objectId: string): string | undefined {
    return this.#nodes.get(objectId)?.device.address;
  }

  /** Adds or changes an object. It has all properties, or only those that have changed. */
  put(object: DevObject): void {
    const before = this.#nodes.get(object.ObjectId)?.device;
    const address = addressIn(object) ?? before?.address;
    if (address === undefined) return;
    if (before !== undefined && before.address !== address) this.remove(object.ObjectId);
    const device = toDevice(address, object, before?.address === address ? before : undefined);
    this.#nodes.set(object.ObjectId, { objectType: object.ObjectType, device });
    const ids = this.#byAddress.get(address) ?? new Set();
    this.#byAddress.set(address, ids.add(object.ObjectId));
    this.#touched.add(address);
  }

  remove(objectId: string): void {
    const address = this.addressOf(objectId);
    if (address === undefined) return;
    this.#nodes.delete(objectId);
    const ids = this.#byAddress.get(address);
    ids?.delete(objectId);
    if (ids?.size === 0) this.#byAddress.delete(address);
    this.#touched.add(address);
  }

  /** Updates `devices`, and returns what has changed. */
  settle(): DeviceChange[] {
    const changes = [...this.#touched].flatMap((address) => this.#settle(address));
    this.#touched.clear();
    return changes;
  }

  #settle(address: string): DeviceChange[] {
    const before = this.#devices.get(address);
    const device = this.#merge(address);
    if (device === undefined) {
      this.#devices.delete(address);
      return before === undefined ? [] : [{ type: 'REMOVED', device: before }];
    }
    if (before !== undefined && isSame(before, device)) return [];
    this.#devices.set(address, device);
    return [{ type: before === undefined ? 'ADDED' : 'CHANGED', device }];
  }

  #merge(address: string): DeviceProperties | undefined {
    const ids = this.idsOf(address).sort();
    const all = ids.flatMap((id) => this.#nodes.get(id) ?? []);
    const nodes = all.filter(({ objectType }) => objectType === c.DevObjectTypeDevice);
    const listed = (nodes.length > 0 ? nodes : all).map(({ device }) => device);
    const ranked = [...listed.filter(isConnected), ...listed.filter((device) => !isConnected(device))];
    if (ranked.length === 0) return undefined;
    const first = <Key extends keyof DeviceProperties>(key: Key) =>
      ranked.find((device) => device[key] !== undefined)?.[key];
    const any = (key: 'isConnected' | 'isVisible' | 'isLegacy' | 'isPresent' | 'isTransient') =>
      ranked.some((device) => device[key] === true) || first(key);
    return {
      address,
      name: ranked.find(({ name }) => name !== '')?.name ?? '',
      isConnected: any('isConnected'),
      isVisible: any('isVisible'),
      isLegacy: any('isLegacy'),
      linkQuality: first('linkQuality'),
      interfaceGuid: first('interfaceGuid'),
      interfaceAddress: first('interfaceAddress'),
      groupId: first('groupId'),
      isPresent: any('isPresent'),
      isTransient: any('isTransient'),
    };
  }
}

function isConnected(device: DeviceProperties): boolean {
  return device.isConnected === true;
}

/** The canonical address if the object has it, otherwise the first one that Windows documents. */
function addressIn(object: DevObject): string | undefined {
  return macIn(object, c.DEVPKEY_WiFiDirect_DeviceAddressCopy) ?? macIn(object, c.DEVPKEY_WiFiDirect_DeviceAddress);
}

function macIn(object: DevObject, key: c.DevPropKey): string | undefined {
  const bytes = findProperty(object, key);
  return Buffer.isBuffer(bytes) && bytes.length === 6 ? macFromBytes(bytes) : undefined;
}

/** A property that the object does not contain keeps its value; an empty one is removed. */
function toDevice(address: string, object: DevObject, before: DeviceProperties | undefined): DeviceProperties {
  const read = <T>(key: c.DevPropKey, is: (value: unknown) => value is T, was: T | undefined): T | undefined => {
    const value = findProperty(object, key);
    if (value === undefined) return was;
    return is(value) ? value : undefined;
  };
  const hasInterface = findProperty(object, c.DEVPKEY_WiFiDirect_InterfaceAddress) !== undefined;
  const isPresent =
    object.ObjectType === c.DevObjectTypeDevice ? c.DEVPKEY_Device_IsPresent : c.DEVPKEY_DeviceInterface_Enabled;
  return {
    address,
    name: read(c.DEVPKEY_NAME, isString, before?.name) ?? '',
    isConnected: read(c.DEVPKEY_WiFiDirect_IsConnected, isBoolean, before?.isConnected),
    isVisible: read(c.DEVPKEY_WiFiDirect_IsVisible, isBoolean, before?.isVisible),
    isLegacy: read(c.DEVPKEY_WiFiDirect_IsLegacyDevice, isBoolean, before?.isLegacy),
    linkQuality: read(c.DEVPKEY_WiFiDirect_LinkQuality, isNumber, before?.linkQuality),
    interfaceGuid: read(c.DEVPKEY_WiFiDirect_InterfaceGuid, isString, before?.interfaceGuid),
    interfaceAddress: hasInterface ? macIn(object, c.DEVPKEY_WiFiDirect_InterfaceAddress) : before?.interfaceAddress,
    groupId: read(c.DEVPKEY_WiFiDirect_GroupId, isString, before?.groupId),
    isPresent: read(isPresent, isBoolean, before?.isPresent),
    isTransient: read(c.DEVPKEY_WiFiDirect_TransientAssociation, isBoolean, before?.isTransient),
  };
}

const isString = (value: unknown): value is string => typeof value === 'string';
const isBoolean = (value: unknown): value is boolean => typeof value === 'boolean';
const isNumber = (value: unknown): value is number => typeof value === 'number';

export function isSame(a: DeviceProperties, b: DeviceProperties): boolean {
  return (Object.keys(a) as (keyof DeviceProperties)[]).every((key) => a[key] === b[key]);
}
