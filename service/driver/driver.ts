/**
 * Wi-Fi Direct as the service sees it: the interface that `wlan-driver.ts` implements over `native/`.
 *
 * For implementers:
 * - Methods return at once and never throw; what comes of them arrives as completions. No method may wait for a native call.
 * - Completions are delivered on the event loop, never from within a method call, in the order in which they came in.
 * - For each session: exactly one `StartReturned` and, if that succeeded, exactly one `OpenCompleted`, in either order. A legacy open is one
 *   native call: its `StartReturned` succeeds and its outcome is the `OpenCompleted`.
 * - Native handles live and die here. `WFDCloseSession` is called at most once for each, after a successful open, and the handle is
 *   forgotten before the call.
 * - Of a session that has been released nothing is told any more: its name may be another's.
 * - A `place` says where a native call belongs in the traces; it changes nothing else.
 * - After `DriverLost` every session is forgotten: their handles are invalid and are never used again.
 */
import type { Observable } from 'rxjs';
import type { Fault } from '../fault.js';
import type { DisconnectEvidence, NativeOutcome, NetworkInterface, SessionKind } from '../session/session.js';
import type { TracePlace } from '../trace.js';
import type { Wish } from './lane.js';

/** What happened to one session in the native world. */
export type SessionCompletion = { readonly sessionId: string } & (
  | { readonly type: 'StartReturned'; readonly outcome: NativeOutcome }
  | {
      readonly type: 'OpenCompleted';
      readonly outcome: NativeOutcome;
      readonly networkInterface: NetworkInterface | undefined;
    }
  | { readonly type: 'CancelReturned'; readonly outcome: NativeOutcome }
  | { readonly type: 'CloseReturned'; readonly outcome: NativeOutcome }
  | { readonly type: 'LinkDown'; readonly evidence: DisconnectEvidence }
  | { readonly type: 'NetworkInterfaceChanged'; readonly networkInterface: NetworkInterface }
);

/** The WLAN service or the client handle is gone, and every session with it. */
export interface DriverLost {
  readonly type: 'DriverLost';
  readonly outcome: NativeOutcome;
}

export type Completion = SessionCompletion | DriverLost;

/** What Windows says of a paired device. Undefined where it leaves the property empty. */
export interface DeviceProperties {
  readonly address: string;
  readonly name: string;
  readonly isConnected: boolean | undefined;
  readonly isVisible: boolean | undefined;
  readonly isLegacy: boolean | undefined;
  readonly linkQuality: number | undefined;
  readonly interfaceGuid: string | undefined;
  readonly interfaceAddress: string | undefined;
  readonly groupId: string | undefined;
  /** Whether its device node is present: Windows keeps those of devices that are off or out of reach. */
  readonly isPresent: boolean | undefined;
  /** Whether the pairing is not persistent, so that Windows forgets it when the device disconnects. */
  readonly isTransient: boolean | undefined;
}

export type DeviceChange =
  | { readonly type: 'ADDED' | 'CHANGED'; readonly device: DeviceProperties }
  | { readonly type: 'REMOVED'; readonly device: DeviceProperties };

/** What the driver can do now. `fault` is set where Wi-Fi Direct can't be reached, with what would be answered to an open. */
export interface DriverStatus {
  readonly fault: Fault | undefined;
  /** The version that WFDOpenHandle negotiated, 0 while there is no handle. */
  readonly negotiatedVersion: number;
  /** Why Windows does not tell the paired devices, where it refuses to. Sessions open all the same. */
  readonly devicesFault: Fault | undefined;
}

export interface Driver {
  readonly completions: Observable<Completion>;
  /** Emits the present status at once, then each change. */
  readonly statuses: Observable<DriverStatus>;
  readonly status: DriverStatus;
  /** Kinds of evidence of a disconnection that this host can give, strongest first. */
  readonly evidenceKinds: readonly DisconnectEvidence[];

  /** Opens the client handle and begins to watch over the service; returns when the first attempt has come back. */
  start(): Promise<void>;
  /**
   * Why such a session can't be opened, where that is certain before Windows is asked: an export is missing, or Windows
   * has said that the device was removed. That no device is listed proves nothing.
   */
  whyNotOpen(kind: SessionKind, deviceAddress: string): Fault | undefined;

  startOpen(sessionId: string, deviceAddress: string, kind: SessionKind, owner: string, place?: TracePlace): void;
  /** An open that waits for its turn is not to begin any more. One that has begun goes on. */
  withdrawOpen(sessionId: string): void;
  cancelOpen(sessionId: string, place?: TracePlace): void;
  closeSession(sessionId: string, place?: TracePlace): void;
  /** The session has ended: nothing of it is watched or reported any more. An open that still succeeds is closed. */
  release(sessionId: string): void;

  /** The paired devices as last seen; undefined where this host can't tell. */
  readonly devices: ReadonlyMap<string, DeviceProperties> | undefined;
  readonly deviceChanges: Observable<DeviceChange>;
  /** Why the paired devices can't be told: an export is missing, or Windows refuses the query. */
  whyNotDevices(): Fault | undefined;
  /** Whether Windows has said that this device was removed, and not that it is back. */
  isRemoved(deviceAddress: string): boolean;
  /** Runs the targeted discovery; resolves when it has returned, which may take as long as the radio likes, and `devices` show it. */
  updateDeviceVisibility(deviceAddress: string, wish: Wish, place?: TracePlace): Promise<NativeOutcome>;

  /** Waits for native calls and callbacks to end, then closes the client handle. False: something still hangs in the DLL. */
  close(deadlineMs: number): Promise<boolean>;
}
