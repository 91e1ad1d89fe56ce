/** Answers that nobody takes: what they hold is bounded, and they are given up after a while. */
import { once } from 'node:events';
import { constants } from 'node:http2';
import { status } from '@grpc/grpc-js';
import test from 'ava';
import { ListSessionsRequest } from '../../proto/gen/wifidirect/v1/session_service.js';
import { endOf, framed, WireClient } from '../harness/grpc-wire.js';
import { Siege } from '../harness/siege.js';
import { openLeased } from '../stream/lively.js';

const MEGABYTE = 2 ** 20;
const siege = new Siege(
  ...[
    'limits.transitMs=2000',
    `limits.transitBytesMax=${4 * MEGABYTE}`,
    'limits.callsPerPrincipalMax=700',
    'limits.sessionsPerPrincipalMax=110',
  ].flatMap((set) => ['--set', set]),
);
const listSessions = 'wifidirect.v1.SessionService/ListSessions';
const reflection = 'grpc.reflection.v1.ServerReflection/ServerReflectionInfo';

test.serial('answers that are never taken hold no more than their bound, then their streams are reset', async (t) => {
  const ids = await openLeased(siege.gateway, 100);
  await siege.endure(t, async () => {
    const request = ListSessionsRequest.encode(ListSessionsRequest.fromPartial({ pageSize: 1000 })).finish();
    using client = new WireClient(siege.address, 0);
    await once(client.session, 'remoteSettings');
    const calls = Array.from({ length: 400 }, () => client.call(listSessions, framed(request)));
    for (const { status: told, resetCode } of await Promise.all(calls)) {
      t.is(told, undefined);
      t.is(resetCode, constants.NGHTTP2_ENHANCE_YOUR_CALM);
    }
  });
  await Promise.all(ids.map((id) => siege.gateway.close(id, { waitForDisconnect: true })));
});

test.serial('requests by the thousand on one stream whose answers are not taken end it', async (t) => {
  await siege.endure(t, async () => {
    using client = new WireClient(siege.address, 0);
    const stream = client.start(reflection);
    // `file_containing_symbol`: its file with all that it imports.
    const symbol = Buffer.from('wifidirect.v1.SessionService');
    const request = framed(Buffer.concat([Buffer.of(0x22, symbol.length), symbol]));
    stream.end(Buffer.concat(new Array<Buffer>(20_000).fill(request)));
    t.is((await endOf(stream)).resetCode, constants.NGHTTP2_ENHANCE_YOUR_CALM);
  });
});

test.serial('a principal has no more calls than it may, whatever they are', async (t) => {
  const client = new WireClient(siege.address);
  await once(client.session, 'remoteSettings');
  const watches = Array.from({ length: 900 }, () => {
    const stream = client.start('grpc.health.v1.Health/Watch');
    stream.end(framed(Buffer.alloc(0)));
    return Promise.race([once(stream, 'data').then(() => undefined), endOf(stream)]);
  });
  const refused = (await Promise.all(watches)).filter((end) => end !== undefined);
  t.true(refused.length >= 200, `${refused.length} are refused`);
  for (const { status: told } of refused) {
    t.is(told?.code, status.RESOURCE_EXHAUSTED);
    t.deepEqual(told?.info?.metadata, {
      subject: 'principal:anonymous',
      limit: 'calls_per_principal_max',
      limit_value: '700',
    });
  }
  client[Symbol.dispose]();
  const isServed = async () =>
    siege.gateway.getHost().then(
      () => true,
      () => false,
    );
  await siege.gateway.until(isServed);
});
