/** Converts between the types of the rooms and the messages of the contract, in both directions. */

import type { Duration } from '../../proto/gen/google/protobuf/duration.js';
import * as devices from '../../proto/gen/wifidirect/v1/device.js';
import * as errors from '../../proto/gen/wifidirect/v1/error.js';
import * as proto from '../../proto/gen/wifidirect/v1/session.js';
import type { DeviceEvent } from '../device/device.js';
import type { DeviceProperties } from '../driver/driver.js';
import type { Fault, NativeResult, Reason } from '../fault.js';
import type {
  DisconnectEvidence,
  EventCause,
  NetworkInterface,
  Session,
  SessionEvent,
  SessionKind,
  SessionState,
} from '../session/session.js';

export function toSession(session: Session): proto.Session {
  const { end } = session;
  return {
    sessionId: session.id,
    deviceAddress: session.deviceAddress,
    kind: proto.SessionKind[session.kind],
    state: proto.SessionState[session.state],
    owner: session.owner,
    networkInterface: session.networkInterface && toNetworkInterface(session.networkInterface),
    end: end && {
      reason: proto.SessionEndReason[end.reason],
      evidence: toEvidence(end.evidence),
      error: end.fault && toSessionError(end.fault),
    },
    leaseExpireTime: toTime(session.leaseExpireTimeMs),
    createTime: toTime(session.createTimeMs),
    openTime: toTime(session.openTimeMs),
    closeTime: toTime(session.closeTimeMs),
    endTime: toTime(session.endTimeMs),
    requestId: session.requestId,
  };
}

export function toSessionEvent(event: SessionEvent): proto.SessionEvent {
  return {
    sequence: BigInt(event.sequence),
    epoch: event.epoch,
    time: toTime(event.timeMs),
    type: proto.SessionEventType[event.type],
    session: toSession(event.session),
    cause: toCause(event.cause),
    nativeResult: event.native && toNativeResult(event.native),
  };
}

export function toNativeResult(native: NativeResult): errors.NativeResult {
  return { ...native };
}

/** Converts wall-clock time to the clock of `performance.now()`, as well as this process can. */
type ToSteady = (timeMs: number) => number;

/**
 * The inverse of `toSessionEvent`. `fault` is the fault of the end: the message has only a part of
 * it.
 */
export function fromSessionEvent(
  event: proto.SessionEvent,
  fault: Fault | undefined,
  toSteady: ToSteady = () => 0,
): SessionEvent {
  const timeMs = event.time?.getTime() ?? 0;
  return {
    sequence: Number(event.sequence),
    epoch: event.epoch,
    timeMs,
    steadyMs: toSteady(timeMs),
    type: nameOf(proto.SessionEventType, event.type),
    session: fromSession(event.session ?? proto.Session.fromPartial({}), fault, toSteady),
    cause: fromCause(event.cause),
    native: event.nativeResult && fromNativeResult(event.nativeResult),
  };
}

function fromSession(session: proto.Session, fault: Fault | undefined, toSteady: ToSteady): Session {
  const { end, networkInterface } = session;
  const [createTimeMs = 0, openTimeMs, closeTimeMs, endTimeMs] = [
    session.createTime,
    session.openTime,
    session.closeTime,
    session.endTime,
  ].map((time) => time?.getTime());
  const steady = (timeMs: number | undefined) => (timeMs === undefined ? undefined : toSteady(timeMs));
  return {
    id: session.sessionId,
    deviceAddress: session.deviceAddress,
    kind: nameOf(proto.SessionKind, session.kind),
    state: nameOf(proto.SessionState, session.state),
    owner: session.owner,
    requestId: session.requestId,
    networkInterface,
    end: end && {
      reason: nameOf(proto.SessionEndReason, end.reason),
      evidence: end.evidence === 0 ? undefined : nameOf(proto.DisconnectEvidence, end.evidence),
      fault: end.error === undefined ? undefined : (fault ?? fromSessionError(end.error)),
    },
    leaseExpireTimeMs: session.leaseExpireTime?.getTime(),
    createTimeMs,
    openTimeMs,
    closeTimeMs,
    endTimeMs,
    marks: {
      createMs: toSteady(createTimeMs),
      openMs: steady(openTimeMs),
      closeMs: steady(closeTimeMs),
      endMs: steady(endTimeMs),
    },
  };
}

function fromCause(cause: proto.EventCause | undefined): EventCause {
  return {
    source: nameOf(proto.EventSource, cause?.source ?? 0),
    rpc: cause?.rpc ?? '',
    principal: cause?.principal ?? '',
    requestId: cause?.requestId ?? '',
  };
}

