/**
 * The paired devices of this host: the list, a log of its changes, and the discovery of one device.
 *
 * The driver's table has the devices, and nobody copies it. This room numbers the changes.
 */
import { setTimeout } from 'node:timers/promises';
import type { Subscription } from 'rxjs';
import type { DeviceProperties, Driver } from '../driver/driver.js';
import type { EventStream } from '../events/stream.js';
import { type Fault, ok, type Result, refuse } from '../fault.js';
import type { TracePlace } from '../trace.js';
import type { DeviceEvent, DeviceEventDraft, LoggedDeviceEvent } from './device.js';

/** The result of a discovery. */
interface Visibility {
  /** The device as it was read after the discovery. */
  readonly device: DeviceProperties;
  /** Whether Windows finished in time. */
  readonly isComplete: boolean;
}

export class Devices {
  readonly events: EventStream<DeviceEventDraft, DeviceEvent, LoggedDeviceEvent>;
  readonly #driver: Driver;
  readonly #subscription: Subscription;
  /** Running discoveries, by device. Requests for the same device share one. */
  readonly #discoveries = new Map<string, Discovery>();

  constructor(driver: Driver, events: EventStream<DeviceEventDraft, DeviceEvent, LoggedDeviceEvent>) {
    this.#driver = driver;
    this.events = events;
    this.#subscription = driver.deviceChanges.subscribe((change) => {
      this.events.append({ timeMs: Date.now(), change });
    });
  }

  /** All devices, in the order of their addresses. */
  list(): Result<DeviceProperties[]> {
    const { devices } = this.#driver;
    const fault = this.#driver.whyNotDevices();
    if (fault !== undefined || devices === undefined) return refuse(fault ?? notKnownYet());
    return ok([...devices.values()].sort((a, b) => (a.address < b.address ? -1 : 1)));
  }

  /**
   * Looks for a device, for at most `timeoutMs`. A discovery that has begun runs to its end in any
   * case. A discovery that still waits for its turn is dropped when the last request has left.
   */
  async updateVisibility(
    address: string,
    timeoutMs: number,
    { principal, signal, place }: { principal: string; signal: AbortSignal; place?: TracePlace },
  ): Promise<Result<Visibility>> {
    const known = this.#find(address);
    // A device that is not listed can be paired all the same. Only Windows knows.
    const canBePaired = known.ok || (known.fault.reason === 'DEVICE_NOT_FOUND' && !this.#driver.isRemoved(address));
    if (!canBePaired) return known;
    const answered = new AbortController();
    const discovery = this.#discover(address, principal, place);
    discovery.waiting += 1;
    const outcome = await Promise.race([
      discovery.fault,
      timeout(timeoutMs, AbortSignal.any([signal, answered.signal])),
    ]);
    answered.abort();
    discovery.waiting -= 1;
    // If it has not begun, it leaves the queue. If it has, it goes on, and the next request shares
    // it.
    if (discovery.waiting === 0) discovery.abandoned.abort();
    const found = this.#find(address);
    if (typeof outcome === 'object') {
      const isUnknown = outcome.reason === 'DEVICE_NOT_PAIRED' && !found.ok;
      return refuse(isUnknown ? { ...deviceNotFound(address), ...nativeOf(outcome) } : outcome);
    }
    return found.ok ? ok({ device: found.value, isComplete: outcome !== 'late' }) : found;
  }

  dispose(): void {
    this.#subscription.unsubscribe();
  }

  #find(address: string): Result<DeviceProperties> {
    const { devices } = this.#driver;
    const fault = this.#driver.whyNotDevices();
    if (fault !== undefined || devices === undefined) return refuse(fault ?? notKnownYet());
    const device = devices.get(address);
    return device === undefined ? refuse(deviceNotFound(address)) : ok(device);
  }

  /**
   * Starts a discovery, or joins the running one. Its native call is traced to the first request.
   */
  #discover(address: string, principal: string, place: TracePlace | undefined): Discovery {
    const known = this.#discoveries.get(address);
    if (known !== undefined) return known;
    const abandoned = new AbortController();
    const fault = this.#driver
      .updateDeviceVisibility(address, { principal, signal: abandoned.signal }, place)
      .then((outcome) => outcome.fault)
      .finally(() => {
        this.#discoveries.delete(address);
      });
    const discovery: Discovery = { fault, waiting: 0, abandoned };
    this.#discoveries.set(address, discovery);
    return discovery;
  }
}

interface Discovery {
  readonly fault: Promise<Fault | undefined>;
  /** How many requests wait for the discovery. */
  waiting: number;
  readonly abandoned: AbortController;
}

/** Resolves to `late` after `ms`, or when `signal` aborts. */
async function timeout(ms: number, signal: AbortSignal): Promise<'late'> {
  await setTimeout(ms, undefined, { signal, ref: false }).catch(() => {});
  return 'late';
}

function deviceNotFound(address: string): Fault {
  return {
    reason: 'DEVICE_NOT_FOUND',
    message: `No device with the address ${address} is paired with this host.`,
    metadata: { device_address: address },
    resource: { type: 'wifidirect.v1.Device', name: address },
  };
}

function nativeOf({ native }: Fault): Pick<Fault, 'native'> {
  return native === undefined ? {} : { native };
}

/** The devices are not known between the start and the first enumeration. */
function notKnownYet(): Fault {
  return {
    reason: 'WLAN_SERVICE_UNREACHABLE',
    message: 'Windows has not listed its paired devices yet. Retry in a moment.',
  };
}
