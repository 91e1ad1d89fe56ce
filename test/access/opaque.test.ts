/**
 * What those who may not see all can learn of how much others do: cursors and page tokens tell them
 * nothing.
 */
import { status } from '@grpc/grpc-js';
import test from 'ava';
import {
  ListSessionsRequest,
  OpenSessionRequest,
  WatchSessionsRequest,
} from '../../proto/gen/wifidirect/v1/session_service.js';
import { shownTo } from '../../service/codec/cursors.js';
import { call, failure, Received } from '../harness/calls.js';
import { type Clients, display, Host, misuses } from '../harness/host.js';
import { Files } from './files.js';

const tokens = { alice: 'token-of-alice', bob: 'token-of-bob', root: 'token-of-root' };
const roles = [
  { role: 'operator' as const, principals: ['alice', 'bob'] },
  { role: 'admin' as const, principals: ['root'] },
];
const SEALED = /^[0-9a-f]{16}\.[A-Za-z0-9_-]{22}$/;
const PLAIN = /^[0-9a-f]{16}\.\d+$/;

const start = (files: Files) =>
  Host.start({ access: { mode: 'authenticated', tokensFile: files.writeTokens(tokens), roles } });
const getHost = ({ host }: Clients) => call(host.getHost.bind(host), {});
const list = ({ sessions }: Clients, values: object = {}) =>
  call(sessions.listSessions.bind(sessions), ListSessionsRequest.fromPartial(values));
const watch = ({ sessions }: Clients, cursor = '') =>
  new Received(sessions.watchSessions(WatchSessionsRequest.fromPartial({ cursor })));

/**
 * A session with a lease, so that it needs no stream. Answers with the first cursor of its stream.
 */
async function open({ sessions }: Clients): Promise<string> {
  const request = OpenSessionRequest.fromPartial({ deviceAddress: display, leaseTtl: { seconds: 600n, nanos: 0 } });
  await using stream = new Received(sessions.openSession(request));
  return (await stream.first(({ event }) => event !== undefined)).cursor;
}

test.serial('an operator gets sealed cursors everywhere and goes on from them, an admin plain ones', async (t) => {
  using files = new Files();
  await using host = await start(files);
  const [alice, bob, root] = [tokens.alice, tokens.bob, tokens.root].map((token) => host.clients(token)) as [
    Clients,
    Clients,
    Clients,
  ];
  await open(bob);
  const ofOpen = await open(alice);
  const { oldestCursor, newestCursor } = await getHost(alice);
  const { cursor: ofList } = await list(alice);
  {
    await using watching = watch(alice);
    const { cursor: ofWatch } = await watching.first((message) => message.snapshotComplete);
    for (const cursor of [ofOpen, oldestCursor, newestCursor, ofList, ofWatch]) t.regex(cursor, SEALED);
  }
  for (const cursor of [(await getHost(root)).newestCursor, (await list(root)).cursor]) t.regex(cursor, PLAIN);

  await using resumed = watch(alice, ofList);
  await open(bob);
  await open(alice);
  const { events } = await resumed.first((message) => message.events.length > 0);
  t.deepEqual([...new Set(events.map(({ session }) => session?.owner))], ['alice']);
});

test.serial('an operator who guesses plain cursors learns nothing from the answers', async (t) => {
  using files = new Files();
  await using host = await start(files);
  const [alice, root] = [host.clients(tokens.alice), host.clients(tokens.root)];
  await open(alice);
  const { newestCursor, epoch } = await getHost(root);
  const answers = new Set<string>();
  for (const cursor of [newestCursor, `${epoch}.0`, `${epoch}.1`, `${epoch}.9999`]) {
    const { code, info } = (await failure(watch(alice, cursor).ended.then((error) => Promise.reject(error)))) ?? {};
    answers.add(`${code} ${info?.reason}`);
    t.regex(info?.metadata['oldest_cursor'] ?? '', SEALED);
  }
  t.deepEqual([...answers], [`${status.OUT_OF_RANGE} CURSOR_EXPIRED`]);
  const forged = `${epoch}.${'A'.repeat(22)}`;
  const { info } = await failure(watch(alice, forged).ended.then((error) => Promise.reject(error)));
  t.is(info?.reason, 'CURSOR_EXPIRED');
});

test.serial('a page token has no number in it, and leads on', async (t) => {
  using files = new Files();
  await using host = await start(files);
  const alice = host.clients(tokens.alice);
  for (let count = 0; count < 3; count += 1) await open(alice);
  const first = await list(alice, { pageSize: 2 });
  t.regex(first.nextPageToken, /^[A-Za-z0-9_-]{22}$/);
  t.notRegex(Buffer.from(first.nextPageToken, 'base64url').toString('latin1'), /^2 /);
  const rest = await list(alice, { pageSize: 2, pageToken: first.nextPageToken });
  t.is(rest.sessions.length, 1);
  t.is(rest.nextPageToken, '');
});

test('two cursors tell neither which was first nor how much lies between', (t) => {
  const sealed = (sequence: number) => shownTo({ maySeeAll: () => false }, `${'a'.repeat(16)}.${sequence}`);
  const all = Array.from({ length: 100 }, (_, sequence) => sealed(sequence));
  t.is(new Set(all).size, 100);
  t.notDeepEqual([...all].sort(), all);
});

test.after('nothing was misused', (t) => {
  t.deepEqual(misuses(), []);
});
