/**
 * The paired devices of this host: the list, its changes as a log of their own, and the discovery that refreshes one's visibility.
 *
 * The driver's table is the truth and is copied by nobody; this room numbers its changes.
 */
import { setTimeout } from 'node:timers/promises';
import type { Subscription } from 'rxjs';
import type { DeviceProperties, Driver } from '../driver/driver.js';
import type { EventStream } from '../events/stream.js';
import { type Fault, ok, type Result, refuse } from '../fault.js';
import type { TracePlace } from '../trace.js';
import type { DeviceEvent, DeviceEventDraft, LoggedDeviceEvent } from './device.js';

/** What a discovery has found: the device as read back, and whether Windows was through in time. */
export interface Visibility {
  readonly device: DeviceProperties;
  readonly isComplete: boolean;
}

export class Devices {
  readonly events: EventStream<DeviceEventDraft, DeviceEvent, LoggedDeviceEvent>;
  readonly #driver: Driver;
  readonly #subscription: Subscription;
  /** Discoveries under way, by device: who asks meanwhile waits for the same. */
  readonly #discoveries = new Map<string, Discovery>();

  constructor(driver: Driver, events: EventStream<DeviceEventDraft, DeviceEvent, LoggedDeviceEvent>) {
    this.#driver = driver;
    this.events = events;
    this.#subscription = driver.deviceChanges.subscribe((change) => {
      this.events.append({ timeMs: Date.now(), change });
    });
  }

  /** In the order of their addresses. */
  list(): Result<DeviceProperties[]> {
    const { devices } = this.#driver;
    const fault = this.#driver.whyNotDevices();
    if (fault !== undefined || devices === undefined) return refuse(fault ?? notKnownYet());
    return ok([...devices.values()].sort((a, b) => (a.address < b.address ? -1 : 1)));
  }

  /**
   * Looks for a device, for at most `timeoutMs`. A discovery that has begun goes on to its end whatever happens here; one that still
   * waits for its turn when nobody waits for it any more never begins.
   */
  async updateVisibility(
    address: string,
    timeoutMs: number,
    { principal, signal, place }: { principal: string; signal: AbortSignal; place?: TracePlace },
  ): Promise<Result<Visibility>> {
    const known = this.#find(address);
    // That a device is not listed proves nothing; only Windows knows whether it is paired.
    const isWorthwhile = known.ok || (known.fault.reason === 'DEVICE_NOT_FOUND' && !this.#driver.isRemoved(address));
    if (!isWorthwhile) return known;
    const over = new AbortController();
    const discovery = this.#discover(address, principal, place);
    discovery.waiting += 1;
    const outcome = await Promise.race([discovery.fault, passed(timeoutMs, AbortSignal.any([signal, over.signal]))]);
    over.abort();
    discovery.waiting -= 1;
    // It leaves the queue, or goes on if it has begun, and is there for who asks next.
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

  /** Its native call belongs to the first who asked. */
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
  /** How many requests wait for it. */
  waiting: number;
  readonly abandoned: AbortController;
}

/** Resolves to `late` when the time is over or nobody waits any more. */
async function passed(ms: number, signal: AbortSignal): Promise<'late'> {
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

/** Between the start and the first enumeration. */
function notKnownYet(): Fault {
  return { reason: 'WLAN_SERVICE_UNREACHABLE', message: 'Windows has not told its paired devices yet; ask again.' };
}
