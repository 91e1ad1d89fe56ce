/** `grpc.health.v1`: what a load balancer or a prober sees of the host. */
import { readFileSync } from 'node:fs';
import { credentials, loadPackageDefinition, type ServiceClientConstructor } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import test from 'ava';
import { protoPath } from 'grpc-health-check';
import { GetHostRequest, HostState } from '../../clients/typescript/src/gen/wifidirect/v1/host_service.js';
import { call, Received } from '../harness/calls.js';
import { isWine, startDaemon } from '../harness/daemon.js';
import { display, Gateway, gatewayForThisFile } from '../harness/gateway.js';

const gateway = gatewayForThisFile('--set', 'driver.probeIntervalMs=50', '--set', 'driver.reopenBackoffMinMs=20');

interface Answer {
  readonly status: 'UNKNOWN' | 'SERVING' | 'NOT_SERVING' | 'SERVICE_UNKNOWN';
}

function health(address: string) {
  const loaded = loadPackageDefinition(loadSync(protoPath, { enums: String })) as unknown as {
    grpc: { health: { v1: { Health: ServiceClientConstructor } } };
  };
  return new loaded.grpc.health.v1.Health(address, credentials.createInsecure()) as unknown as {
    check: Parameters<typeof call<{ service: string }, Answer>>[0];
    watch(request: { service: string }): ConstructorParameters<typeof Received<Answer>>[0];
    close(): void;
  };
}

test.serial('health is SERVING, for the host and for each service', async (t) => {
  const client = health(gateway().daemon.address);
  const services = ['', 'SessionService', 'DeviceService', 'HostService'].map(
    (name) => name && `wifidirect.v1.${name}`,
  );
  for (const service of services) {
    t.is((await call(client.check.bind(client), { service })).status, 'SERVING');
  }
  client.close();
});

test.serial('health turns NOT_SERVING when the WLAN service stops, and back when it returns', async (t) => {
  const client = health(gateway().daemon.address);
  const watch = new Received<Answer>(client.watch({ service: 'wifidirect.v1.SessionService' }));
  await watch.first(({ status }) => status === 'SERVING');
  await gateway().world.stopService();
  await watch.first(({ status }) => status === 'NOT_SERVING');
  const host = () => call(gateway().host.getHost.bind(gateway().host), GetHostRequest.fromPartial({}));
  t.is((await host()).state, HostState.DEGRADED);
  t.not((await host()).stateMessage, '');
  await gateway().world.startService();
  await watch.first((answer) => answer.status === 'SERVING' && watch.messages.length > 2);
  t.is((await host()).state, HostState.READY);
  const { id } = await gateway().openSession({ deviceAddress: display });
  await gateway().close(id, { waitForDisconnect: true });
  watch.cancel();
  client.close();
});

test.serial('without the library the daemon runs on, DEGRADED, and says what is missing', async (t) => {
  const flags = isWine
    ? ['--driver', 'wlanapi']
    : ['--driver', 'simulator', '--simulator-library', new URL(import.meta.url).pathname];
  const daemon = await startDaemon(...flags);
  const degraded = new Gateway(daemon);
  const client = health(daemon.address);
  t.is((await call(client.check.bind(client), { service: '' })).status, 'NOT_SERVING');
  const host = await call(degraded.host.getHost.bind(degraded.host), GetHostRequest.fromPartial({}));
  t.is(host.state, HostState.DEGRADED);
  const [missing] = host.driver?.missingFunctions ?? [];
  if (isWine) t.like(missing, { library: 'wlanapi.dll', function: 'WFDOpenHandle' });
  else t.like(missing, { library: 'health.test.js', function: '' });
  const error = await degraded.open({ deviceAddress: display }).status();
  t.is(error?.info?.reason, 'DRIVER_NOT_AVAILABLE');
  t.is(error?.info?.metadata['library'], missing?.library);
  t.truthy(await daemon.line('library-incomplete'));
  client.close();
  degraded.disconnect();
  t.is(await daemon.stop(), 0);
});

test('the version that the host tells is that of the package', async (t) => {
  const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));
  const { serviceVersion } = await call(gateway().host.getHost.bind(gateway().host), GetHostRequest.fromPartial({}));
  t.is(serviceVersion, version);
});