function fromNativeResult(native: errors.NativeResult): NativeResult {
  return { ...native };
}

function fromSessionError({ reason, message, nativeResult }: errors.SessionError): Fault {
  return {
    reason: nameOf(errors.ErrorReason, reason),
    message,
    ...(nativeResult && { native: fromNativeResult(nativeResult) }),
  };
}

/**
 * The name of an enum value. Values that are read back were written by this or an earlier version,
 * so each has a name.
 */
function nameOf<Name extends string>(names: Readonly<Record<string, number>>, value: number): Name {
  let known = namesByNumber.get(names);
  if (known === undefined) {
    known = new Map(Object.entries(names).map(([name, number]) => [number, name]));
    namesByNumber.set(names, known);
  }
  const name = known.get(value);
  if (name === undefined) throw new RangeError(`There is no name for ${value}.`);
  return name as Name;
}

/** Of each enum. A start reads many sessions back. */
const namesByNumber = new Map<object, ReadonlyMap<number, string>>();

/** A property that Windows leaves empty stays unset. */
export function toDevice(device: DeviceProperties): devices.Device {
  return {
    deviceAddress: device.address,
    name: device.name,
    isConnected: device.isConnected,
    isVisible: device.isVisible,
    isLegacy: device.isLegacy,
    linkQuality: device.linkQuality,
    interfaceAddress: device.interfaceAddress ?? '',
    networkInterfaceGuid: device.interfaceGuid ?? '',
    groupId: device.groupId ?? '',
    isPresent: device.isPresent,
    isTransient: device.isTransient,
  };
}

export function toDeviceEvent({ sequence, epoch, timeMs, change }: DeviceEvent): devices.DeviceEvent {
  return {
    sequence: BigInt(sequence),
    epoch,
    time: toTime(timeMs),
    type: devices.DeviceEventType[change.type],
    device: toDevice(change.device),
  };
}

export function toEvidence(evidence: DisconnectEvidence | undefined): proto.DisconnectEvidence {
  return proto.DisconnectEvidence[evidence ?? 'UNSPECIFIED'];
}

export function toReason(reason: Reason | undefined): errors.ErrorReason {
  return errors.ErrorReason[reason ?? 'UNSPECIFIED'];
}

/** Undefined if this version does not know the number. */
export function fromSessionKind(kind: number): SessionKind | undefined {
  if (kind === proto.SessionKind.UNSPECIFIED || kind === proto.SessionKind.WIFI_DIRECT) return 'WIFI_DIRECT';
  return kind === proto.SessionKind.LEGACY ? 'LEGACY' : undefined;
}

const stateNames = new Map<number, SessionState>(
  (['OPENING', 'OPEN', 'CANCELLING', 'CLOSING', 'CLOSED', 'FAILED', 'CANCELLED', 'LOST'] as const).map((state) => [
    proto.SessionState[state],
    state,
  ]),
);

export function fromSessionState(state: number): SessionState | undefined {
  return stateNames.get(state);
}

export function toDuration(ms: number): Duration {
  return { seconds: BigInt(Math.floor(ms / 1000)), nanos: (ms % 1000) * 1_000_000 };
}

/**
 * Milliseconds with a fraction, so that the exact value is checked against the range; NaN if the
 * message is not a valid Duration. Round only after the check.
 */
export function fromDuration({ seconds, nanos }: Duration): number {
  const isValid = Math.abs(nanos) < 1e9 && Number(seconds) * nanos >= 0;
  return isValid ? Number(seconds) * 1000 + nanos / 1e6 : Number.NaN;
}

function toTime(ms: number | undefined): Date | undefined {
  return ms === undefined ? undefined : new Date(ms);
}

function toNetworkInterface(networkInterface: NetworkInterface): proto.NetworkInterface {
  const { guid, luid, index, alias } = networkInterface;
  return {
    guid,
    luid,
    index,
    alias,
    localAddresses: [...networkInterface.localAddresses],
    peerAddresses: [...networkInterface.peerAddresses],
  };
}

function toCause(cause: EventCause): proto.EventCause {
  return {
    source: proto.EventSource[cause.source],
    rpc: cause.rpc,
    principal: cause.principal,
    requestId: cause.requestId,
  };
}

function toSessionError(fault: Fault): errors.SessionError {
  return {
    reason: toReason(fault.reason),
    message: fault.message,
    nativeResult: fault.native && toNativeResult(fault.native),
  };
}
