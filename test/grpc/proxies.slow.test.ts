/**
 * The daemon behind the proxies of the manual: statuses arrive, quiet streams stand, and who goes
 * is gone.
 */

import { Client, credentials, status } from '@grpc/grpc-js';
import test from 'ava';
import { SessionEventType } from '../../proto/gen/wifidirect/v1/session.js';
import { OpenSessionRequest, type OpenSessionResponse } from '../../proto/gen/wifidirect/v1/session_service.js';
import { Received } from '../harness/calls.js';
import { display, gatewayForThisFile } from '../harness/gateway.js';
import { SessionServiceClient } from '../harness/grpc-services.js';
import { framed, WireClient } from '../harness/grpc-wire.js';
import { type ProxyKind, proxyKinds, RunningProxy } from './proxies.js';

const gateway = gatewayForThisFile(
  // A busy machine may take its time for two hundred connections.
  ...['connectionsPerAddressMax=1000', 'unidentifiedConnectionsPerAddressMax=250', 'identifyMs=30000'].flatMap(
    (set) => ['--set', `limits.${set}`],
  ),
);
const getHost = 'wifidirect.v1.HostService/GetHost';
const SILENCE_SECONDS = 3;
const REFUSALS = 100;

async function behind(kind: ProxyKind, use: (address: string) => Promise<void>): Promise<void> {
  await using proxy = await RunningProxy.start(kind, gateway().daemon.address, SILENCE_SECONDS);
  await use(proxy.address);
}

for (const kind of proxyKinds) {
  const run = kind.isThere || process.env['CI'] === 'true' ? test.serial : test.serial.skip;

  run(
    `${kind.name}: a stream without events stands for longer than the proxy's timeout, with heartbeats`,
    async (t) => {
      await behind(kind, async (address) => {
        const sessions = new SessionServiceClient(address, credentials.createInsecure());
        const request = OpenSessionRequest.fromPartial({
          deviceAddress: display,
          heartbeatInterval: { seconds: 1n, nanos: 0 },
        });
        const stream = new Received<OpenSessionResponse>(sessions.openSession(request));
        const { event } = await stream.first((each) => each.event?.type === SessionEventType.OPENED);
        const id = event?.session?.sessionId ?? '';
        const beats = () => stream.messages.filter((each) => each.event === undefined).length;
        await gateway().until(async () => beats() > 2 * SILENCE_SECONDS);
        await gateway().close(id, { waitForDisconnect: true });
        t.is(await stream.ended, undefined);
        sessions.close();
      });
    },
  );

  run(`${kind.name}: who cancels is gone, and the session that hung on the stream ends`, async (t) => {
    await behind(kind, async (address) => {
      const watcher = gateway().watch();
      await watcher.first(({ snapshotComplete }) => snapshotComplete);
      const sessions = new SessionServiceClient(address, credentials.createInsecure());
      const request = OpenSessionRequest.fromPartial({ deviceAddress: display });
      const stream = new Received<OpenSessionResponse>(sessions.openSession(request));
      const { event } = await stream.first((each) => each.event?.type === SessionEventType.OPENED);
      stream.cancel();
      const closed = await watcher.event(event?.session?.sessionId ?? '', 'CLOSED');
      t.truthy(closed);
      sessions.close();
      watcher.cancel();
    });
  });

  run(`${kind.name}: a request that is refused before it has ended is told why, each time`, async (t) => {
    t.timeout(180_000);
    await behind(kind, async (address) => {
      const outcomes = new Map<string, number>();
      const client = new Client(address, credentials.createInsecure());
      const same = (bytes: Buffer) => bytes;
      const ask = () =>
        new Promise<void>((resolve) => {
          client.makeUnaryRequest(`/${getHost}`, same, same, Buffer.alloc(2 * 2 ** 20), (error) => {
            const outcome = status[error?.code ?? 0] ?? '';
            outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
            resolve();
          });
        });
      for (let round = 0; round < REFUSALS / 10; round += 1) await Promise.all(Array.from({ length: 10 }, ask));
      client.close();
      t.deepEqual(Object.fromEntries(outcomes), { RESOURCE_EXHAUSTED: REFUSALS });
    });
  });

  run(`${kind.name}: calls by the hundred at once are all answered`, async (t) => {
    await behind(kind, async (address) => {
      using client = new WireClient(address);
      const ends = await Promise.all(Array.from({ length: 200 }, () => client.call(getHost, framed(Buffer.alloc(0)))));
      const failed = ends.filter(({ status: told }) => told?.code !== status.OK);
      t.deepEqual(failed, []);
    });
  });
}
