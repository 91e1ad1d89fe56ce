/** The client and the real daemon: what the one promises is what the other does. */
import test from 'ava';
import { firstValueFrom, lastValueFrom, toArray } from 'rxjs';
import {
  type Client,
  connect,
  DeviceEventType,
  DisconnectEvidence,
  DriverKind,
  GatewayError,
  HostState,
  nameOf,
  type SessionEvent,
  SessionEventType,
  SessionState,
  status,
} from '../../clients/typescript/src/client.js';
import { display, gatewayForThisFile, robot, scanner } from '../harness/gateway.js';

const gateway = gatewayForThisFile();

let client: Client;
test.beforeEach(() => {
  client = connect(gateway().daemon.address);
});
test.afterEach.always(() => client.close());

const nothing = 'no-such-session';
const lifeOf = (events: readonly SessionEvent[]) =>
  events.map(({ type }) => nameOf(SessionEventType, type)).filter((name) => name !== 'NETWORK_INTERFACE_CHANGED');

async function refusal(answer: Promise<unknown>): Promise<GatewayError> {
  const error = await answer.then(
    () => new Error('it was to be refused'),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof GatewayError)) throw error;
  return error;
}

test.serial('a session is held open, and closed with evidence', async (t) => {
  const held = client.sessions.hold({ deviceAddress: display });
  const open = await held.opened;
  t.is(open.sessionId, held.sessionId);
  t.regex(open.networkInterface?.guid ?? '', /^[0-9a-f-]{36}$/);
  const closed = await held.close();
  t.is(closed.state, SessionState.CLOSED);
  t.not(closed.end?.evidence, DisconnectEvidence.UNCONFIRMED);
  t.is((await held.ended).state, SessionState.CLOSED);
});

test.serial('an open that fails tells what Windows said, in an event and in the error', async (t) => {
  const seen: SessionEvent[] = [];
  const failure = await new Promise<unknown>((resolve) => {
    client.sessions.open({ deviceAddress: robot }).subscribe({ next: (event) => seen.push(event), error: resolve });
  });
  t.deepEqual(lifeOf(seen), ['OPENING', 'FAILED']);
  t.true(failure instanceof GatewayError);
  const native = { function: 'WFD_OPEN_SESSION_COMPLETE_CALLBACK', code: 1460, name: 'ERROR_TIMEOUT' };
  t.like(failure, { code: status.ABORTED, reason: 'OPEN_FAILED', native });
  t.like(seen.at(-1)?.nativeResult, native);
});

test.serial('a pending open is cancelled, and its stream ends well', async (t) => {
  const held = client.sessions.hold({ deviceAddress: display });
  await firstValueFrom(held.events);
  const { session } = await client.sessions.cancel(held.sessionId);
  t.is(session.state, SessionState.CANCELLING);
  t.like(await refusal(held.opened), { code: status.CANCELLED, reason: undefined });
  t.is((await held.ended).state, SessionState.CANCELLED);
});

test.serial('a session with a lease outlives its stream, is renewed, attached to again and closed', async (t) => {
  const requestId = '0b7e2c52-7c1c-4d55-8f5e-0d6c3f4f8a11';
  const request = { deviceAddress: scanner, sessionId: 'leased-session', requestId, leaseTtlMs: 60_000 };
  const held = client.sessions.hold(request);
  await held.opened;
  const again = client.sessions.open(request);
  t.is((await firstValueFrom(again)).session?.state, SessionState.OPEN);
  const renewed = await client.sessions.renew('leased-session', { leaseTtlMs: 120_000 });
  const { session } = await client.sessions.get('leased-session');
  t.deepEqual(session.leaseExpireTime, renewed.session.leaseExpireTime);
  const rest = lastValueFrom(again.pipe(toArray()));
  t.is((await client.sessions.close('leased-session', { wait: true })).session.state, SessionState.CLOSED);
  t.deepEqual(lifeOf(await rest).slice(-2), ['CLOSING', 'CLOSED']);
});

test.serial('sessions are listed in pages, by state', async (t) => {
  const held = [display, scanner].map((deviceAddress) => client.sessions.hold({ deviceAddress }));
  const open = await Promise.all(held.map(({ opened }) => opened));
  const ids: string[] = [];
  for await (const { sessions } of client.sessions.list({ states: [SessionState.OPEN], pageSize: 1 })) {
    t.true(sessions.length <= 1);
    ids.push(...sessions.map(({ sessionId }) => sessionId));
  }
  t.deepEqual(new Set(ids), new Set(open.map(({ sessionId }) => sessionId)));
  await Promise.all(held.map((session) => session.close()));
});

test.serial('what is wrong with a request is named by its field', async (t) => {
  const wrong = lastValueFrom(client.sessions.open({ deviceAddress: 'nonsense' }));
  const error = await refusal(wrong);
  t.like(error, { code: status.INVALID_ARGUMENT, reason: 'INVALID_FIELD' });
  t.is(error.fieldViolations[0]?.field, 'device_address');
  for (const openTimeoutMs of [Number.NaN, Number.POSITIVE_INFINITY, -1]) {
    const { fieldViolations } = await refusal(
      lastValueFrom(client.sessions.open({ deviceAddress: display, openTimeoutMs })),
    );
    t.is(fieldViolations[0]?.field, 'open_timeout');
  }
});

test.serial('what is not there is NOT_FOUND, by its name', async (t) => {
  for (const call of [
    client.sessions.get(nothing),
    client.sessions.close(nothing),
    client.sessions.cancel(nothing),
    client.sessions.renew(nothing),
  ]) {
    const error = await refusal(call);
    t.like(error, { code: status.NOT_FOUND, reason: 'SESSION_NOT_FOUND' });
    t.is(error.metadata['session_id'], nothing);
  }
});

test.serial('the host tells what it is, and that it can do its work', async (t) => {
  const { state, driver, limits } = await client.host();
  t.is(state, HostState.READY);
  t.is(driver?.kind, DriverKind.SIMULATOR);
  t.true((limits?.sessionsMax ?? 0) > 0);
  t.is(await client.health(), 'SERVING');
  t.is(await client.health('wifidirect.v1.SessionService'), 'SERVING');
  t.like(await refusal(client.health('no.such.Service')), { code: status.NOT_FOUND });
});

test.serial('devices are listed, watched, and looked for', async (t) => {
  const devices = [];
  for await (const page of client.devices.list({ pageSize: 4 })) devices.push(...page.devices);
  t.is(devices.length, 6);
  const first = await firstValueFrom(client.devices.watch());
  t.deepEqual(first.kind === 'snapshot' && first.devices, devices);
  const changed = firstValueFrom(client.devices.watch({ cursor: first.kind === 'snapshot' ? first.cursor : '' }));
  const { device, discoveryCompleted } = await client.devices.updateVisibility(robot);
  t.is(device.isVisible, false);
  t.true(discoveryCompleted);
  const held = client.sessions.hold({ deviceAddress: display });
  await held.opened;
  const item = await changed;
  t.true(item.kind === 'event' && item.event.type === DeviceEventType.CHANGED);
  await held.close();
});
