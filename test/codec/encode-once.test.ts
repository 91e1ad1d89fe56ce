/**
 * What is put together from bytes is byte for byte what the generated code would have written, and
 * each part is encoded once.
 */
import test from 'ava';
import fc from 'fast-check';
import { WatchDevicesResponse } from '../../proto/gen/wifidirect/v1/device_service.js';
import {
  GetSessionResponse,
  ListSessionsResponse,
  OpenSessionResponse,
  WatchSessionsResponse,
} from '../../proto/gen/wifidirect/v1/session_service.js';
import {
  encodeAnswer,
  encodeOpenSession,
  encodePage,
  encodeWatchDevices,
  encodeWatchSessions,
  type WatchMessage,
} from '../../service/codec/encode-once.js';
import { deviceEventKind, sessionEventKind } from '../../service/codec/event-kinds.js';
import { toDevice, toDeviceEvent, toSession, toSessionEvent } from '../../service/codec/messages.js';
import type { DeviceEvent } from '../../service/device/device.js';
import type { DeviceProperties } from '../../service/driver/driver.js';
import type { Session, SessionEvent } from '../../service/session/session.js';
import { livesEnded, livesIn, START_MS } from '../session/life.js';
import { randomly } from '../session/seed.js';

const EPOCH = '0123456789abcdef';

const events: SessionEvent[] = [...Object.values(livesIn), ...Object.values(livesEnded)]
  .flatMap((make) => make().events)
  .map((draft, i) => ({ ...draft, sequence: i + 1, epoch: EPOCH }));
const sessions: Session[] = Object.values(livesIn).map((make) => make().session);
const devices: DeviceProperties[] = ['aa:bb:cc:dd:ee:f0', 'aa:bb:cc:dd:ee:f2'].map((address) => ({
  address,
  name: 'Meeting Room Display',
  isConnected: undefined,
  isVisible: true,
  isLegacy: false,
  linkQuality: 80,
  interfaceGuid: undefined,
  interfaceAddress: undefined,
  groupId: undefined,
  isPresent: undefined,
  isTransient: undefined,
}));
const deviceEvents: DeviceEvent[] = devices.map((device, i) => ({
  sequence: i + 1,
  epoch: EPOCH,
  timeMs: START_MS,
  change: { type: 'ADDED', device },
}));

function watchMessages<E, S>(eventsOf: readonly E[], items: readonly S[]): fc.Arbitrary<WatchMessage<E, S>> {
  return fc.record({
    events: fc.subarray([...eventsOf]),
    cursor: fc.constantFrom('', `${EPOCH}.0`, `${EPOCH}.12345`),
    snapshot: fc.subarray([...items]),
    snapshotComplete: fc.boolean(),
  });
}

/** As the logs keep them. */
const recordOf = { session: sessionEventKind().record, device: deviceEventKind().record };

/** The host's clock when a message is sent, to the millisecond. */
const NOW_MS = START_MS + 7;
const hostTime = new Date(NOW_MS);

test('a message of a watch of sessions is what the generated code writes', (t) => {
  fc.assert(
    fc.property(watchMessages(events, sessions), (message) => {
      const whole = {
        ...message,
        events: message.events.map(toSessionEvent),
        snapshot: message.snapshot.map(toSession),
        hostTime,
      };
      const encoded = { ...message, events: message.events.map(recordOf.session) };
      return encodeWatchSessions(encoded, NOW_MS).equals(WatchSessionsResponse.encode(whole).finish());
    }),
    randomly(t, 300),
  );
  t.pass();
});

test('a message of a watch of devices is what the generated code writes', (t) => {
  fc.assert(
    fc.property(watchMessages(deviceEvents, devices), (message) => {
      const whole = {
        ...message,
        events: message.events.map(toDeviceEvent),
        snapshot: message.snapshot.map(toDevice),
        hostTime,
      };
      const encoded = { ...message, events: message.events.map(recordOf.device) };
      return encodeWatchDevices(encoded, NOW_MS).equals(WatchDevicesResponse.encode(whole).finish());
    }),
    randomly(t, 100),
  );
  t.pass();
});

test('a message of an OpenSession stream is what the generated code writes, with an event or without', (t) => {
  const cursor = `${EPOCH}.7`;
  for (const event of [...events, undefined]) {
    const whole = OpenSessionResponse.encode({ event: event && toSessionEvent(event), cursor, hostTime });
    t.true(encodeOpenSession({ event, cursor }, NOW_MS).equals(whole.finish()));
  }
});

test('an answer to a unary call is what the generated code writes', (t) => {
  const cursor = `${EPOCH}.7`;
  for (const session of sessions) {
    const whole = GetSessionResponse.encode({ session: toSession(session), cursor, hostTime });
    t.true(encodeAnswer({ session, cursor }, NOW_MS).equals(whole.finish()));
  }
  for (const nextPageToken of ['', 'next']) {
    const whole = ListSessionsResponse.encode({ sessions: sessions.map(toSession), nextPageToken, cursor, hostTime });
    t.true(encodePage({ sessions, nextPageToken, cursor }, NOW_MS).equals(whole.finish()));
  }
});

test('the time of the host is that of the sending, though the event was encoded before', (t) => {
  const event = events[0] as SessionEvent;
  const sentAt = [NOW_MS, NOW_MS + 60_000].map((ms) => {
    const { hostTime: told } = OpenSessionResponse.decode(encodeOpenSession({ event, cursor: 'c' }, ms));
    return told?.getTime();
  });
  t.deepEqual(sentAt, [NOW_MS, NOW_MS + 60_000]);
});

test('an event is encoded once, however many streams carry it', (t) => {
  let encodings = 0;
  const event = { ...(events[0] as SessionEvent) };
  const counted = Object.defineProperty(event, 'epoch', {
    get: () => {
      encodings += 1;
      return EPOCH;
    },
  });
  const message = { events: [recordOf.session(counted)], cursor: '', snapshot: [], snapshotComplete: false };
  const encodingsOnce = encodings;
  for (let reader = 0; reader < 10; reader += 1) {
    encodeWatchSessions(message);
    encodeOpenSession({ event: counted, cursor: '' });
  }
  t.is(encodingsOnce, 1);
  t.is(encodings, 1);
});
