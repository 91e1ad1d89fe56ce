/**
 * Signs of life on an OpenSession stream, for proxies and for clients: only where they are asked
 * for.
 */
import { status } from '@grpc/grpc-js';
import test from 'ava';
import { readError } from '../harness/calls.js';
import { display, gatewayForThisFile, scanner } from '../harness/gateway.js';
import { duration } from '../harness/world.js';

const gateway = gatewayForThisFile();

test.serial(
  'a quiet stream sends a heartbeat in each interval, and a watch that resumes at it misses nothing',
  async (t) => {
    const { stream, id } = await gateway().openSession({ deviceAddress: display, heartbeatInterval: duration(1000) });
    const events = stream.events.length;
    const beats = () => stream.messages.filter(({ event }) => event === undefined);
    await stream.first(() => beats().length === 2);
    t.true(stream.events.length >= events);
    const { cursor = '' } = beats()[1] ?? {};
    await gateway().close(id, { waitForDisconnect: true });
    const watcher = gateway().watch({ cursor });
    await watcher.event(id, 'CLOSED');
    t.is(watcher.typesOf(id).join(), 'CLOSING,CLOSED');
    t.is(await stream.status(), undefined);
  },
);

test.serial('the same request with another interval is the same request: the interval is of the stream', async (t) => {
  const fields = { deviceAddress: scanner, requestId: '3c2f0f6e-8d2e-4c7e-9b7a-4f0f3f9f5a10' };
  const { id } = await gateway().openSession(fields);
  const again = gateway().open({ ...fields, heartbeatInterval: duration(1000) });
  // Addresses may have come meanwhile, so it need not be OPENED.
  const { event: latest } = await again.first(() => true);
  t.is(latest?.session?.sessionId, id);
  await again.first(({ event }) => event === undefined);
});

test.serial('an interval below a second or above five minutes is refused', async (t) => {
  for (const heartbeatInterval of [duration(0), duration(999), { seconds: 300n, nanos: 1 }]) {
    const error = await gateway().open({ deviceAddress: display, heartbeatInterval }).ended;
    const { code, fields } = readError(error ?? (t.fail('it is to be refused') as never));
    t.is(code, status.INVALID_ARGUMENT);
    t.deepEqual(fields, ['heartbeat_interval']);
  }
});
