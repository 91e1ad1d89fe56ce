/** Whose sessions a caller reaches, and what is kept of who did what. */
import { status } from '@grpc/grpc-js';
import test from 'ava';
import {
  CloseSessionRequest,
  ListSessionsRequest,
  OpenSessionRequest,
  type OpenSessionResponse,
  RenewSessionRequest,
  WatchSessionsRequest,
  type WatchSessionsResponse,
} from '../../proto/gen/wifidirect/v1/session_service.js';
import { call, failure, Received, readError } from '../harness/calls.js';
import { type Clients, display, Host, misuses, RELOAD_MS } from '../harness/host.js';
import { Files } from './files.js';

const files = new Files();
const tokens = {
  alice: 'token-of-alice',
  bob: 'token-of-bob',
  root: 'token-of-root',
  wall: 'token-of-wall',
  deputy: 'token-of-deputy',
};
const roles: { role: 'operator' | 'viewer' | 'admin'; principals: string[] }[] = [
  { role: 'operator', principals: ['alice', 'bob', 'deputy'] },
  { role: 'viewer', principals: ['wall', 'deputy'] },
  { role: 'admin', principals: ['root'] },
];

async function start(): Promise<Host> {
  const tokensFile = files.writeTokens(tokens);
  return Host.start({ access: { mode: 'authenticated', tokensFile, reloadIntervalMs: RELOAD_MS, roles } });
}

function open({ sessions }: Clients, sessionId: string): Received<OpenSessionResponse> {
  return new Received(sessions.openSession(OpenSessionRequest.fromPartial({ sessionId, deviceAddress: display })));
}

const get = ({ sessions }: Clients, sessionId: string) => call(sessions.getSession.bind(sessions), { sessionId });
const close = ({ sessions }: Clients, sessionId: string) =>
  call(sessions.closeSession.bind(sessions), CloseSessionRequest.fromPartial({ sessionId, waitForDisconnect: true }));

async function list({ sessions }: Clients): Promise<(string | undefined)[]> {
  const answer = await call(sessions.listSessions.bind(sessions), ListSessionsRequest.fromPartial({}));
  return answer.sessions.map(({ sessionId }) => sessionId);
}

function watch({ sessions }: Clients): Received<WatchSessionsResponse> {
  return new Received(sessions.watchSessions(WatchSessionsRequest.fromPartial({})));
}

/** All that a watch has said of any session. */
function seenBy({ messages }: Received<WatchSessionsResponse>): Set<string | undefined> {
  const events = messages.flatMap((message) => message.events.map(({ session }) => session?.sessionId));
  return new Set([...events, ...messages.flatMap(({ snapshot }) => snapshot.map(({ sessionId }) => sessionId))]);
}

const isOpened = ({ event }: OpenSessionResponse) => event?.session?.openTime !== undefined;
const hasClosed = ({ events }: WatchSessionsResponse) => events.some(({ session }) => session?.endTime !== undefined);

test.after.always(() => files[Symbol.dispose]());

test.serial('a session of somebody else is not there for those who may not see it', async (t) => {
  await using host = await start();
  const [alice, bob, root, wall] = [tokens.alice, tokens.bob, tokens.root, tokens.wall].map((token) =>
    host.clients(token),
  ) as [Clients, Clients, Clients, Clients];
  await using opened = open(alice, 'of-alice');
  await opened.first(isOpened);

  const missing = await failure(get(bob, 'not-there-at-all'));
  const hidden = await failure(get(bob, 'of-alice'));
  t.is(hidden.code, status.NOT_FOUND);
  t.is(hidden.message.replace('of-alice', 'not-there-at-all'), missing.message);
  t.deepEqual({ ...hidden.info, metadata: {} }, { ...missing.info, metadata: {} });
  t.is((await failure(close(bob, 'of-alice'))).code, status.NOT_FOUND);
  const renew = bob.sessions.renewSession.bind(bob.sessions);
  const renewal = call(renew, RenewSessionRequest.fromPartial({ sessionId: 'of-alice', leaseTtl: { seconds: 30n } }));
  t.is((await failure(renewal)).code, status.NOT_FOUND);

  t.deepEqual(await list(bob), []);
  t.deepEqual(await list(alice), ['of-alice']);
  t.deepEqual(await list(wall), ['of-alice']);
  t.is((await get(wall, 'of-alice')).session?.owner, 'alice');
  t.is((await get(root, 'of-alice')).session?.owner, 'alice');

  t.is((await failure(close(wall, 'of-alice'))).code, status.PERMISSION_DENIED);
  t.is((await close(root, 'of-alice')).session?.owner, 'alice');
});

