/**
 * What a call takes is given back on every way out, and the edge's bounds meet only those that they
 * are for.
 */
import { once } from 'node:events';
import { Server } from '@grpc/grpc-js';
import test from 'ava';
import { UpdateDeviceVisibilityRequest } from '../../proto/gen/wifidirect/v1/device_service.js';
import { GetHostRequest } from '../../proto/gen/wifidirect/v1/host_service.js';
import { CloseSessionRequest } from '../../proto/gen/wifidirect/v1/session_service.js';
import { Quota } from '../../service/access/quota.js';
import { Files } from '../access/files.js';
import { call, failure } from '../harness/calls.js';
import { endOf, framed, WireClient } from '../harness/grpc-wire.js';
import { Host, misuses } from '../harness/host.js';

/** The metadata that handlers were given, as names and values. */
const seen: Record<string, unknown>[] = [];
const { register } = Server.prototype;
Server.prototype.register = function remember(this: Server, path: string, handler: unknown, ...rest: unknown[]) {
  const wrapped = (...args: [{ metadata: { getMap(): Record<string, unknown> } }, ...unknown[]]) => {
    seen.push(args[0].metadata.getMap());
    return (handler as (...all: unknown[]) => unknown)(...args);
  };
  return Reflect.apply(register, this, [path, wrapped, ...rest]);
} as typeof register;

const getHost = 'wifidirect.v1.HostService/GetHost';
const asked = framed(GetHostRequest.encode({}).finish());

test.after.always('no misuse of the native API', (t) => {
  t.deepEqual(misuses(), []);
});

test.serial('a place is given back once, however often', (t) => {
  const quota = new Quota({ name: 'all_max', max: 2 }, { name: 'each_max', max: 2 });
  const [first, second] = [quota.take('a'), quota.take('a')];
  if (!first.ok || !second.ok) throw new Error('no place');
  first.value();
  first.value();
  t.is(quota.total, 1);
  t.true(quota.take('a').ok);
  t.false(quota.take('a').ok);
  t.false(quota.take('b').ok);
});

test.serial('a request that fails gives its place back, whether it fails at once or later', async (t) => {
  await using host = await Host.start({ limits: { requestsInFlightMax: 1, requestsPerPrincipalMax: 1 } });
  const { sessions, devices, host: hosts } = host.clients();
  for (let n = 0; n < 3; n += 1) {
    const atOnce = await failure(call(sessions.getSession.bind(sessions), { sessionId: 'nobody' }, 30_000));
    t.is(atOnce.info?.reason, 'SESSION_NOT_FOUND');
    const request = UpdateDeviceVisibilityRequest.fromPartial({ deviceAddress: '02:11:22:33:44:99' });
    const later = await failure(call(devices.updateDeviceVisibility.bind(devices), request, 30_000));
    t.not(later.info?.reason, 'QUOTA_EXCEEDED');
  }
  t.not((await call(hosts.getHost.bind(hosts), {}, 30_000)).hostId, '');
});

test.serial('probes are answered where the quota of calls is full, the list of health too', async (t) => {
  await using host = await Host.start({
    limits: {
      ...{ callsMax: 1, callsPerPrincipalMax: 1, requestsInFlightMax: 1, requestsPerPrincipalMax: 1 },
      ...{ watchersPerPrincipalMax: 1, sessionsPerPrincipalMax: 1 },
    },
  });
  using client = new WireClient(host.address);
  const held = client.start(getHost);
  held.write(asked.subarray(0, 1));
  const end = async (rpc: string) => (await client.call(rpc, framed(Buffer.alloc(0)))).status;
  let refused = await end(getHost);
  while (refused?.code === 0) refused = await end(getHost);
  t.is(refused?.info?.reason, 'QUOTA_EXCEEDED');
  t.is((await end('grpc.health.v1.Health/Check'))?.code, 0);
  t.is((await end('grpc.health.v1.Health/List'))?.code, 0);
  held.end(asked.subarray(1));
  t.is((await endOf(held)).status?.code, 0);
  t.is((await end(getHost))?.code, 0);
});

test.serial('while all together hold too much, those who hold little are served', async (t) => {
  t.timeout(60_000);
  await using host = await Host.start({
    limits: { transitBytesMax: 1_048_576, transitMs: 60_000 },
    metrics: { listen: '127.0.0.1:0' },
  });
  const metrics = `http://${(await host.log.line('metrics-serving'))['address']}/metrics`;
  const figure = async (name: string) =>
    Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(await (await fetch(metrics)).text())?.[1]);
  const held = () => figure('wfdd_transit_bytes');
  using greedy = new WireClient(host.address);
  for (let n = 0; n < 24; n += 1) {
    greedy.start(getHost).write(framed(Buffer.alloc(60_000), { length: 70_000 }));
  }
  while ((await held()) <= 1_200_000) await new Promise(setImmediate);
  // In two pieces, so that it is not there at once.
  using small = new WireClient(host.address);
  const [before, calls] = [await held(), await figure('wfdd_calls_in_flight')];
  const slow = small.start(getHost);
  while ((await figure('wfdd_calls_in_flight')) === calls) await new Promise(setImmediate);
  slow.write(asked.subarray(0, 3));
  while ((await held()) === before) await new Promise(setImmediate);
  slow.end(asked.subarray(3));
  t.is((await endOf(slow)).status?.code, 0);
  // An answer that is not taken at once.
  using shut = new WireClient(host.address, 0);
  const waiting = shut.start(getHost);
  waiting.end(asked);
  await once(waiting, 'response');
  const full = await held();
  shut.session.settings({ initialWindowSize: 65_535 });
  const { status, resetCode } = await endOf(waiting);
  t.true(full > 1_048_576);
  t.deepEqual([status?.code, resetCode], [0, 0]);
  // They are given back when their calls are over, and all of them.
  greedy[Symbol.dispose]();
  while ((await held()) > 0) await new Promise(setImmediate);
  t.is(await held(), 0);
});

test.serial('a change that the edge refuses is audited with its refusal, not as one that was cancelled', async (t) => {
  await using host = await Host.start({ limits: { transitMs: 100 } });
  using client = new WireClient(host.address);
  const stream = client.start('wifidirect.v1.SessionService/CloseSession');
  stream.write(
    framed(CloseSessionRequest.encode(CloseSessionRequest.fromPartial({ sessionId: 'scanner-1' })).finish()),
  );
  const { code, sessionId } = await host.log.line('audit');
  t.deepEqual([code, sessionId], ['RESOURCE_EXHAUSTED', 'scanner-1']);
});

test.serial('no handler sees the credential of its caller', async (t) => {
  using files = new Files();
  await using host = await Host.start({
    access: {
      mode: 'authenticated',
      tokensFile: files.writeTokens({ alice: 'a-token-of-alice' }),
      roles: [{ role: 'viewer', principals: ['alice'] }],
    },
  });
  const { host: client } = host.clients('a-token-of-alice');
  await call(client.getHost.bind(client), {}, 30_000);
  t.true(seen.length > 0);
  t.false(JSON.stringify(seen).includes('a-token-of'));
});
