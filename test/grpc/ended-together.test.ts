/** Streams that are ended together. */
import { promisify } from 'node:util';
import { ServerCredentials, type ServiceError, status } from '@grpc/grpc-js';
import test from 'ava';
import { OpenStreams } from '../../service/api/open-streams.js';
import { hostStopping } from '../../service/fault.js';
import { Received, readError } from '../harness/calls.js';
import { type HealthAnswer, healthClient } from '../harness/health.js';
import { healthServer } from './health-server.js';

test('those that stand, and one that comes after them, end with the reason, each after its first message', async (t) => {
  const streams = new OpenStreams();
  const server = healthServer(streams);
  const port = await promisify(server.bindAsync.bind(server))('127.0.0.1:0', ServerCredentials.createInsecure());
  const client = healthClient(`127.0.0.1:${port}`);
  const watch = () => new Received<HealthAnswer>(client.watch({ service: 'any' }));
  const early = watch();
  await early.first(() => true);
  streams.stopAll(hostStopping());
  for (const watched of [early, watch()]) {
    const error = readError((await watched.ended) as ServiceError);
    t.is(error.code, status.UNAVAILABLE);
    t.is(error.info?.reason, 'HOST_STOPPING');
    t.is(watched.messages.length, 1);
  }
  t.is(streams.size, 0);
  client.close();
  server.forceShutdown();
});
