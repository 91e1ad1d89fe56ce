/**
 * Wi-Fi Direct as the service sees it: the interface that `wlan-driver.ts` implements with
 * `native/`.
 *
 * Duties of an implementation:
 * - Methods return at once and never throw. Results arrive as completions. No method waits for a
 *   native call.
 * - Completions are delivered on the event loop, in the order of arrival, and never from within a
 *   method call.
 * - Each session gets exactly one `StartReturned` and, if that succeeded, exactly one
 *   `OpenCompleted`, in either order. A legacy open is one native call: its `StartReturned` always
 *   succeeds, and `OpenCompleted` has its outcome.
 * - The implementation owns the native handles. `WFDCloseSession` is called at most once for a
 *   handle, only after a successful open, and the handle is forgotten before the call.
 * - Nothing is reported about a session after its release, because a new session can have its id.
 * - After `HandlesInvalidated` all sessions are forgotten, and their handles are never used again.
 * - A `place` says where a native call belongs in the traces. It has no other effect.
 */
import type { Observable } from 'rxjs';
import type { Fault } from '../fault.js';
import type { DisconnectEvidence, NativeOutcome, NetworkInterface, SessionKind } from '../session/session.js';
import type { TracePlace } from '../trace.js';
import type { Wish } from './lane.js';

/** A native result or notification about one session. */
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

/** The WLAN service is down or the client handle is invalid, so every session is lost. */
export interface HandlesInvalidated {
  readonly type: 'HandlesInvalidated';
  readonly outcome: NativeOutcome;
}

export type Completion = SessionCompletion | HandlesInvalidated;

/** The properties of a paired device. Undefined if Windows leaves the property empty. */
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
  /**
   * Whether its device node is present. Windows keeps the nodes of devices that are off or out of
   * reach.
   */
  readonly isPresent: boolean | undefined;
  /**
   * Whether the pairing is not persistent, so that Windows forgets it when the device disconnects.
   */
  readonly isTransient: boolean | undefined;
}

export type DeviceChange =
  | { readonly type: 'ADDED' | 'CHANGED'; readonly device: DeviceProperties }
  | { readonly type: 'REMOVED'; readonly device: DeviceProperties };

/** Whether the driver works. */
export interface DriverStatus {
  /** Why Wi-Fi Direct can't be used, as an open would report it; undefined if it can. */
  readonly fault: Fault | undefined;
  /** The version that WFDOpenHandle negotiated; 0 while there is no handle. */
  readonly negotiatedVersion: number;
  /** Why Windows refuses to list the paired devices, if it does. Sessions can still be opened. */
  readonly devicesFault: Fault | undefined;
}

export interface Driver {
  readonly completions: Observable<Completion>;
  /** Emits the present status at once, then each change. */
  readonly statuses: Observable<DriverStatus>;
  readonly status: DriverStatus;
  /** The kinds of evidence that this host can give for a disconnection, strongest first. */
  readonly evidenceKinds: readonly DisconnectEvidence[];

  /** Opens the client handle and starts to probe the service. Resolves after the first attempt. */
  start(): Promise<void>;
  /**
   * Why such a session can't be opened, if that is certain without a native call: an export is
   * missing, or Windows has reported that the device was removed. A device that is not listed
   * proves nothing.
   */
  whyNotOpen(kind: SessionKind, deviceAddress: string): Fault | undefined;

  startOpen(sessionId: string, deviceAddress: string, kind: SessionKind, owner: string, place?: TracePlace): void;
  /** Prevents an open that has not begun. An open that has begun goes on. */
  withdrawOpen(sessionId: string): void;
  cancelOpen(sessionId: string, place?: TracePlace): void;
  closeSession(sessionId: string, place?: TracePlace): void;
  /**
   * The session has ended. Nothing about it is watched or reported any more. If its open still
   * succeeds, the driver closes it.
   */
  release(sessionId: string): void;

  /** The paired devices as read last; undefined if this host can't list them. */
  readonly devices: ReadonlyMap<string, DeviceProperties> | undefined;
  readonly deviceChanges: Observable<DeviceChange>;
  /** Why the paired devices can't be listed: an export is missing, or Windows refuses the query. */
  whyNotDevices(): Fault | undefined;
  /** Whether Windows has reported this device as removed and has not reported it again since. */
  isRemoved(deviceAddress: string): boolean;
  /**
   * Runs the discovery of one device. Resolves when the native call has returned and `devices`
   * shows the result. How long that takes depends on the radio; there is no bound.
   */
  updateDeviceVisibility(deviceAddress: string, wish: Wish, place?: TracePlace): Promise<NativeOutcome>;

  /**
   * Waits until native calls and callbacks have ended, then closes the client handle. Resolves to
   * false if something has not ended by the deadline.
   */
  close(deadlineMs: number): Promise<boolean>;
}
