/**
 * `-o json` and `-o yaml`: the messages of the contract, and nothing that a terminal would obey.
 */
import test from 'ava';
import { parse, parseAllDocuments } from 'yaml';
import { streamedDocument, wholeDocument } from '../../clients/ctl/src/text/document.js';
import { hostMessage } from '../../clients/ctl/src/text/host.js';
import * as messages from '../../clients/ctl/src/text/messages.js';
import { GetHostResponse } from '../../proto/gen/wifidirect/v1/host_service.js';
import { event, session } from './typescript-host.js';

const strange = {
  name: 'a\x1b[31m\u009b2J\u202eb\u2028c',
  yes: 'no',
  number: '007',
  address: '12:11:22:33:44:01',
  list: [],
  at: '2026-01-01T00:00:00Z',
};

for (const format of ['json', 'yaml'] as const) {
  test(`${format} says again what it was given, whatever is in it`, (t) => {
    t.deepEqual(parse(wholeDocument(strange, format)), strange);
    t.deepEqual(
      parseAllDocuments(streamedDocument(strange, 'yaml').repeat(2)).map((document) => document.toJS()),
      [strange, strange],
    );
  });

  test(`${format} holds nothing that a terminal would obey`, (t) => {
    for (const text of [wholeDocument(strange, format), streamedDocument(strange, format)])
      t.notRegex(text.replaceAll('\n', ''), /[\p{Cc}\u2028-\u202e\u2066-\u2069]/u);
  });
}

test('YAML has quotes where an older reader would see something else, and no others', (t) => {
  const text = wholeDocument({ a: '12:11:22:33:44:01', b: 'no', c: '2026-01-01T00:00:00Z', d: 'a word', e: 7 }, 'yaml');
  t.is(text, 'a: "12:11:22:33:44:01"\nb: "no"\nc: "2026-01-01T00:00:00Z"\nd: a word\ne: 7\n');
});

test('JSON of a stream is one line each', (t) => {
  t.regex(streamedDocument(strange, 'json'), /^[^\n]+\n$/);
});

test('a list that is empty is there', (t) => {
  t.deepEqual(messages.listSessions([], 'c'), { sessions: [], cursor: 'c' });
  t.deepEqual(messages.listDevices([], 'c'), { devices: [], cursor: 'c' });
});

test('states have their full names, as in ProtoJSON', (t) => {
  t.like(messages.sessionAt({ session: session('OPEN'), cursor: 'c', hostTime: undefined }), {
    session: { sessionId: 'a-session', state: 'SESSION_STATE_OPEN' },
    cursor: 'c',
  });
});

test('what a watch gives is a WatchSessionsResponse, item by item', (t) => {
  const change = { kind: 'event', event: event(7, 'OPEN'), cursor: 'c7' } as const;
  t.like(messages.watchedSessions(change), { events: [{ sequence: '7' }], cursor: 'c7' });
  const snapshot = { kind: 'snapshot', sessions: [session('OPEN')], cursor: 'c8' } as const;
  t.like(messages.watchedSessions(snapshot), { snapshot: [{ sessionId: 'a-session' }], snapshotComplete: true });
  t.deepEqual(messages.watchedSessions({ kind: 'bookmark', cursor: 'c9' }), { cursor: 'c9' });
});

test('a Duration is written as ProtoJSON has it', (t) => {
  const host = GetHostResponse.fromPartial({
    limits: {
      sessionsMax: 3,
      closeTimeout: { seconds: 15n, nanos: 0 },
      leaseTtlMin: { seconds: 1n, nanos: 50_000_000 },
    },
  });
  t.deepEqual(hostMessage(host), { limits: { sessionsMax: 3, closeTimeout: '15s', leaseTtlMin: '1.05s' } });
});