test.serial('a watch shows what its caller may see, in the snapshot and after it', async (t) => {
  await using host = await start();
  const [alice, bob, wall] = [tokens.alice, tokens.bob, tokens.wall].map((token) => host.clients(token)) as [
    Clients,
    Clients,
    Clients,
  ];
  await using first = open(alice, 'of-alice');
  await first.first(isOpened);
  await using watchOfBob = watch(bob);
  await using watchOfAlice = watch(alice);
  await using watchOfWall = watch(wall);
  for (const each of [watchOfBob, watchOfAlice, watchOfWall]) await each.first((message) => message.snapshotComplete);
  await close(alice, 'of-alice');
  await using second = open(bob, 'of-bob');
  await second.first(isOpened);
  await close(bob, 'of-bob');

  for (const each of [watchOfBob, watchOfAlice, watchOfWall]) await each.first(hasClosed);
  await watchOfWall.first(({ events }) => events.some(({ session }) => session?.sessionId === 'of-bob'));
  t.deepEqual(seenBy(watchOfBob), new Set(['of-bob']));
  t.deepEqual(seenBy(watchOfAlice), new Set(['of-alice']));
  t.deepEqual(seenBy(watchOfWall), new Set(['of-alice', 'of-bob']));
});

test.serial('each change leaves one record: who, what, which session, how it went', async (t) => {
  await using host = await start();
  const alice = host.clients(tokens.alice);
  const deputy = host.clients(tokens.deputy);
  await using opened = open(alice, '');
  const { event } = await opened.first(isOpened);
  const sessionId = event?.session?.sessionId ?? '';
  await get(alice, sessionId);
  await failure(close(deputy, sessionId));
  await failure(close(host.clients(tokens.wall), sessionId));
  await failure(close(alice, 'not-there'));
  await close(alice, sessionId);
  await opened.ended;
  const records = host.log
    .lines('audit')
    .map(({ principal, rpc, sessionId, deviceAddress, code }) => [principal, rpc, sessionId, deviceAddress, code]);
  t.deepEqual(records, [
    ['alice', 'wifidirect.v1.SessionService/OpenSession', sessionId, display, 'OK'],
    ['deputy', 'wifidirect.v1.SessionService/CloseSession', sessionId, undefined, 'PERMISSION_DENIED'],
    ['alice', 'wifidirect.v1.SessionService/CloseSession', 'not-there', undefined, 'NOT_FOUND'],
    ['alice', 'wifidirect.v1.SessionService/CloseSession', sessionId, undefined, 'OK'],
  ]);
  const denied = host.log.lines('access-denied').map(({ principal, code }) => [principal, code]);
  t.deepEqual(denied, [
    ['deputy', 'PERMISSION_DENIED'],
    ['wall', 'PERMISSION_DENIED'],
  ]);
});

test.serial('a change whose caller has gone is recorded as well', async (t) => {
  await using host = await start();
  const alice = host.clients(tokens.alice);
  await using opened = open(alice, 'of-alice');
  await opened.first(isOpened);
  const closing = alice.sessions.closeSession(
    CloseSessionRequest.fromPartial({ sessionId: 'of-alice', waitForDisconnect: true }),
    () => {},
  );
  await opened.first((message) => message.event?.session?.closeTime !== undefined);
  closing.cancel();
  const record = await host.log.line('audit', ({ rpc }) => String(rpc).endsWith('/CloseSession'));
  t.true(['CANCELLED', 'OK'].includes(String(record['code'])));
  await opened.ended;
});

test.serial('a new token works without a restart, and an old one no longer; what it held is ended', async (t) => {
  await using host = await start();
  const alice = host.clients(tokens.alice);
  const bob = host.clients(tokens.bob);
  await using ofAlice = watch(alice);
  await using ofBob = watch(bob);
  await using opened = open(alice, 'of-alice');
  await opened.first(isOpened);

  files.writeTokens({ ...tokens, alice: 'new-token-of-alice' });
  await host.log.line('reloaded');
  const ended = await ofAlice.ended;
  t.is(ended && readError(ended).info?.reason, 'UNAUTHENTICATED');
  t.is((await opened.ended)?.code, status.UNAUTHENTICATED);
  t.is((await failure(get(alice, 'of-alice'))).code, status.UNAUTHENTICATED);
  const again = host.clients('new-token-of-alice');
  t.is((await get(again, 'of-alice')).session?.owner, 'alice');
  t.deepEqual(await list(bob), []);
  t.is(ofBob.stream.destroyed, false);
});

test.serial('where authentication is off, everybody is anonymous and has all rights', async (t) => {
  await using host = await Host.start({});
  const somebody = host.clients('any-token');
  await using opened = open(somebody, 'of-anybody');
  await opened.first(isOpened);
  t.is((await close(host.clients(), 'of-anybody')).session?.owner, 'anonymous');
  await opened.ended;
});

test.after('nothing was misused', (t) => {
  t.deepEqual(misuses(), []);
});
