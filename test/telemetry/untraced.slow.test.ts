/** Who sends no traces does not pay for them. */
import { createRequire } from 'node:module';
import test from 'ava';
import { call } from '../harness/calls.js';
import { Host, misuses } from '../harness/host.js';
import { Collector } from './collector.js';

const loaded = () =>
  Object.keys(createRequire(import.meta.url).cache).filter((file) => /@opentelemetry|prom-client/.test(file));

async function useOnce(host: Host): Promise<void> {
  const { host: client } = host.clients();
  await call(client.getHost.bind(client), {});
}

test('the packages of traces and metrics are loaded only where they are used', async (t) => {
  {
    await using host = await Host.start({});
    await useOnce(host);
    t.deepEqual(loaded(), []);
  }
  const collector = await Collector.start();
  t.teardown(() => collector.close());
  await using host = await Host.start({ traces: { endpoint: collector.endpoint }, metrics: { listen: '127.0.0.1:0' } });
  await useOnce(host);
  t.true(loaded().some((file) => file.includes('@opentelemetry')));
  t.true(loaded().some((file) => file.includes('prom-client')));
});

test.after.always('no misuse of the native API', (t) => {
  t.deepEqual(misuses(), []);
});
