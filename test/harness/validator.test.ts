/**
 * The validator finds each way to break a promise. That it believes the truth is in
 * `validator-truth.test.ts`.
 */
import test from 'ava';
import { type SessionEvent, SessionEventType } from '../../proto/gen/wifidirect/v1/session.js';
import type { WatchSessionsResponse } from '../../proto/gen/wifidirect/v1/session_service.js';
import { arrives, ERROR_CANCELLED } from '../session/life.js';
import { StreamValidator } from './validator.js';
import { type Watch, WatchedHost } from './watched-host.js';

/**
 * A watch with all that there is in it: a snapshot of three sessions in two parts, events that come
 * alone and in batches, a bookmark; then the connection breaks, and a second goes on.
 */
function record(): { first: WatchSessionsResponse[]; second: WatchSessionsResponse[]; last: number } {
  const host = new WatchedHost({ batchEventsMax: 2 });
  for (const id of ['one', 'two', 'three']) host.open(id);
  host.in('one', arrives.started(), arrives.opened());
  const watch = host.watch() as Watch;
  const first = watch.read();
  host.in('one', arrives.renew(), arrives.close());
  host.in('two', arrives.started(), arrives.openFailed());
  first.push(...watch.read());
  host.in('one', arrives.closeReturned(), arrives.linkDown());
  first.push(...watch.read(), watch.bookmark());
  watch.close();
  host.in('three', arrives.cancel(), arrives.openFailed(ERROR_CANCELLED));
  host.open('four');
  const again = host.watch(first.at(-1)?.cursor) as Watch;
  const second = again.read();
  again.close();
  return { first, second, last: host.events.log.newest };
}

type Recording = ReturnType<typeof record>;

function validate({ first, second, last }: Recording): readonly string[] {
  const validator = new StreamValidator();
  validator.connected('');
  for (const message of first) validator.message(message);
  validator.disconnected();
  validator.connected(validator.cursor);
  for (const message of second) validator.message(message);
  validator.disconnected();
  try {
    validator.finish(last);
  } catch (error) {
    return [(error as Error).message];
  }
  return [];
}

test('a true recording breaks no promise', (t) => {
  const recording = record();
  t.deepEqual(validate(recording), []);
  t.deepEqual(
    recording.first.map(
      ({ snapshot, events, cursor }) => `${snapshot.length} ${events.length} ${cursor.split('.')[1] ?? '-'}`,
    ),
    ['2 0 -', '1 0 4', '0 2 6', '0 1 7', '0 1 8', '0 0 8'],
  );
  t.deepEqual(
    recording.second.map(({ events }) => events.length),
    [2, 1],
  );
});

const message = (recording: Recording, index: number) => recording.first[index] as WatchSessionsResponse;
const event = (recording: Recording, index: number, at = 0) => message(recording, index).events[at] as SessionEvent;
const cursor = (sequence: number) => `0123456789abcdef.${sequence}`;

