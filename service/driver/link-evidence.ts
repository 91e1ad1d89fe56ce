/** Judges a link by what Windows says of its device and of its interface: pure, so that every order of arrival can be tested. */
import { IfOperStatusUp, MediaConnectStateDisconnected, winerror } from '../../native/constants.js';
import type { InterfaceRow } from '../../native/netioapi.js';
import type { DisconnectEvidence } from '../session/session.js';
import type { DeviceProperties } from './driver.js';
import { win32Code } from './win32-error.js';

/** What has been seen of one link. Going down means something only after having been up, or when it should have been up long since. */
export interface LinkSight {
  readonly wasUp: boolean;
  readonly wasConnected: boolean;
  /** The interface spoke against the device once; the device has until the next look to agree. */
  readonly isDoubted: boolean;
}

/** Where a link is in its life. */
export interface LinkAge {
  /** It has had its time to come up. */
  readonly isSettled: boolean;
  /** Windows has queued its close. */
  readonly isClosing: boolean;
}

/** ABSENT: the GUID names no interface, or not yet. */
export type InterfaceSight = 'UP' | 'DOWN' | 'GONE' | 'ABSENT' | 'UNKNOWN';

export const freshSight: LinkSight = { wasUp: false, wasConnected: false, isDoubted: false };

/** What an answer of GetIfEntry2 says of the interface. */
export function interfaceSight(code: number, row: InterfaceRow): InterfaceSight {
  if (win32Code(code) === winerror.ERROR_FILE_NOT_FOUND) return 'GONE';
  if (code !== winerror.ERROR_SUCCESS) return 'UNKNOWN';
  const isMediaLost =
    row.MediaConnectState === MediaConnectStateDisconnected || row.InterfaceAndOperStatusFlags.NotMediaConnected;
  return row.OperStatus === IfOperStatusUp && !isMediaLost ? 'UP' : 'DOWN';
}

/**
 * The device's IsConnected comes first: only it speaks of this peer alone, as an interface may serve several. It may lag behind
 * the interface, so where they disagree it is given one more look.
 */
export function judge(
  sight: LinkSight,
  link: InterfaceSight,
  device: DeviceProperties | undefined,
  { isSettled, isClosing }: LinkAge,
): { readonly sight: LinkSight; readonly evidence: DisconnectEvidence | undefined } {
  const isConnected = device?.isConnected === true;
  const seen: LinkSight = {
    wasUp: sight.wasUp || link === 'UP',
    wasConnected: sight.wasConnected || isConnected,
    isDoubted: false,
  };
  const neverCameUp = isSettled && !isConnected;
  // A link that was closed soon after its opening may never have been seen connected.
  const wasConnected = sight.wasConnected || (neverCameUp && isClosing && device !== undefined);
  if (wasConnected && !isConnected) return { sight: seen, evidence: 'DEVICE_DISCONNECTED' };
  let evidence: DisconnectEvidence | undefined;
  if (link === 'GONE' || (link === 'ABSENT' && neverCameUp)) evidence = 'INTERFACE_GONE';
  if (link === 'DOWN' && (sight.wasUp || neverCameUp)) evidence = 'INTERFACE_DOWN';
  if (evidence !== undefined && isConnected && !sight.isDoubted) {
    return { sight: { ...seen, isDoubted: true }, evidence: undefined };
  }
  return { sight: seen, evidence };
}
