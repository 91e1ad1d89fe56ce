import test from 'ava';
import { type Entry, Registry, type RegistryLimits, type SessionFilter } from '../../service/session/registry.js';
import type { SessionEvent } from '../../service/session/session.js';
import { arrives, Life } from './life.js';

const limits: RegistryLimits = {
  sessionsMax: 4,
  sessionsPerPrincipalMax: 2,
  endedSessionsMax: 3,
  retentionMs: 60_000,
};
const everything: SessionFilter = { states: [], deviceAddress: undefined, isVisible: () => true };

function add(
  registry: Registry,
  id: string,
  { owner = 'alice', requestKey, deviceAddress }: { owner?: string; requestKey?: string; deviceAddress?: string } = {},
): Entry {
  const life = new Life({ sessionId: id, owner, ...(deviceAddress === undefined ? {} : { deviceAddress }) });
  const [draft] = life.events;
  const entry: Entry = {
    id,
    ordinal: registry.nextOrdinal(),
    owner,
    requestKey,
    fingerprint: '',
    record: life.record,
    lastEvent: { ...draft, sequence: 1, epoch: '' } as SessionEvent,
    streams: 0,
    timers: new Map(),
    waiters: new Set(),
  };
  registry.add(entry);
  return entry;
}

/** Ends a session at a time: its start is refused. */
function end(registry: Registry, entry: Entry, timeMs: number): void {
  const life = new Life({ sessionId: entry.id, owner: entry.owner });
  life.steadyMs = timeMs - 1000;
  life.in(arrives.started(31));
  entry.record = life.record;
  registry.retire(entry);
}

const idsOf = (registry: Registry, filter = everything) => registry.list(filter, 0, 100).sessions.map(({ id }) => id);

test('a session is found by its id and by the request that made it', (t) => {
  const registry = new Registry(limits);
  const entry = add(registry, 's-1', { requestKey: 'alice\nr-1' });
  t.is(registry.find('s-1'), entry);
  t.is(registry.findByRequest('alice\nr-1'), entry);
  t.is(registry.find('s-2'), undefined);
  t.is(registry.findByRequest('bob\nr-1'), undefined);
});

test('one principal may have so many live sessions, and ended ones do not count', (t) => {
  const registry = new Registry(limits);
  const first = add(registry, 's-1');
  add(registry, 's-2');
  const refused = registry.admit('alice');
  t.false(refused.ok);
  if (!refused.ok) {
    t.is(refused.fault.reason, 'QUOTA_EXCEEDED');
    t.deepEqual(refused.fault.metadata, {
      subject: 'principal:alice',
      limit: 'sessions_per_principal_max',
      limit_value: '2',
    });
  }
  t.true(registry.admit('bob').ok, 'one greedy client never starves another');
  end(registry, first, 1000);
  t.true(registry.admit('alice').ok);
});

test('the host may have so many live sessions in all', (t) => {
  const registry = new Registry(limits);
  for (const owner of ['alice', 'bob', 'carol', 'dora']) add(registry, `s-${owner}`, { owner });
  t.is(registry.live, 4);
  const refused = registry.admit('erin');
  t.false(refused.ok);
  if (!refused.ok) t.deepEqual(refused.fault.metadata, { subject: 'host', limit: 'sessions_max', limit_value: '4' });
});

test('an ended session is forgotten when its time is over, and its request id with it', (t) => {
  const registry = new Registry(limits);
  end(registry, add(registry, 's-1', { requestKey: 'alice\nr-1' }), 10_000);
  end(registry, add(registry, 's-2'), 20_000);
  t.is(registry.nextPruneTimeMs(), 70_000);
  t.deepEqual(registry.prune(69_999), []);
  t.deepEqual(
    registry.prune(70_000).map(({ id }) => id),
    ['s-1'],
  );
  t.is(registry.find('s-1'), undefined);
  t.is(registry.findByRequest('alice\nr-1'), undefined);
  t.is(registry.nextPruneTimeMs(), 80_000);
  registry.prune(80_000);
  t.is(registry.nextPruneTimeMs(), undefined);
});

test('of too many ended sessions the first that ended is forgotten first, whatever its age', (t) => {
  const registry = new Registry(limits);
  const entries = ['s-1', 's-2', 's-3', 's-4'].map((id, i) => add(registry, id, { owner: `owner-${i}` }));
  for (const entry of entries.toReversed()) end(registry, entry, 10_000);
  t.deepEqual(
    registry.prune(10_000).map(({ id }) => id),
    ['s-4'],
  );
  t.deepEqual(idsOf(registry), ['s-1', 's-2', 's-3']);
});

test('a live session is never forgotten', (t) => {
  const registry = new Registry({ ...limits, endedSessionsMax: 0, retentionMs: 0 });
  const [live, ended] = [add(registry, 's-1'), add(registry, 's-2')];
  end(registry, ended, 1000);
  registry.prune(Number.MAX_SAFE_INTEGER);
  t.deepEqual(idsOf(registry), ['s-1']);
  t.deepEqual(registry.liveEntries(), [live]);
});

test('pages in the order of creation show each session once, also when others come and go between them', (t) => {
  const registry = new Registry({ ...limits, endedSessionsMax: 100 });
  for (let i = 1; i <= 5; i += 1) add(registry, `s-${i}`, { owner: `owner-${i}` });
  const first = registry.list(everything, 0, 2);
  t.deepEqual(
    first.sessions.map(({ id }) => id),
    ['s-1', 's-2'],
  );
  end(registry, registry.find('s-1') as Entry, 0);
  registry.prune(Number.MAX_SAFE_INTEGER);
  add(registry, 's-6');
  const second = registry.list(everything, first.next ?? 0, 2);
  const third = registry.list(everything, second.next ?? 0, 2);
  t.deepEqual(
    [...second.sessions, ...third.sessions].map(({ id }) => id),
    ['s-3', 's-4', 's-5', 's-6'],
  );
  t.is(third.next, undefined, 'a last page that is full has no next');
});

test('a list is filtered by state, by device and by what the caller may see', (t) => {
  const registry = new Registry(limits);
  add(registry, 's-1', { deviceAddress: '02:11:22:33:44:02' });
  end(registry, add(registry, 's-2'), 0);
  add(registry, 's-3', { owner: 'bob' });
  t.deepEqual(idsOf(registry, { ...everything, states: ['FAILED', 'LOST'] }), ['s-2']);
  t.deepEqual(idsOf(registry, { ...everything, deviceAddress: '02:11:22:33:44:02' }), ['s-1']);
  t.deepEqual(idsOf(registry, { ...everything, isVisible: ({ owner }) => owner === 'bob' }), ['s-3']);
  t.deepEqual(idsOf(registry, { ...everything, states: ['OPENING'], deviceAddress: '02:11:22:33:44:09' }), []);
});

test('sessions are counted by state', (t) => {
  const registry = new Registry(limits);
  add(registry, 's-1');
  end(registry, add(registry, 's-2'), 0);
  t.deepEqual(
    registry.countByState(),
    new Map([
      ['OPENING', 1],
      ['FAILED', 1],
    ]),
  );
});
