/**
 * Clients that nobody here wrote, as they come from the Go module proxy: grpcurl, grpc_health_probe
 * and ghz. They know the contract through reflection alone. Skipped where Go is lacking.
 */
import test from 'ava';
import { Files } from '../access/files.js';
import { configOfGuarded } from '../conformance/hosts.js';
import { go } from '../conformance/libraries/go.js';
import { startDaemon } from '../harness/daemon.js';
import { display, gatewayForThisFile, robot } from '../harness/gateway.js';
import { buildTools, eventTypes, ghz, grpcurl, objects, probe } from './tools.js';

const gateway = gatewayForThisFile('--set', 'driver.probeIntervalMs=50', '--set', 'driver.reopenBackoffMinMs=20');
const ask = (...args: string[]) => grpcurl('-plaintext', ...args);
const tools = go.lacks === undefined ? test.serial : test.serial.skip;

tools('they are built', async (t) => {
  t.timeout(10 * 60_000);
  await buildTools();
  t.pass();
});

tools('grpcurl lists the services and describes them', async (t) => {
  const { address } = gateway().daemon;
  const listed = await ask(address, 'list');
  t.deepEqual(
    listed.output.split('\n').filter((name) => name !== '' && !name.startsWith('wifidirect.simulator.')),
    [
      'grpc.health.v1.Health',
      'grpc.reflection.v1.ServerReflection',
      'grpc.reflection.v1alpha.ServerReflection',
      'wifidirect.v1.DeviceService',
      'wifidirect.v1.HostService',
      'wifidirect.v1.SessionService',
    ],
  );
  const value = await ask(address, 'describe', 'wifidirect.v1.SESSION_STATE_OPEN');
  t.regex(
    value.output,
    /wifidirect\.v1\.(SessionState\.)?SESSION_STATE_OPEN is an enum value:\nSESSION_STATE_OPEN = \d+;/,
  );
  const service = await ask(address, 'describe', 'wifidirect.v1.SessionService');
  t.regex(service.output, /rpc OpenSession \( .*OpenSessionRequest \) returns \( stream .*OpenSessionResponse \);/);
  const message = await ask(address, 'describe', 'wifidirect.v1.OpenSessionRequest');
  t.regex(message.output, /string device_address = 2;\n {2}\.wifidirect\.v1\.SessionKind kind = 3;/);
});

tools('grpcurl asks the host about itself', async (t) => {
  const { code, output } = await ask(gateway().daemon.address, 'wifidirect.v1.HostService/GetHost');
  t.is(code, 0);
  t.like(objects(output)[0], {
    state: 'HOST_STATE_READY',
    driver: { kind: 'DRIVER_KIND_SIMULATOR', negotiatedVersion: 1 },
  });
});

tools('grpcurl and ghz call health by what reflection says of it', async (t) => {
  const { address } = gateway().daemon;
  const health = await ask('-d', '{"service": "wifidirect.v1.SessionService"}', address, 'grpc.health.v1.Health/Check');
  t.deepEqual(objects(health.output), [{ status: 'SERVING' }]);
  const load = ['--call', 'grpc.health.v1.Health/Check', '--total', '200', '--format', 'json'];
  const { code, output } = await ghz('--insecure', ...load, address);
  t.is(code, 0);
  t.like(JSON.parse(output), { statusCodeDistribution: { OK: 200 } });
});

tools('grpcurl follows a session from its opening to its end', async (t) => {
  const request = JSON.stringify({ sessionId: 'by-grpcurl', deviceAddress: display });
  const following = ask('-d', request, gateway().daemon.address, 'wifidirect.v1.SessionService/OpenSession');
  await gateway()
    .watch({ sessionIds: ['by-grpcurl'] })
    .event('by-grpcurl', 'OPENED');
  await gateway().close('by-grpcurl');
  const { code, output } = await following;
  t.is(code, 0);
  const types = eventTypes(output).filter((type) => type !== 'NETWORK_INTERFACE_CHANGED');
  t.deepEqual(types, ['OPENING', 'OPENED', 'CLOSING', 'CLOSED']);
});

