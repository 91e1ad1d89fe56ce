/**
 * Sessions that make events when a test wants them: leased, so that they need no stream, and
 * renewed, which is one event each.
 */
import type { Duration } from '../../proto/gen/google/protobuf/duration.js';
import { type SessionEvent, SessionEventType } from '../../proto/gen/wifidirect/v1/session.js';
import {
  RenewSessionRequest,
  type RenewSessionResponse,
  type WatchSessionsResponse,
} from '../../proto/gen/wifidirect/v1/session_service.js';
import { call } from '../harness/calls.js';
import { display, forklifts, type Gateway, robot, scanner } from '../harness/gateway.js';
import { StreamValidator } from '../harness/validator.js';
import { type RawStream, sequenceOf } from './raw-client.js';

/** For a daemon whose clients change and watch more often than honest ones do. */
export const unpaced = ['changes', 'watches'].flatMap((what) => [
  '--set',
  `limits.${what}PerSecondPerPrincipalMax=1000000`,
]);

const LEASE_SECONDS = 600n;
const IN_FLIGHT = 16;
const devices = [display, scanner, ...forklifts];

let named = 0;

/** A name that no other session of this process has had. */
export function newId(): string {
  named += 1;
  return `session-${named}`;
}

/** Opens so many sessions, to one device after another, in no time. */
export async function openLeased(gateway: Gateway, count: number): Promise<string[]> {
  await gateway.world.setDefaults({ open: 0, close: 0, address: 0 });
  const ids = Array.from({ length: count }, newId);
  for (const [i, sessionId] of ids.entries()) {
    const leaseTtl = { seconds: LEASE_SECONDS };
    const deviceAddress = devices[i % devices.length] ?? '';
    const { stream } = await gateway.openSession({ sessionId, deviceAddress, leaseTtl });
    stream.cancel();
  }
  return ids;
}

export function renew(
  gateway: Gateway,
  sessionId: string,
  fields: { readonly requestId?: string | undefined; readonly leaseTtl?: Duration } = {},
): Promise<RenewSessionResponse> {
  const { requestId = '', leaseTtl } = fields;
  const request = RenewSessionRequest.create({ sessionId, requestId, leaseTtl });
  return call(gateway.sessions.renewSession.bind(gateway.sessions), request);
}

/**
 * Makes so many events that the log keeps, or one more, by opens that fail; the answer is the
 * cursor after the last.
 */
export async function makeHistory(gateway: Gateway, count: number): Promise<string> {
  let made = 0;
  const lane = async () => {
    while (made < count) {
      made += 2;
      await gateway.open({ sessionId: newId(), deviceAddress: robot }).ended;
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
  return (await gateway.getHost()).newestCursor;
}

/**
 * Makes so many renewals, some at once; the answer is the cursor after the last. Only who reads in
 * time is sent each.
 */
export async function makeEvents(gateway: Gateway, ids: readonly string[], count: number): Promise<string> {
  let made = 0;
  const lane = async () => {
    while (made < count) {
      made += 1;
      await renew(gateway, ids[made % ids.length] ?? '');
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
  return (await gateway.getHost()).newestCursor;
}

/**
 * The renewals among what has come: addresses, which become known when they like, are events too.
 */
export function renewalsIn(messages: readonly WatchSessionsResponse[]): SessionEvent[] {
  return messages.flatMap(({ events }) => events.filter(({ type }) => type === SessionEventType.LEASE_RENEWED));
}

/**
 * Reads a raw watch that has asked from `from` until it has come to `to`, checking the promises of
 * the stream.
 */
export async function readTo(
  stream: RawStream<WatchSessionsResponse>,
  to: string,
  { from = '', validator = new StreamValidator() } = {},
): Promise<WatchSessionsResponse[]> {
  const messages: WatchSessionsResponse[] = [];
  validator.connected(from);
  await new Promise<void>((resolve, reject) => {
    stream.read((message) => {
      messages.push(message);
      validator.message(message);
      if (message.cursor !== '' && sequenceOf(message.cursor) >= sequenceOf(to)) resolve();
    });
    void stream.ended.then(({ status }) => reject(new Error(`the stream ended: ${status?.message ?? 'cut off'}`)));
  });
  stream.cancel();
  validator.disconnected();
  validator.finish(sequenceOf(to));
  return messages;
}