/** Each lie changes one thing in the recording, and the validator must say so in these words. */
const lies: readonly (readonly [lie: string, tell: (recording: Recording) => unknown, said: RegExp])[] = [
  ['a message is lost', (r) => r.first.splice(2, 1), /a hole: 5 should come, and 7 does/],
  ['an event of a batch is lost', (r) => message(r, 2).events.shift(), /a hole: 5 should come/],
  [
    'the last event of a batch is lost',
    (r) => message(r, 2).events.pop(),
    /the cursor says 6, but nothing came after 5/,
  ],
  [
    'a message comes twice',
    (r) => r.first.splice(3, 0, message(r, 2)),
    /event 5 comes after 6: twice, or out of order/,
  ],
  ['two events change places', (r) => message(r, 2).events.reverse(), /a hole: 5 should come, and 6 does/],
  ['two messages change places', (r) => r.first.splice(2, 2, message(r, 3), message(r, 2)), /a hole/],
  [
    'a bookmark is ahead',
    (r) => {
      message(r, 5).cursor = cursor(9);
    },
    /the cursor says 9, but nothing came after 8/,
  ],
  [
    'a bookmark is behind',
    (r) => {
      message(r, 5).cursor = cursor(7);
    },
    /the cursor 7 lies before event 8/,
  ],
  [
    'a cursor is missing',
    (r) => {
      message(r, 3).cursor = '';
    },
    /no cursor/,
  ],
  [
    'a cursor is none',
    (r) => {
      message(r, 3).cursor = '7';
    },
    /"7" is no cursor/,
  ],
  [
    'a cursor is of another epoch',
    (r) => {
      message(r, 3).cursor = 'ffffffffffffffff.7';
    },
    /cursor is of epoch ffff/,
  ],
  [
    'an event is of another epoch',
    (r) => {
      event(r, 3).epoch = 'ffffffffffffffff';
    },
    /event 7 is of epoch ffff/,
  ],
  ['the resumed watch skips an event', (r) => r.second[0]?.events.shift(), /a hole: 9 should come/],
  ['the resumed watch repeats an event', (r) => r.second.unshift(message(r, 4)), /event 8 comes after 8: twice/],
  ['the end is missing', (r) => r.second.pop(), /the last event is 11, but the watch has only come to 10/],
  [
    'the snapshot lacks a session',
    (r) => message(r, 0).snapshot.shift(),
    /LEASE_RENEWED of one: the session has not begun/,
  ],
  [
    'the snapshot shows a session twice',
    (r) => message(r, 1).snapshot.push(...message(r, 0).snapshot),
    /shows a session twice/,
  ],
  [
    'the snapshot is older than its cursor',
    (r) => {
      message(r, 1).cursor = cursor(3);
      // A hole before a renewal could be one of renewals.
      message(r, 2).events.shift();
    },
    /a hole: 4 should come, and 6 does/,
  ],
  [
    'the snapshot knows the future',
    (r) => {
      message(r, 1).cursor = cursor(5);
    },
    /event 5 comes after 5: twice/,
  ],
  [
    'a part of the snapshot has a cursor',
    (r) => {
      message(r, 0).cursor = cursor(2);
    },
    /a cursor before the snapshot was complete/,
  ],
  [
    'a part of the snapshot is empty',
    (r) => {
      message(r, 0).snapshot = [];
    },
    /an empty part of a snapshot/,
  ],
  [
    'events come within the snapshot',
    (r) => message(r, 1).events.push(event(r, 2)),
    /events before the snapshot was complete/,
  ],
  [
    'a snapshot comes amid the events',
    (r) => {
      message(r, 3).snapshotComplete = true;
    },
    /a snapshot amid the events/,
  ],
  [
    'a session skips a state',
    (r) => Object.assign(event(r, 2, 1), { type: SessionEventType.CLOSED, session: event(r, 4).session }),
    /CLOSED of one: it can't come in OPEN/,
  ],
  [
    'a session ends twice',
    (r) => {
      event(r, 3).session = event(r, 4).session;
    },
    /CLOSED of one: it can't come in CLOSED/,
  ],
  [
    'an event does not fit its session',
    (r) => {
      event(r, 4).type = SessionEventType.FAILED;
    },
    /FAILED of one: it leaves the session CLOSED/,
  ],
  [
    'an end has no reason',
    (r) => {
      (event(r, 4).session?.end as { reason: number }).reason = 0;
    },
    /it ended for no reason/,
  ],
  [
    'CLOSED has no evidence',
    (r) => {
      (event(r, 4).session?.end as { evidence: number }).evidence = 0;
    },
    /CLOSED and the evidence/,
  ],
  [
    'an ended session has no end',
    (r) => {
      Object.assign(event(r, 4).session ?? {}, { end: undefined });
    },
    /CLOSED and the end don't agree/,
  ],
  [
    'a session changes its owner',
    (r) => {
      Object.assign(event(r, 3).session ?? {}, { owner: 'mallory' });
    },
    /owner was alice and is mallory/,
  ],
  [
    'an open time changes',
    (r) => {
      Object.assign(event(r, 4).session ?? {}, { openTime: new Date(0) });
    },
    /openTime has changed/,
  ],
  [
    'an event has no cause',
    (r) => {
      event(r, 3).cause = undefined;
    },
    /no cause/,
  ],
  [
    'an event has no session',
    (r) => {
      event(r, 3).session = undefined;
    },
    /without a session/,
  ],
  [
    'an event has no known type',
    (r) => {
      event(r, 3).type = 99 as never;
    },
    /type 99/,
  ],
];
for (const [lie, tell, said] of lies) {
  test(`it is found when ${lie}`, (t) => {
    const recording = record();
    tell(recording);
    t.regex(validate(recording).join('\n'), said);
  });
}
