import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import type { Duration } from '../../proto/gen/google/protobuf/duration.js';
import * as check from '../../service/api/requests.js';
import { FaultError } from '../../service/fault.js';
import { randomly } from '../session/seed.js';

/** Expects a refusal of this field, whose sentence says all of these. */
function refused(t: ExecutionContext, ask: () => unknown, field: string, ...says: string[]): void {
  const { fault } = t.throws(ask, { instanceOf: FaultError });
  t.is(fault.reason, 'INVALID_FIELD');
  t.is(fault.field, field);
  t.deepEqual(fault.metadata, { field });
  for (const part of says) t.true(fault.message.includes(part), `${fault.message} should say ${part}`);
}

const UUID = 'F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6';

test('a session id is 4 to 63 of a-z, 0-9 and "-"', (t) => {
  for (const id of ['abcd', 'a---', '0123', 'a'.repeat(63)]) t.is(check.sessionId(id), id);
  const bad = ['', 'abc', 'a'.repeat(64), 'Abcd', 'ab_d', 'ab d', 'abcd\n', 'äbcd', '../x'];
  for (const id of bad) refused(t, () => check.sessionId(id), 'session_id', JSON.stringify(id), '4 to 63');
});

test('a session id begins with a letter or digit, so that no command takes it for an option', (t) => {
  for (const id of ['----', '-abc', '--help', `-${'a'.repeat(62)}`]) {
    refused(t, () => check.sessionId(id), 'session_id', JSON.stringify(id), 'beginning with a letter or digit');
  }
});

test('a session id is refused by the field in which it stood', (t) => {
  refused(t, () => check.sessionId('x', 'session_ids[2]'), 'session_ids[2]');
});

test('a request id is a UUID of any version, in lower case from here on, or empty', (t) => {
  t.is(check.requestId(''), '');
  t.is(check.requestId(UUID), UUID.toLowerCase());
  const bad = [
    'x',
    UUID.slice(1),
    `${UUID}0`,
    `{${UUID}}`,
    UUID.replaceAll('-', ''),
    `${UUID}\n`,
    UUID.replace('F', 'G'),
  ];
  for (const id of bad) refused(t, () => check.requestId(id), 'request_id', 'UUID');
});

test('a device address is brought into one form', (t) => {
  for (const text of ['aa:bb:cc:dd:ee:f0', 'AA:BB:CC:DD:EE:F0', 'aa-bb-cc-dd-ee-f0', 'Aa-bB-cC-Dd-eE-F0']) {
    t.is(check.deviceAddress(text), 'aa:bb:cc:dd:ee:f0');
  }
});

test('what is no device address is refused, with an example', (t) => {
  const bad = [
    'aa:bb:cc:dd:ee',
    'aa:bb:cc:dd:ee:ff:00',
    'aabbccddeeff',
    'aa:bb-cc:dd-ee:ff',
    'ga:bb:cc:dd:ee:ff',
    ' aa:bb:cc:dd:ee:f0',
  ];
  for (const text of bad)
    refused(t, () => check.deviceAddress(text), 'device_address', JSON.stringify(text), 'aa:bb:cc:dd:ee:ff');
});

test('the address of no device or of many is refused', (t) => {
  for (const text of ['00:00:00:00:00:00', 'ff:ff:ff:ff:ff:ff', '01:00:5e:00:00:01', 'ab:00:00:00:00:00']) {
    refused(t, () => check.deviceAddress(text), 'device_address', 'one device');
  }
  t.is(check.deviceAddress('02:00:00:00:00:00'), '02:00:00:00:00:00', 'a locally administered one is what P2P uses');
});

test('a device address that is missing is said to be missing', (t) => {
  refused(t, () => check.deviceAddress(''), 'device_address', 'is missing');
});

const duration = (seconds: number | bigint, nanos = 0): Duration => ({ seconds: BigInt(seconds), nanos });

