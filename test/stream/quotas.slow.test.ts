/**
 * What one principal may hold, and what all may: beyond, QUOTA_EXCEEDED names the limit, and nobody
 * else feels anything.
 */
import { status } from '@grpc/grpc-js';
import test from 'ava';
import { WatchDevicesRequest } from '../../proto/gen/wifidirect/v1/device_service.js';
import { SessionState } from '../../proto/gen/wifidirect/v1/session.js';
import {
  CloseSessionRequest,
  ListSessionsRequest,
  OpenSessionRequest,
  type OpenSessionResponse,
  RenewSessionRequest,
  WatchSessionsRequest,
} from '../../proto/gen/wifidirect/v1/session_service.js';
import { Files } from '../access/files.js';
import { call, failure, type ReadError, Received, readError } from '../harness/calls.js';
import { type Clients, type ConfigValues, display, Host, misuses } from '../harness/host.js';
import { world } from '../session/rig.js';
import { newId } from './lively.js';

const files = new Files();
const tokens = { alice: 'token-of-alice', bob: 'token-of-bob' };
const scanner = '02:11:22:33:44:02';

/** A host with these limits, and two who call it. */
async function start(limits: NonNullable<ConfigValues['limits']>) {
  world.setDefaults({ openMs: 0, closeMs: 0, addressMs: 0 });
  const roles = [{ role: 'operator' as const, principals: Object.keys(tokens) }];
  const access = { mode: 'authenticated' as const, tokensFile: files.writeTokens(tokens), roles };
  const host = await Host.start({ access, limits, session: { closeTimeoutMs: 1000 } });
  return { host, alice: host.clients(tokens.alice), bob: host.clients(tokens.bob) };
}

const open = ({ sessions }: Clients, deviceAddress = display) =>
  new Received(sessions.openSession(OpenSessionRequest.fromPartial({ deviceAddress })));

async function opened(clients: Clients, deviceAddress = display): Promise<Received<OpenSessionResponse>> {
  const stream = open(clients, deviceAddress);
  await stream.first(({ event }) => event?.session?.state === SessionState.OPEN);
  return stream;
}

const watch = ({ sessions }: Clients) => new Received(sessions.watchSessions(WatchSessionsRequest.fromPartial({})));
const watchDevices = ({ devices }: Clients) => new Received(devices.watchDevices(WatchDevicesRequest.fromPartial({})));
const list = ({ sessions }: Clients) => call(sessions.listSessions.bind(sessions), ListSessionsRequest.fromPartial({}));

/** A request that is in flight for as long as its session does not end. */
function wait({ sessions }: Clients, { messages }: Received<OpenSessionResponse>) {
  const sessionId = messages[0]?.event?.session?.sessionId ?? '';
  const request = CloseSessionRequest.fromPartial({ sessionId, waitForDisconnect: true });
  return sessions.closeSession(request, () => {});
}

async function statusOf(stream: Received<unknown>): Promise<ReadError | undefined> {
  const error = await stream.ended;
  return error && readError(error);
}

/** What a refusal says; it is the same in each place where a client may look. */
function told(error: ReadError | undefined) {
  const { limit, limit_value: value } = error?.info?.metadata ?? {};
  const violation = error?.quota?.violations[0];
  return [error?.code, error?.info?.reason, limit, value, violation?.subject, violation?.description !== ''];
}

const refused = (limit: string, value: string, subject: string) => [
  status.RESOURCE_EXHAUSTED,
  'QUOTA_EXCEEDED',
  limit,
  value,
  subject,
  true,
];

test.after.always(() => files[Symbol.dispose]());

test.serial(
  'sessions: so many of one principal, so many of all; an end makes room, and a refusal leaves nothing',
  async (t) => {
    const { host, alice, bob } = await start({ sessionsPerPrincipalMax: 2, sessionsMax: 3 });
    await using _ = host;
    const watcher = watch(alice);
    await watcher.first(() => true);
    const [first] = [await opened(alice), await opened(alice)];
    t.deepEqual(told(await statusOf(open(alice))), refused('sessions_per_principal_max', '2', 'principal:alice'));
    await opened(bob);
    t.deepEqual(told(await statusOf(open(bob))), refused('sessions_max', '3', 'host'));
    t.is((await list(alice)).sessions.length, 2);
    t.is((await list(bob)).sessions.length, 1);
    const { event } = first.messages[0] ?? {};
    const request = { sessionId: event?.session?.sessionId ?? '', waitForDisconnect: true };
    await call(alice.sessions.closeSession.bind(alice.sessions), CloseSessionRequest.fromPartial(request));
    await opened(bob);
  },
);

