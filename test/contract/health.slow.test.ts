/** `grpc.health.v1`: what a load balancer or a prober sees of the host. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import test from 'ava';
import { ErrorReason } from '../../proto/gen/wifidirect/v1/error.js';
import { GetHostRequest, HostState } from '../../proto/gen/wifidirect/v1/host_service.js';
import { call, failure, Received } from '../harness/calls.js';
import { isWine, startDaemon } from '../harness/daemon.js';
import { display, Gateway, gatewayForThisFile, withGateway } from '../harness/gateway.js';
import { type HealthAnswer, healthClient, healthOf } from '../harness/health.js';
import { simulatorWithout } from '../harness/reduced-simulator.js';

const all = { '': 'SERVING', SessionService: 'SERVING', DeviceService: 'SERVING', HostService: 'SERVING' };
const none = {
  '': 'NOT_SERVING',
  SessionService: 'NOT_SERVING',
  DeviceService: 'NOT_SERVING',
  HostService: 'NOT_SERVING',
};
const gateway = gatewayForThisFile('--set', 'driver.probeIntervalMs=50', '--set', 'driver.reopenBackoffMinMs=20');

test.serial('health is SERVING, for the host and for each service', async (t) => {
  const client = healthClient(gateway().daemon.address);
  const services = ['', 'SessionService', 'DeviceService', 'HostService'].map(
    (name) => name && `wifidirect.v1.${name}`,
  );
  for (const service of services) {
    t.is((await call(client.check.bind(client), { service })).status, 'SERVING');
  }
  client.close();
});

test.serial('all that is known is listed, and nothing else has a status', async (t) => {
  const client = healthClient(gateway().daemon.address);
  const { statuses } = await call(client.list.bind(client), {});
  t.deepEqual(Object.keys(statuses), [
    '',
    'wifidirect.v1.SessionService',
    'wifidirect.v1.DeviceService',
    'wifidirect.v1.HostService',
    'wifidirect.simulator.v1.SimulatorService',
  ]);
  t.true(Object.values(statuses).every((answer) => answer.status === 'SERVING'));
  const service = 'wifidirect.v1.NoSuchService';
  t.is((await failure(call(client.check.bind(client), { service }))).code, status.NOT_FOUND);
  const watch = new Received<HealthAnswer>(client.watch({ service }));
  await watch.first((answer) => answer.status === 'SERVICE_UNKNOWN');
  watch.cancel();
  client.close();
});

test.serial('health turns NOT_SERVING when the WLAN service stops, and back when it returns', async (t) => {
  const client = healthClient(gateway().daemon.address);
  const watch = new Received<HealthAnswer>(client.watch({ service: 'wifidirect.v1.SessionService' }));
  await watch.first((answer) => answer.status === 'SERVING');
  await gateway().world.stopService();
  await watch.first((answer) => answer.status === 'NOT_SERVING');
  // Another reason is not another status, and neither is one more attempt that fails.
  await gateway().world.stopService({ callCode: 1722 });
  const host = () => call(gateway().host.getHost.bind(gateway().host), GetHostRequest.fromPartial({}));
  await gateway().until(async () => (await host()).stateReason === ErrorReason.WLAN_SERVICE_UNREACHABLE);
  t.is((await host()).state, HostState.DEGRADED);
  t.not((await host()).stateMessage, '');
  await gateway().world.startService();
  await watch.first((answer) => answer.status === 'SERVING' && watch.messages.length > 2);
  t.deepEqual(
    watch.messages.map((answer) => answer.status),
    ['SERVING', 'NOT_SERVING', 'SERVING'],
  );
  t.is((await host()).state, HostState.READY);
  const { id } = await gateway().openSession({ deviceAddress: display });
  await gateway().close(id, { waitForDisconnect: true });
  watch.cancel();
  client.close();
});

test.serial('while the WLAN service is stopped none is SERVING', async (t) => {
  await gateway().world.stopService();
  const { address } = gateway().daemon;
  await gateway().until(async () => (await healthOf(address))['SessionService'] === 'NOT_SERVING');
  t.deepEqual(await healthOf(address), none);
});

for (const [functions, statuses] of [
  [['GetIfEntry2', 'WFDOpenLegacySession', 'WFDUpdateDeviceVisibility'], all],
  [['DevCreateObjectQuery'], { ...all, DeviceService: 'NOT_SERVING' }],
  [['WFDCloseSession'], none],
] as const) {
  test.serial(`without ${functions.join(', ')} the services that can serve are SERVING`, async (t) => {
    const flags = ['--simulator-library', await simulatorWithout(...functions)];
    await withGateway(flags, async (degraded) => {
      t.deepEqual(await healthOf(degraded.daemon.address), statuses);
      const { state, stateReason, stateMessage } = await degraded.getHost();
      t.is(state, HostState.DEGRADED);
      t.is(stateReason, ErrorReason.DRIVER_NOT_AVAILABLE);
      for (const name of functions) t.true(stateMessage.includes(name), stateMessage);
      t.deepEqual(await degraded.world.misuse(), {});
      t.is(await degraded.daemon.stop(), 0);
    });
  });
}

test.serial('without the library the daemon runs on, DEGRADED, and says what is missing', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'wfd-damaged-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  // It begins as a library does, and ends there.
  const damaged = join(folder, 'damaged.so');
  writeFileSync(damaged, '\x7fELF');
  const flags = isWine ? ['--driver', 'wlanapi'] : ['--driver', 'simulator', '--simulator-library', damaged];
  const daemon = await startDaemon(...flags);
  const degraded = new Gateway(daemon);
  const client = healthClient(daemon.address);
  t.is((await call(client.check.bind(client), { service: '' })).status, 'NOT_SERVING');
  const host = await call(degraded.host.getHost.bind(degraded.host), GetHostRequest.fromPartial({}));
  t.is(host.state, HostState.DEGRADED);
  const [missing] = host.driver?.missingFunctions ?? [];
  if (isWine) t.like(missing, { library: 'wlanapi.dll', function: 'WFDOpenHandle' });
  else t.like(missing, { library: 'damaged.so', function: '' });
  const error = await degraded.open({ deviceAddress: display }).status();
  t.is(error?.info?.reason, 'DRIVER_NOT_AVAILABLE');
  t.is(error?.info?.metadata['library'], missing?.library);
  t.truthy(await daemon.line('library-incomplete'));
  client.close();
  degraded.disconnect();
  t.is(await daemon.stop(), 0);
});

test.serial('a prober is answered, though the calls of its principal are used up', async (t) => {
  await withGateway(['--set', 'limits.callsPerPrincipalMax=1'], async ({ daemon }) => {
    const client = healthClient(daemon.address);
    const watch = new Received<HealthAnswer>(client.watch({ service: '' }));
    await watch.first(({ status }) => status === 'SERVING');
    t.is((await call(client.check.bind(client), { service: '' })).status, 'SERVING');
    watch.cancel();
    client.close();
  });
});

test('the version that the host tells is that of the package', async (t) => {
  const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));
  const { serviceVersion } = await call(gateway().host.getHost.bind(gateway().host), GetHostRequest.fromPartial({}));
  t.is(serviceVersion, version);
});
