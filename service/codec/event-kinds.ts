/**
 * The events of sessions and of devices as their logs keep them: encoded, with the little by which
 * readers choose.
 *
 * Encoded, a full log takes what its limit in bytes says and not six times as much, and who resumes
 * costs no encoding.
 */
import type { DeviceEvent, DeviceEventDraft, LoggedDeviceEvent } from '../device/device.js';
import type { EventKind } from '../events/stream.js';
import type { LoggedSessionEvent, SessionEvent, SessionEventDraft } from '../session/session.js';
import { bytesOfDeviceEvent, bytesOfEvent } from './encode-once.js';
import { Shelf } from './shelf.js';

export const sessionLabel = (id: string) => `session ${id}`;
export const ownerLabel = (principal: string) => `owner ${principal}`;

/** Of one log, as what it keeps lies together. */
export function sessionEventKind(): EventKind<SessionEventDraft, SessionEvent, LoggedSessionEvent> {
  const shelf = new Shelf();
  return {
    stamp: (draft, sequence, epoch) => ({ ...draft, sequence, epoch }),
    record: (event) => {
      const { sequence, arrivedMs, session, type } = event;
      const isRenewal = type === 'LEASE_RENEWED';
      const bytes = bytesOfEvent(event);
      // A renewal may be dropped amid others that stay, and would leave a gap on the shelf.
      const kept = isRenewal ? bytes : shelf.put(bytes);
      return { sequence, arrivedMs, sessionId: session.id, owner: session.owner, isRenewal, bytes: kept };
    },
    topicOf: ({ sessionId }) => sessionId,
    labelsOf: ({ sessionId, owner }) => [sessionLabel(sessionId), ownerLabel(owner)],
    sizeOf: ({ bytes }) => bytes.length,
    isRefresh: ({ isRenewal }) => isRenewal,
  };
}

export function deviceEventKind(): EventKind<DeviceEventDraft, DeviceEvent, LoggedDeviceEvent> {
  const shelf = new Shelf();
  return {
    stamp: (draft, sequence, epoch) => ({ ...draft, sequence, epoch }),
    record: (event) => {
      const bytes = shelf.put(bytesOfDeviceEvent(event));
      return { sequence: event.sequence, deviceAddress: event.change.device.address, bytes };
    },
    topicOf: ({ deviceAddress }) => deviceAddress,
    labelsOf: ({ deviceAddress }) => [deviceAddress],
    sizeOf: ({ bytes }) => bytes.length,
    isRefresh: () => false,
  };
}
