/**
 * The health of a service that is not there can be asked for as often as one likes, and costs
 * nothing afterwards.
 */
import { promisify } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { ServerCredentials } from '@grpc/grpc-js';
import test from 'ava';
import { OpenStreams } from '../../service/api/open-streams.js';
import { Received } from '../harness/calls.js';
import { type HealthAnswer, healthClient } from '../harness/health.js';
import { healthServer } from './health-server.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function heapUsed(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

test('names of services that are not there are not kept', async (t) => {
  const server = healthServer(new OpenStreams());
  const port = await promisify(server.bindAsync.bind(server))('127.0.0.1:0', ServerCredentials.createInsecure());
  const client = healthClient(`127.0.0.1:${port}`);
  const watch = async (name: string) => {
    await using watched = new Received<HealthAnswer>(client.watch({ service: name }));
    const { status } = await watched.first(() => true);
    t.is(status, 'SERVICE_UNKNOWN');
  };
  await watch('nobody');
  const before = heapUsed();
  const each = 256 * 1024;
  const count = 100;
  for (let watched = 0; watched < count; watched += 1) await watch(`${watched}`.padEnd(each, 'x'));
  const kept = heapUsed() - before;
  t.true(kept < (count * each) / 4, `${kept} bytes are kept`);
  client.close();
  server.forceShutdown();
});
