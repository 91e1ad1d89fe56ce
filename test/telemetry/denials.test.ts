/** A refusal belongs to the trace of the call that was refused. */
import { Metadata } from '@grpc/grpc-js';
import test from 'ava';
import { Files } from '../access/files.js';
import { call } from '../harness/calls.js';
import { Host, misuses } from '../harness/host.js';
import { Collector } from './collector.js';

test('a call that is refused at the gate is a span, and its line in the log has the id of the trace', async (t) => {
  using files = new Files();
  const collector = await Collector.start();
  t.teardown(() => collector.close());
  await using host = await Host.start({
    access: {
      mode: 'authenticated',
      tokensFile: files.writeTokens({ alice: 'a-token-of-alice' }),
      roles: [{ role: 'viewer', principals: ['alice'] }],
    },
    traces: { endpoint: collector.endpoint, exportIntervalMs: 10 },
  });
  const { host: client } = host.clients('a-token-of-nobody');
  const traceId = '9a'.repeat(16);
  const metadata = new Metadata();
  metadata.set('traceparent', `00-${traceId}-${'bc'.repeat(8)}-01`);
  await t.throwsAsync(call(client.getHost.bind(client), {}, 10_000, metadata), { message: /UNAUTHENTICATED/ });
  t.is((await host.log.line('access-denied'))['trace_id'], traceId);
  const [span] = await collector.trace(traceId, 'wifidirect.v1.HostService/GetHost');
  t.like(span, { status: 0, attributes: { 'rpc.grpc.status_code': 16 } });
  t.false(JSON.stringify(collector.spans).includes('a-token-of'));
});

test.after.always('no misuse of the native API', (t) => {
  t.deepEqual(misuses(), []);
});
