/**
 * The limits in force, as `GetHost` tells them: each key that bounds what a client may do is one
 * field, and the field is the key's value.
 */
import test from 'ava';
import { limitsOf } from '../../service/codec/limits.js';
import { makeConfig } from '../../service/config/schema.js';

const defaults = makeConfig({});

/** Every one of the group `limits`, and those of other groups that clients meet. */
const keys: readonly (readonly [group: 'limits' | 'session' | 'events', key: string])[] = [
  ...Object.keys(defaults.limits).map((key) => ['limits', key] as const),
  ...['watcherQueueEventsMax', 'logEventsMax', 'logBytesMax', 'logAgeMs'].map((key) => ['events', key] as const),
  ...['retentionMs', 'openTimeoutMs', 'openTimeoutMaxMs', 'closeTimeoutMs', 'leaseTtlMinMs', 'leaseTtlMaxMs'].map(
    (key) => ['session', key] as const,
  ),
  ...['endedSessionsMax', 'requestMemoryMax'].map((key) => ['session', key] as const),
];

/** Where the contract has another name than the configuration. */
const fields: Readonly<Record<string, string>> = {
  requestsPerPrincipalMax: 'requestsInFlightPerPrincipalMax',
  receiveMessageBytesMax: 'requestBytesMax',
  transitMs: 'transitMax',
  connectionIdleMs: 'connectionIdleMax',
  identifyMs: 'identifyMax',
  logEventsMax: 'eventLogEventsMax',
  changesPerSecondPerPrincipalMax: 'changesPerSecondPerPrincipal',
  watchesPerSecondPerPrincipalMax: 'watchesPerSecondPerPrincipal',
  logBytesMax: 'eventLogBytesMax',
  logAgeMs: 'eventLogAgeMax',
  retentionMs: 'sessionRetention',
  openTimeoutMs: 'openTimeoutDefault',
  openTimeoutMaxMs: 'openTimeoutMax',
  closeTimeoutMs: 'closeTimeout',
  leaseTtlMinMs: 'leaseTtlMin',
  leaseTtlMaxMs: 'leaseTtlMax',
};

/** In the unit of the key. */
function told(config = defaults): Map<string, number> {
  return new Map(
    Object.entries(limitsOf(config)).map(([field, value]) => [
      field,
      typeof value === 'object' ? Number(value.seconds) * 1000 + value.nanos / 1e6 : Number(value),
    ]),
  );
}

for (const [group, key] of keys) {
  test(`${group}.${key} is told, as ${fields[key] ?? key}`, (t) => {
    const value = (defaults[group] as unknown as Readonly<Record<string, number>>)[key] ?? Number.NaN;
    const [before, after] = [told(), told(makeConfig({ [group]: { [key]: value - 1 } }))];
    const changed = [...after].filter(([field, now]) => before.get(field) !== now);
    t.deepEqual(changed, [[fields[key] ?? key, value - 1]]);
  });
}

test('no field tells of anything else', (t) => {
  t.is(told().size, keys.length);
});
