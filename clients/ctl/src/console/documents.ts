/** Hosts, sessions and devices as JSON for the page: ProtoJSON, with a remedy for each failure. */
import { DeviceEvent as DeviceEvents, Device as Devices } from '../../../../proto/gen/wifidirect/v1/device.js';
import { SessionEvent as SessionEvents, Session as Sessions } from '../../../../proto/gen/wifidirect/v1/session.js';
import {
  type Device,
  type DeviceEvent,
  ErrorReason,
  GatewayError,
  type GetHostResponse,
  nameOf,
  type Session,
  type SessionEvent,
  status,
} from '../../../typescript/src/client.js';
import { toCliError } from '../error-messages.js';
import { hostMessage } from '../text/host.js';
import type { Document, WithRemedy } from './frames.js';

export function hostDocument(about: GetHostResponse, host: string): WithRemedy {
  const document = hostMessage(about) as Document;
  if (about.stateReason === ErrorReason.UNSPECIFIED) return document;
  const { library = '', function: name = '' } = about.driver?.missingFunctions[0] ?? {};
  const reason = nameOf(ErrorReason, about.stateReason);
  const error = new GatewayError(status.UNAVAILABLE, about.stateMessage, {
    reason,
    metadata: { library, function: name },
  });
  return { ...document, remedy: toCliError(error, host).message };
}

export function sessionDocument(session: Session): WithRemedy {
  const document = Sessions.toJSON(session) as Document;
  const remedy = remedyOf(session);
  return remedy === undefined ? document : { ...document, remedy };
}

export function eventDocument(event: SessionEvent): WithRemedy {
  const document = SessionEvents.toJSON(event) as Document;
  const remedy = event.session && remedyOf(event.session);
  return remedy === undefined ? document : { ...document, remedy };
}

export function deviceDocument(device: Device): Document {
  return Devices.toJSON(device) as Document;
}

export function deviceEventDocument(event: DeviceEvent): Document {
  return DeviceEvents.toJSON(event) as Document;
}

/** The sentence that `wfdctl open` would print for the failure of this session. */
function remedyOf({ end, sessionId, deviceAddress }: Session): string | undefined {
  if (end?.error === undefined) return undefined;
  const { reason, message, nativeResult } = end.error;
  const error = new GatewayError(status.UNKNOWN, message, {
    reason: nameOf(ErrorReason, reason),
    metadata: { session_id: sessionId, device_address: deviceAddress },
    ...(nativeResult && { native: nativeResult }),
  });
  return toCliError(error, '').message;
}
