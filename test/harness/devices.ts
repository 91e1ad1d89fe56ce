/**
 * The paired devices of a gateway as a client asks for them: the list, a discovery, and watches
 * that check their promises.
 */
import type { ClientReadableStream } from '@grpc/grpc-js';
import test from 'ava';
import { type Device, type DeviceEvent, DeviceEventType } from '../../proto/gen/wifidirect/v1/device.js';
import {
  ListDevicesRequest,
  UpdateDeviceVisibilityRequest,
  WatchDevicesRequest,
  type WatchDevicesResponse,
} from '../../proto/gen/wifidirect/v1/device_service.js';
import { call, type ReadError, Received, readError } from './calls.js';
import { display, type Gateway } from './gateway.js';
import { duration } from './world.js';

/**
 * The devices of the simulator's default world, by address. What is undefined, Windows leaves
 * empty.
 */
export const devicesAtStart: readonly Device[] = [
  startDevice(1, 'Meeting Room Display', { isVisible: true, linkQuality: 92 }),
  startDevice(2, 'Warehouse Scanner', { isVisible: true, linkQuality: 74 }),
  startDevice(3, 'Label Printer', { isLegacy: true, linkQuality: 61 }),
  startDevice(4, 'Delivery Robot', { isVisible: false, linkQuality: 0 }),
  startDevice(5, 'Forklift Terminal 1', { isVisible: true, linkQuality: 58 }),
  startDevice(6, 'Forklift Terminal 2', { isVisible: true, linkQuality: 47 }),
];

function startDevice(
  number: number,
  name: string,
  { isVisible, isLegacy = false, linkQuality }: Partial<Device>,
): Device {
  return {
    deviceAddress: `02:11:22:33:44:0${number}`,
    name,
    isConnected: undefined,
    isVisible,
    isLegacy,
    linkQuality,
    interfaceAddress: '',
    networkInterfaceGuid: '',
    groupId: `00000000-0000-0000-0000-02112233440${number}`,
    isPresent: true,
    isTransient: false,
  };
}

type DeviceEventName = 'ADDED' | 'CHANGED' | 'REMOVED';

/** A watch of devices; what it is told must make sense as it comes. */
export class DeviceWatcher extends Received<WatchDevicesResponse> {
  readonly violations: string[] = [];
  /** What the events say is there; undefined before it is known. */
  #devices: Map<string, Device> | undefined;
  readonly #isFiltered: boolean;
  #position: bigint | undefined;
  #cursor: string;