test('a duration is milliseconds, both bounds within, and nothing where it is not set', (t) => {
  t.is(check.duration('lease_ttl', undefined, 1000, 5000), undefined);
  t.is(check.duration('lease_ttl', duration(1), 1000, 5000), 1000);
  t.is(check.duration('lease_ttl', duration(5), 1000, 5000), 5000);
  t.is(check.duration('lease_ttl', duration(2, 500_000_000), 1000, 5000), 2500);
});

test('a duration out of its range is refused with the range', (t) => {
  const out = [duration(0), duration(0, 999_000_000), duration(5, 1_000_000), duration(-3), duration(2n ** 63n - 1n)];
  for (const value of out) refused(t, () => check.duration('lease_ttl', value, 1000, 5000), 'lease_ttl', '1s to 5s');
});

test('a duration is compared before it is rounded', (t) => {
  const says = (nanos: number, shown: string) => {
    refused(t, () => check.duration('open_timeout', duration(0, nanos), 1, 1000), 'open_timeout', `is "${shown}"`);
  };
  says(1, '0.000000001s');
  says(500_000, '0.0005s');
  says(999_999, '0.000999999s');
  const over = duration(600, 1);
  refused(
    t,
    () => check.duration('open_timeout', over, 1, 600_000),
    'open_timeout',
    '600.000000001s',
    '0.001s to 600s',
  );
});

test('within the range, a part of a millisecond counts as a whole one', (t) => {
  t.is(check.duration('open_timeout', duration(0, 1_000_001), 1, 1000), 2);
  t.is(check.duration('open_timeout', duration(0, 999_999_999), 1, 1000), 1000);
});

test('what is not a Duration is refused as such', (t) => {
  for (const value of [duration(1, -1), duration(-1, 1), duration(1, 1_000_000_000)]) {
    refused(t, () => check.duration('open_timeout', value, 1, 10_000), 'open_timeout', 'not a Duration');
  }
});

test('a page size is 50 where unset, at most 1000, and never negative', (t) => {
  t.deepEqual([0, 1, 1000, 1001, 2 ** 31 - 1].map(check.pageSize), [50, 1, 1000, 1000, 1000]);
  refused(t, () => check.pageSize(-1), 'page_size', '-1');
});

test('states are known by number, and a strange one is refused by its place', (t) => {
  t.deepEqual(check.sessionStates([1, 8]), ['OPENING', 'LOST']);
  refused(t, () => check.sessionStates([1, 0]), 'states[1]');
  refused(t, () => check.sessionStates([99]), 'states[0]', '99');
});

test('a page token leads back to its place, with the same filter', (t) => {
  t.is(check.fromPageToken('', 'filter'), 0);
  t.is(check.toPageToken(undefined, 'filter'), '');
  fc.assert(
    fc.property(fc.nat(), fc.string(), (ordinal, filter) => {
      return check.fromPageToken(check.toPageToken(ordinal, filter), filter) === ordinal;
    }),
    randomly(t, 100),
  );
});

test('a page token of another filter, or none at all, is refused', (t) => {
  const token = check.toPageToken(7, 'one filter');
  refused(t, () => check.fromPageToken(token, 'another'), 'page_token', 'another filter');
  for (const text of ['x', 'AAAA', Buffer.from('7').toString('base64url'), Buffer.from('-1 x').toString('base64url')]) {
    refused(t, () => check.fromPageToken(text, 'one filter'), 'page_token', 'next_page_token');
  }
});

test('whatever text comes, it is refused or taken, and of a long one only the beginning is shown', (t) => {
  const checks = [
    check.sessionId,
    check.requestId,
    check.deviceAddress,
    (text: string) => check.fromPageToken(text, ''),
  ];
  fc.assert(
    fc.property(
      fc.constantFrom(...checks),
      fc.string({ unit: 'binary', maxLength: 2000, size: 'max' }),
      (ask, text) => {
        try {
          ask(text);
          return true;
        } catch (error) {
          // What goes into a header must be well-formed Unicode.
          return error instanceof FaultError && error.message.length < 1000 && encodeURI(error.message) !== '';
        }
      },
    ),
    randomly(t, 500),
  );
  t.pass();
});
