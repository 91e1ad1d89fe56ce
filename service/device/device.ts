/** The types of device events. `devices.ts` lists the devices and emits the events. */
import type { DeviceChange } from '../driver/driver.js';

/** A change of a paired device, before the log has numbered it. */
export interface DeviceEventDraft {
  readonly timeMs: number;
  readonly change: DeviceChange;
}

/** A device's event as the log keeps it: encoded, with the few fields by which readers select. */
export interface LoggedDeviceEvent {
  readonly sequence: number;
  readonly deviceAddress: string;
  readonly bytes: Uint8Array;
}

export interface DeviceEvent extends DeviceEventDraft {
  readonly sequence: number;
  readonly epoch: string;
}
