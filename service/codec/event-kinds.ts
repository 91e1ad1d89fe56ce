/**
 * Events of sessions and devices as their logs keep them: encoded, with the few values by which
 * readers select them.
 *
 * Decoded, a full log would take six times the memory of its limit in bytes, and each reader that
 * resumes would cost encoding.
 */
import type { DeviceEvent, DeviceEventDraft, LoggedDeviceEvent } from '../device/device.js';
import type { EventKind } from '../events/stream.js';
import type { LoggedSessionEvent, SessionEvent, SessionEventDraft } from '../session/session.js';
import { bytesOfDeviceEvent, bytesOfEvent } from './encode-once.js';
import { Shelf } from './shelf.js';

export const sessionLabel = (id: string) => `session ${id}`;
export const ownerLabel = (principal: string) => `owner ${principal}`;

/** One kind for each log, because the bytes of a log are stored together. */
export function sessionEventKind(): EventKind<SessionEventDraft, SessionEvent, LoggedSessionEvent> {
  const shelf = new Shelf();
  return {
    stamp: (draft, sequence, epoch) => ({ ...draft, sequence, epoch }),
    record: (event) => {
      const { sequence, arrivedMs, session, type } = event;
      const isRenewal = type === 'LEASE_RENEWED';
      const bytes = bytesOfEvent(event);
      // A renewal may be dropped among events that stay, which would leave a gap in the shelf.
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