  constructor(stream: ClientReadableStream<WatchDevicesResponse>, { cursor, deviceAddresses }: WatchDevicesRequest) {
    super(stream);
    this.#isFiltered = deviceAddresses.length > 0;
    this.#cursor = cursor;
    this.#position = sequenceOf(cursor);
    stream.on('data', (message: WatchDevicesResponse) => this.#check(message));
  }

  /** Where to resume. */
  get cursor(): string {
    return this.#cursor;
  }

  get events(): DeviceEvent[] {
    return this.messages.flatMap(({ events }) => events);
  }

  /** Each event as `ADDED 02:11:22:33:44:01`. */
  get told(): string[] {
    return this.events.map(({ type, device }) => `${nameOf(type)} ${device?.deviceAddress}`);
  }

  /** The devices of the snapshot, once it is complete. */
  async snapshot(): Promise<Device[]> {
    await this.first(({ snapshotComplete }) => snapshotComplete);
    return this.messages.flatMap(({ snapshot }) => snapshot);
  }

  /** The device of the first event, past or to come, that is so. */
  async event(
    name: DeviceEventName,
    address: string,
    isSo: (device: Device) => boolean = () => true,
  ): Promise<DeviceEvent & { device: Device }> {
    const isIt = ({ type, device }: DeviceEvent) =>
      type === DeviceEventType[name] && device?.deviceAddress === address && isSo(device);
    const { events } = await this.first((message) => message.events.some(isIt));
    return events.find(isIt) as DeviceEvent & { device: Device };
  }

  /** Waits until the devices, as the watch has told them, are so. */
  async until(isSo: (devices: readonly Device[]) => boolean): Promise<void> {
    await this.first(() => this.#devices !== undefined && isSo([...this.#devices.values()]));
  }

  /** How the watch ended. */
  async status(): Promise<ReadError | undefined> {
    const error = await this.ended;
    return error && readError(error);
  }

  #check({ events, cursor, snapshot, snapshotComplete }: WatchDevicesResponse): void {
    const isSnapshot = snapshot.length > 0 || snapshotComplete;
    if (isSnapshot && this.#position !== undefined) this.#violated('a snapshot amid the events');
    if (!isSnapshot && this.#position === undefined) this.#violated('events before the snapshot was complete');
    if (isSnapshot && (cursor === '') === snapshotComplete) this.#violated('the cursor comes with the whole snapshot');
    if (snapshotComplete) {
      const devices = this.messages.flatMap((message) => message.snapshot);
      this.#devices = new Map(devices.map((device) => [device.deviceAddress, device]));
      if (this.#devices.size < devices.length) this.#violated('a device twice in the snapshot');
    }
    for (const event of events) this.#event(event);
    if (cursor === '') return;
    const position = sequenceOf(cursor);
    if (position === undefined) {
      this.#violated(`"${cursor}" is no cursor`);
      return;
    }
    const last = events.at(-1)?.sequence ?? this.#position ?? position;
    if (position < last || (position > last && !this.#isFiltered)) this.#violated(`${cursor} after event ${last}`);
    this.#position = position;
    this.#cursor = cursor;
  }

  #event({ sequence, type, device, time, epoch }: DeviceEvent): void {
    const before = this.#position ?? 0n;
    if (sequence <= before || (sequence > before + 1n && !this.#isFiltered)) {
      this.#violated(`event ${sequence} after ${before}`);
    }
    if (time === undefined || device === undefined || !/^[0-9a-f]{16}$/.test(epoch)) this.#violated('half an event');
    this.#position = sequence;
    if (device === undefined || this.#devices === undefined) return;
    const known = this.#devices.get(device.deviceAddress);
    const isSame = JSON.stringify(known) === JSON.stringify(device);
    if (type === DeviceEventType.ADDED ? known !== undefined : known === undefined) {
      this.#violated(`${nameOf(type)} of a device that ${known === undefined ? 'is not' : 'was'} there`);
    } else if (type === DeviceEventType.CHANGED && isSame) this.#violated('nothing has changed');
    else if (type === DeviceEventType.REMOVED && !isSame) this.#violated('removed, but not as it was before');
    if (type === DeviceEventType.REMOVED) this.#devices.delete(device.deviceAddress);
    else this.#devices.set(device.deviceAddress, device);
  }

  #violated(what: string): void {
    this.violations.push(`message ${this.messages.length}: ${what}`);
  }
}

export class HostDevices {
  readonly #gateway: Gateway;
  readonly #watches: DeviceWatcher[] = [];

  constructor(gateway: Gateway) {
    this.#gateway = gateway;
  }

  list(fields: Parameters<typeof ListDevicesRequest.fromPartial>[0] = {}) {
    const { devices } = this.#gateway;
    return call(devices.listDevices.bind(devices), ListDevicesRequest.fromPartial(fields));
  }

  /** One device as the list shows it. */
  async get(address: string): Promise<Device | undefined> {
    const { devices } = await this.list({ pageSize: 1000 });
    return devices.find(({ deviceAddress }) => deviceAddress === address);
  }

  update(deviceAddress: string, timeoutMs?: number) {
    const { devices } = this.#gateway;
    const request = UpdateDeviceVisibilityRequest.fromPartial({ deviceAddress });
    if (timeoutMs !== undefined) request.timeout = duration(timeoutMs);
    return call(devices.updateDeviceVisibility.bind(devices), request, 60_000);
  }

  watch(fields: Parameters<typeof WatchDevicesRequest.fromPartial>[0] = {}): DeviceWatcher {
    const request = WatchDevicesRequest.fromPartial(fields);
    const watcher = new DeviceWatcher(this.#gateway.devices.watchDevices(request), request);
    this.#watches.push(watcher);
    return watcher;
  }

  /** A watch whose snapshot has come: all that happens from now on is an event of it. */
  async watching(fields: Parameters<typeof WatchDevicesRequest.fromPartial>[0] = {}): Promise<DeviceWatcher> {
    const watcher = this.watch(fields);
    await watcher.snapshot();
    return watcher;
  }

  /** Waits until the daemon has seen that a device is connected. */
  async connected(address: string): Promise<void> {
    const watcher = this.watch({ deviceAddresses: [address] });
    await watcher.until(([device]) => device?.isConnected === true);
    watcher.cancel();
  }

  /** Waits until the daemon has seen what the reset of the world did. */
  async settle(): Promise<void> {
    const watcher = this.watch();
    // After a discovery it reads all devices anew, also what an earlier test kept from being told.
    await this.#gateway.world.scriptVisibility({ delayMs: 0 });
    await this.update(display);
    const text = (devices: readonly Device[]) => JSON.stringify(devices.map((each) => JSON.stringify(each)).toSorted());
    await watcher.until((devices) => text(devices) === text(devicesAtStart));
    watcher.cancel();
  }

  /** Ends every watch; what was wrong with them, in words. */
  finish(): string[] {
    const watches = this.#watches.splice(0);
    for (const watcher of watches) watcher.cancel();
    return watches.flatMap(({ violations }) => violations);
  }
}

/**
 * The devices of this file's gateway. Before each test they are as at the start; after each no
 * watch has broken a promise.
 */
export function devicesForThisFile(gateway: () => Gateway): () => HostDevices {
  let devices: HostDevices | undefined;
  const get = () => {
    devices ??= new HostDevices(gateway());
    return devices;
  };
  test.serial.beforeEach(() => get().settle());
  test.afterEach.always('the promises of the watches', (t) => {
    t.deepEqual(get().finish(), []);
  });
  return get;
}

function nameOf(type: DeviceEventType): string {
  return Object.entries(DeviceEventType).find(([, value]) => value === type)?.[0] ?? String(type);
}

function sequenceOf(cursor: string): bigint | undefined {
  const [, sequence] = /^[0-9a-f]{16}\.([0-9]+)$/.exec(cursor) ?? [];
  return sequence === undefined ? undefined : BigInt(sequence);
}
