/**
 * One of each message of the gateway, taken from a running one, so that the bare server sends
 * messages of the same sizes.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { credentials } from '@grpc/grpc-js';
import * as session from '../../../proto/gen/wifidirect/v1/session.js';
import * as service from '../../../proto/gen/wifidirect/v1/session_service.js';
import { call, Received } from '../../harness/calls.js';
import { SessionServiceClient } from '../../harness/grpc-services.js';
import { deviceAddress } from '../load/calls.js';
import { outputFolder } from '../output.js';

const { SessionEventType } = session;

/** What each sample is. */
const types = {
  opening: service.OpenSessionResponse,
  opened: service.OpenSessionResponse,
  closing: service.OpenSessionResponse,
  closed: service.OpenSessionResponse,
  snapshot: service.WatchSessionsResponse,
  renewed: service.WatchSessionsResponse,
  get: service.GetSessionResponse,
  renew: service.RenewSessionResponse,
  close: service.CloseSessionResponse,
} as const;

type Name = keyof typeof types;
export type Samples = { readonly [K in Name]: ReturnType<(typeof types)[K]['decode']> };

const file = join(outputFolder, 'samples.json');

/** Lets one session live on the gateway at this address, and keeps what is said of it. */
export async function takeSamples(address: string): Promise<void> {
  const client = new SessionServiceClient(address, credentials.createInsecure());
  const sessionId = 'bench-sample';
  await using watch = new Received(client.watchSessions(service.WatchSessionsRequest.create()));
  const snapshot = await watch.first((message) => message.snapshotComplete);
  const open = service.OpenSessionRequest.create({
    sessionId,
    deviceAddress: deviceAddress(0),
    leaseTtl: { seconds: 60n, nanos: 0 },
  });
  await using life = new Received(client.openSession(open));
  const told = (type: session.SessionEventType) => life.first(({ event }) => event?.type === type);
  const opening = await told(SessionEventType.OPENING);
  const opened = await told(SessionEventType.OPENED);
  const get = await call(client.getSession.bind(client), { sessionId });
  const renew = await call(client.renewSession.bind(client), service.RenewSessionRequest.create({ sessionId }));
  const renewed = await watch.first(({ events }) => events[0]?.type === SessionEventType.LEASE_RENEWED);
  const close = await call(client.closeSession.bind(client), service.CloseSessionRequest.create({ sessionId }));
  const closing = await told(SessionEventType.CLOSING);
  const closed = await told(SessionEventType.CLOSED);
  const samples: Samples = { opening, opened, closing, closed, snapshot, renewed, get, renew, close };
  const encode = (name: Name) => Buffer.from(types[name].encode(samples[name] as never).finish()).toString('base64');
  writeFileSync(file, JSON.stringify(Object.fromEntries(names().map((name) => [name, encode(name)]))));
  client.close();
}

export function readSamples(): Samples {
  const encoded = JSON.parse(readFileSync(file, 'utf8')) as Record<Name, string>;
  const decode = (name: Name) => types[name].decode(Buffer.from(encoded[name], 'base64'));
  return Object.fromEntries(names().map((name) => [name, decode(name)])) as unknown as Samples;
}

function names(): Name[] {
  return Object.keys(types) as Name[];
}
