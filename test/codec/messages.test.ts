/** Domain ↔ proto: every value has its counterpart, by name, and nothing is lost on the way. */
import test from 'ava';
import fc from 'fast-check';
import { Device, DeviceEventType } from '../../proto/gen/wifidirect/v1/device.js';
import { ErrorReason } from '../../proto/gen/wifidirect/v1/error.js';
import * as proto from '../../proto/gen/wifidirect/v1/session.js';
import * as messages from '../../service/codec/messages.js';
import type { DeviceProperties } from '../../service/driver/driver.js';
import { nativeResult, openOutcome } from '../../service/driver/win32-error.js';
import type { Session, SessionEvent } from '../../service/session/session.js';
import { by, ERROR_GEN_FAILURE, livesEnded, livesIn, networkInterface, START_MS } from '../session/life.js';
import { randomly } from '../session/seed.js';

const names = (numbers: Readonly<Record<string, number>>) =>
  Object.keys(numbers).filter((name) => name !== 'UNSPECIFIED' && name !== 'UNRECOGNIZED');

test('a session in each state is itself on the other side', (t) => {
  for (const [state, make] of [...Object.entries(livesIn), ...Object.entries(livesEnded)]) {
    const { session } = make();
    const sent = proto.Session.decode(proto.Session.encode(messages.toSession(session)).finish());
    t.is(sent.state, proto.SessionState[state as Session['state']]);
    t.like(sent, { sessionId: 'session-1', deviceAddress: '02:11:22:33:44:01', owner: 'alice', requestId: '' });
    t.is(sent.kind, proto.SessionKind.WIFI_DIRECT);
    t.is(sent.createTime?.getTime(), START_MS);
    t.is(sent.openTime?.getTime(), session.openTimeMs);
    t.is(sent.closeTime?.getTime(), session.closeTimeMs);
    t.is(sent.endTime?.getTime(), session.endTimeMs);
    t.is(sent.leaseExpireTime, undefined);
    t.deepEqual(
      sent.networkInterface,
      session.networkInterface && { ...networkInterface, localAddresses: [], peerAddresses: [] },
    );
    t.is(sent.end === undefined, session.end === undefined);
  }
});

test('the end of a session tells reason, evidence and error', (t) => {
  t.deepEqual(messages.toSession(livesEnded.CLOSED().session).end, {
    reason: proto.SessionEndReason.REQUESTED,
    evidence: proto.DisconnectEvidence.DEVICE_DISCONNECTED,
    error: undefined,
  });
  const failed = messages.toSession(livesEnded.FAILED().session).end;
  t.is(failed?.evidence, proto.DisconnectEvidence.UNSPECIFIED);
  t.is(failed?.error?.reason, ErrorReason.OPEN_FAILED);
  t.is(failed?.error?.nativeResult?.code, ERROR_GEN_FAILURE);
});

test('an event carries its number, its cause and what the native call said', (t) => {
  const { events } = livesEnded.FAILED();
  const event = { ...events.at(-1), sequence: 7, epoch: '0123456789abcdef' } as SessionEvent;
  const sent = messages.toSessionEvent(event);
  t.is(sent.sequence, 7n);
  t.is(sent.epoch, '0123456789abcdef');
  t.is(sent.type, proto.SessionEventType.FAILED);
  t.is(sent.time?.getTime(), event.timeMs);
  t.is(sent.cause?.source, proto.EventSource.NATIVE);
  t.is(sent.nativeResult?.function, 'WFD_OPEN_SESSION_COMPLETE_CALLBACK');
  const asked = messages.toSessionEvent({ ...event, cause: by('CloseSession', 'r-1'), native: undefined });
  t.deepEqual(asked.cause, {
    source: proto.EventSource.CLIENT,
    rpc: 'wifidirect.v1.SessionService/CloseSession',
    principal: 'alice',
    requestId: 'r-1',
  });
  t.is(asked.nativeResult, undefined);
});

test('a sequence beyond 2³² is itself', (t) => {
  const event = { ...livesIn.OPENING().events[0], sequence: Number.MAX_SAFE_INTEGER, epoch: '' } as SessionEvent;
  t.is(messages.toSessionEvent(event).sequence, BigInt(Number.MAX_SAFE_INTEGER));
});

test('a native result goes over unchanged', (t) => {
  const result = nativeResult('WFDCloseSession', 0xffff_ffff, 0x38002, 'no');
  t.deepEqual(messages.toNativeResult(result), { ...result });
  t.is(openOutcome(nativeResult('x', 0)).fault, undefined);
});

test('the states that are known by number are those of the contract', (t) => {
  for (const name of names(proto.SessionState)) {
    t.is(messages.fromSessionState(proto.SessionState[name as Session['state']]), name as Session['state']);
  }
  for (const strange of [0, -1, 9, 99]) t.is(messages.fromSessionState(strange), undefined);
});

test('an unspecified kind means Wi-Fi Direct, and a strange one nothing', (t) => {
  t.deepEqual([0, 1, 2, 3, -1].map(messages.fromSessionKind), [
    'WIFI_DIRECT',
    'WIFI_DIRECT',
    'LEGACY',
    undefined,
    undefined,
  ]);
});

test('a property that Windows leaves empty stays unset', (t) => {
  const empty: DeviceProperties = {
    address: 'aa:bb:cc:dd:ee:f0',
    name: '',
    isConnected: undefined,
    isVisible: undefined,
    isLegacy: undefined,
    linkQuality: undefined,
    interfaceGuid: undefined,
    interfaceAddress: undefined,
    groupId: undefined,
    isPresent: undefined,
    isTransient: undefined,
  };
  const sent = Device.decode(Device.encode(messages.toDevice(empty)).finish());
  t.is(sent.deviceAddress, 'aa:bb:cc:dd:ee:f0');
  for (const field of ['isConnected', 'isVisible', 'isLegacy', 'linkQuality', 'isPresent', 'isTransient'] as const)
    t.is(sent[field], undefined, field);
  const full = messages.toDevice({ ...empty, isConnected: false, linkQuality: 0, isPresent: false, isTransient: true });
  const read = Device.decode(Device.encode(full).finish());
  t.is(read.isConnected, false, 'false is said');
  t.is(read.linkQuality, 0);
  t.is(read.isPresent, false);
  t.is(read.isTransient, true);
});

test('a device event carries its number and its type', (t) => {
  const device = { address: 'aa:bb:cc:dd:ee:f0', name: 'x' } as DeviceProperties;
  for (const type of ['ADDED', 'CHANGED', 'REMOVED'] as const) {
    const sent = messages.toDeviceEvent({ sequence: 3, epoch: 'e', timeMs: START_MS, change: { type, device } });
    t.is(sent.type, DeviceEventType[type]);
    t.is(sent.sequence, 3n);
    t.is(sent.time?.getTime(), START_MS);
  }
});

test('milliseconds are the same after a way through Duration', (t) => {
  fc.assert(
    fc.property(fc.nat({ max: 86_400_000_000 }), (ms) => messages.fromDuration(messages.toDuration(ms)) === ms),
    randomly(t, 300),
  );
  t.deepEqual(messages.toDuration(1500), { seconds: 1n, nanos: 500_000_000 });
});

test('evidence and reason that are not there are UNSPECIFIED', (t) => {
  t.is(messages.toEvidence(undefined), proto.DisconnectEvidence.UNSPECIFIED);
  t.is(messages.toReason(undefined), ErrorReason.UNSPECIFIED);
  t.is(messages.toEvidence('INTERFACE_DOWN'), proto.DisconnectEvidence.INTERFACE_DOWN);
});
