/** The paired devices of this host, as clients see them: the list, its changes, and their visibility. Types only. */
import type { DeviceChange } from '../driver/driver.js';

/** A change of a paired device, before the log has numbered it. */
export interface DeviceEventDraft {
  readonly timeMs: number;
  readonly change: DeviceChange;
}

/** A device's event as the log keeps it: encoded, with the little by which readers choose. */
export interface LoggedDeviceEvent {
  readonly sequence: number;
  readonly deviceAddress: string;
  readonly bytes: Uint8Array;
}

export interface DeviceEvent extends DeviceEventDraft {
  readonly sequence: number;
  readonly epoch: string;
}