tools('grpcurl shows why an open failed, decoded', async (t) => {
  const request = JSON.stringify({ deviceAddress: robot });
  const rpc = 'wifidirect.v1.SessionService/OpenSession';
  const { code, output, errors } = await ask('-format-error', '-d', request, gateway().daemon.address, rpc);
  t.is(code, 64 + 10, 'ABORTED');
  t.deepEqual(eventTypes(output), ['OPENING', 'FAILED']);
  const { details } = objects(errors)[0] as { details: readonly Record<string, unknown>[] };
  t.like(details[0], {
    '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
    reason: 'OPEN_FAILED',
    domain: 'wifidirect.v1',
  });
  t.like(details[1], {
    '@type': 'type.googleapis.com/wifidirect.v1.NativeResult',
    function: 'WFD_OPEN_SESSION_COMPLETE_CALLBACK',
    code: 1460,
    name: 'ERROR_TIMEOUT',
  });
});

tools('grpcurl is told which field is wrong', async (t) => {
  const rpc = 'wifidirect.v1.SessionService/GetSession';
  const { code, errors } = await ask('-d', '{"session_id":"NO"}', gateway().daemon.address, rpc);
  t.is(code, 64 + 3, 'INVALID_ARGUMENT');
  t.regex(errors, /"fieldViolations": \[\s*\{\s*"field": "session_id",\s*"description": ".*must be 4 to 63/);
});

const services = ['', 'wifidirect.v1.SessionService', 'wifidirect.v1.DeviceService', 'wifidirect.v1.HostService'];

tools(
  'grpc_health_probe sees the host and each service SERVING, and NOT_SERVING without the WLAN service',
  async (t) => {
    const check = (service: string) =>
      probe('-addr', gateway().daemon.address, '-service', service, '-rpc-timeout', '5s');
    for (const service of services) t.like(await check(service), { code: 0, errors: 'status: SERVING\n' });
    await gateway().world.stopService();
    await gateway().until(async () => (await gateway().getHost()).stateMessage !== '');
    for (const service of services) {
      const { code, errors } = await check(service);
      t.is(code, 4);
      t.regex(errors, /service unhealthy \(responded with "NOT_SERVING"\)/);
    }
    t.is((await check('wifidirect.v1.NoService')).code, 3, 'it failed to ask');
  },
);

tools('ghz calls GetHost and GetSession a few thousand times without an error', async (t) => {
  const { id } = await gateway().openSession({ deviceAddress: display });
  for (const [rpc, request] of [
    ['HostService/GetHost', {}],
    ['SessionService/GetSession', { session_id: id }],
  ] as const) {
    const call = ['--call', `wifidirect.v1.${rpc}`, '-d', JSON.stringify(request)];
    const load = ['--total', '2000', '--concurrency', '20', '--connections', '2'];
    const { code, output } = await ghz('--insecure', '--format', 'json', ...call, ...load, gateway().daemon.address);
    t.is(code, 0);
    const report = JSON.parse(output) as Record<string, unknown>;
    t.like(report, { count: 2000, statusCodeDistribution: { OK: 2000 } });
    t.deepEqual(report['errorDistribution'], {}, rpc);
  }
  await gateway().close(id, { waitForDisconnect: true });
});

tools('each of them comes in by TLS and a token, and not without', async (t) => {
  using files = new Files();
  const daemon = await startDaemon('--driver', 'simulator', '--config', configOfGuarded(files));
  const address = daemon.address.replace('127.0.0.1', 'localhost');
  const authority = files.path('ca.pem');
  const token = 'authorization: Bearer token-of-viewer';
  const rpc = 'wifidirect.v1.HostService/GetHost';
  try {
    t.regex((await grpcurl('-cacert', authority, '-H', token, address, rpc)).output, /HOST_STATE_READY/);
    t.is((await probe('-addr', address, '-tls', '-tls-ca-cert', authority, '-rpc-header', token)).code, 0);
    const load = ['--call', rpc, '--total', '200', '--format', 'json', '--cacert', authority];
    const metadata = JSON.stringify({ authorization: 'Bearer token-of-viewer' });
    const { output } = await ghz(...load, '--metadata', metadata, '--reflect-metadata', metadata, address);
    t.like(JSON.parse(output), { statusCodeDistribution: { OK: 200 } });

    const stranger = await grpcurl('-cacert', authority, address, rpc);
    t.regex(stranger.errors, /Unauthenticated/);
    t.is((await probe('-addr', address, '-tls', '-tls-ca-cert', authority)).code, 3);
    t.is((await probe('-addr', address)).code, 2, 'in clear text');
  } finally {
    t.is(await daemon.stop(), 0);
  }
});