test.serial('watchers: those of sessions and of devices count together, and who leaves makes room', async (t) => {
  const { host, alice, bob } = await start({ watchersPerPrincipalMax: 2, watchersMax: 3 });
  await using _ = host;
  const [ofSessions, ofDevices] = [watch(alice), watchDevices(alice)];
  await ofSessions.first(() => true);
  await ofDevices.first(() => true);
  const byPrincipal = refused('watchers_per_principal_max', '2', 'principal:alice');
  t.deepEqual(told(await statusOf(watch(alice))), byPrincipal);
  t.deepEqual(told(await statusOf(watchDevices(alice))), byPrincipal);
  const ofBob = watch(bob);
  await ofBob.first(() => true);
  t.deepEqual(told(await statusOf(watch(bob))), refused('watchers_max', '3', 'host'));
  ofSessions.cancel();
  await ofSessions.ended;
  // On the same connection: the server has heard of the cancel before it hears of this.
  const again = watch(alice);
  await again.first(() => true);
  for (const each of [ofDevices, ofBob, again]) each.cancel();
});

test.serial('requests in flight: who waits too often is refused, while others are answered', async (t) => {
  const { host, alice, bob } = await start({ requestsPerPrincipalMax: 2, requestsInFlightMax: 3 });
  await using _ = host;
  world.scriptClose({ delayMs: 'never', count: 2 });
  const [ofAlice, ofBob] = [await opened(alice, display), await opened(bob, scanner)];
  const waits = [wait(alice, ofAlice), wait(alice, ofAlice)];
  await ofAlice.first(({ event }) => event?.session?.closeTime !== undefined);
  const byPrincipal = refused('requests_in_flight_per_principal_max', '2', 'principal:alice');
  t.deepEqual(told(await failure(list(alice))), byPrincipal);
  const renewal = RenewSessionRequest.fromPartial({ sessionId: newId() });
  t.deepEqual(told(await failure(call(alice.sessions.renewSession.bind(alice.sessions), renewal))), byPrincipal);
  await t.notThrowsAsync(list(bob));
  waits.push(wait(bob, ofBob));
  await ofBob.first(({ event }) => event?.session?.closeTime !== undefined);
  t.deepEqual(told(await failure(list(bob))), refused('requests_in_flight_max', '3', 'host'));
  // On the same connection: the server has heard of the cancel before it hears of the next.
  for (const each of waits.slice(1)) each.cancel();
  await t.notThrowsAsync(list(alice));
  await t.notThrowsAsync(list(bob));
  waits[0]?.cancel();
  await Promise.all([ofAlice.ended, ofBob.ended]);
});

test.after('nothing was misused', (t) => {
  t.deepEqual(misuses(), []);
});

test.serial('the ids that watches name are counted in sum, of sessions and devices together', async (t) => {
  const { host, alice, bob } = await start({ watchedIdsPerPrincipalMax: 20, watchedIdsMax: 30 });
  await using _ = host;
  const watchIds = ({ sessions }: Clients, count: number) => {
    const sessionIds = Array.from({ length: count }, newId);
    return new Received(sessions.watchSessions(WatchSessionsRequest.fromPartial({ sessionIds })));
  };
  const ids = watchIds(alice, 18);
  await ids.first(({ snapshotComplete }) => snapshotComplete);
  const devices = new Received(
    alice.devices.watchDevices(WatchDevicesRequest.fromPartial({ deviceAddresses: [display, scanner] })),
  );
  await devices.first(({ snapshotComplete }) => snapshotComplete);
  const one = await statusOf(watchIds(alice, 1));
  t.deepEqual(told(one), refused('watched_ids_per_principal_max', '20', 'principal:alice'));
  const many = await statusOf(watchIds(bob, 11));
  t.deepEqual(told(many), refused('watched_ids_max', '30', 'host'));
  // A watch of everything names none.
  const everything = watch(alice);
  await everything.first(({ snapshotComplete }) => snapshotComplete);

  ids.cancel();
  await ids.ended;
  // The host has heard of the cancel, but may still be cleaning up.
  const stands = (each: typeof ids) =>
    each
      .first(({ snapshotComplete }) => snapshotComplete)
      .then(
        () => true,
        () => false,
      );
  let again = watchIds(alice, 18);
  while (!(await stands(again))) again = watchIds(alice, 18);
  for (const each of [devices, everything, again]) each.cancel();
});
