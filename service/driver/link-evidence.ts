/**
 * Decides whether a link is down, from what Windows says about its device and its interface. Pure,
 * so that every order of arrival can be tested.
 */
import { IfOperStatusUp, MediaConnectStateDisconnected, winerror } from '../../native/constants.js';
import type { InterfaceRow } from '../../native/netioapi.js';
import type { DisconnectEvidence } from '../session/session.js';
import type { DeviceProperties } from './driver.js';
import { win32Code } from './win32-error.js';

/**
 * What has been observed of one link so far. A link that is down now has gone down only if it was
 * up before, or if it should have come up long ago.
 */
export interface LinkObservation {
  readonly wasUp: boolean;
  readonly wasConnected: boolean;
  /** The interface contradicted the device once. The device can agree until the next look. */
  readonly needsSecondLook: boolean;
}

export interface LinkAge {
  /** The link has had enough time to come up. */
  readonly isSettled: boolean;
  /** Windows has queued the close of its session. */
  readonly isClosing: boolean;
}

/** `ABSENT`: no interface has this GUID, or none has it yet. */
export type InterfaceStatus = 'UP' | 'DOWN' | 'GONE' | 'ABSENT' | 'UNKNOWN';

export const initialObservation: LinkObservation = { wasUp: false, wasConnected: false, needsSecondLook: false };

/** The status of an interface, from the result of GetIfEntry2. */
export function interfaceStatus(code: number, row: InterfaceRow): InterfaceStatus {
  if (win32Code(code) === winerror.ERROR_FILE_NOT_FOUND) return 'GONE';
  if (code !== winerror.ERROR_SUCCESS) return 'UNKNOWN';
  const isMediaLost =
    row.MediaConnectState === MediaConnectStateDisconnected || row.InterfaceAndOperStatusFlags.NotMediaConnected;
  return row.OperStatus === IfOperStatusUp && !isMediaLost ? 'UP' : 'DOWN';
}

/**
 * Decides whether a link is down, and by which evidence. IsConnected of the device decides first:
 * it is about this peer only, while an interface can serve several. It can lag behind the
 * interface, so if the two contradict each other, the link gets a second look.
 */
export function assess(
  before: LinkObservation,
  status: InterfaceStatus,
  device: DeviceProperties | undefined,
  { isSettled, isClosing }: LinkAge,
): { readonly observation: LinkObservation; readonly evidence: DisconnectEvidence | undefined } {
  const isConnected = device?.isConnected === true;
  const observation: LinkObservation = {
    wasUp: before.wasUp || status === 'UP',
    wasConnected: before.wasConnected || isConnected,
    needsSecondLook: false,
  };
  const neverCameUp = isSettled && !isConnected;
  // If a link is closed soon after its open, nobody may have seen the device connected.
  const wasConnected = before.wasConnected || (neverCameUp && isClosing && device !== undefined);
  if (wasConnected && !isConnected) return { observation, evidence: 'DEVICE_DISCONNECTED' };
  let evidence: DisconnectEvidence | undefined;
  if (status === 'GONE' || (status === 'ABSENT' && neverCameUp)) evidence = 'INTERFACE_GONE';
  if (status === 'DOWN' && (before.wasUp || neverCameUp)) evidence = 'INTERFACE_DOWN';
  if (evidence !== undefined && isConnected && !before.needsSecondLook) {
    return { observation: { ...observation, needsSecondLook: true }, evidence: undefined };
  }
  return { observation, evidence };
}
