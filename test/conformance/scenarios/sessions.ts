/** Scenarios: the life of a session, and who ends it. */
import { notEqual, ok } from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { display, scanner } from '../../harness/gateway.js';
import { eventOf, matches, type Opening, openedEvents, type Scenario, typesOf } from '../scenario.js';
import { Way } from '../way.js';

export const sessions: readonly Scenario[] = [
  {
    name: 'opens, and closes with evidence',
    play: async ({ client }) => {
      const opening = client.do('open', { deviceAddress: display });
      const { session } = await eventOf(opening, 'OPENED');
      matches(session, { state: 'OPEN', owner: 'anonymous' });
      const [closed] = await client.ask('close', { sessionId: session.id, wait: true });
      matches(closed, { session: { id: session.id, state: 'CLOSED', reason: 'REQUESTED' } });
      notEqual(closed?.session.evidence, 'UNCONFIRMED');
      matches(await opening.outcome(), undefined);
      matches(typesOf(openedEvents(opening)), ['OPENING', 'OPENED', 'CLOSING', 'CLOSED']);
      const [listed] = (await client.ask('sessions', {})).filter((item) => item.session.id === session.id);
      matches(listed, { session: closed?.session });
    },
  },
  {
    name: 'is cancelled while it opens',
    play: async ({ client, host }) => {
      await host.world.scriptOpen({ deviceAddress: display, delayMs: 'never' });
      const opening = client.do('open', { deviceAddress: display });
      const { session } = await eventOf(opening, 'OPENING');
      const [asked] = await client.ask('cancel', { sessionId: session.id });
      matches(asked, { session: { id: session.id } });
      matches(await opening.outcome(), undefined);
      matches(typesOf(openedEvents(opening)), ['OPENING', 'CANCELLING', 'CANCELLED']);
      matches((await eventOf(opening, 'CANCELLED')).session, { state: 'CANCELLED', reason: 'CANCELLED' });
    },
  },
  {
    name: 'is closed if the open is faster than the cancel',
    play: async ({ client, host }) => {
      // It completes when it is cancelled, and has succeeded: so the cancel always comes first.
      const cancelled = { error: 0, reasonCode: 0 };
      await host.world.scriptOpen({ deviceAddress: display, delayMs: 'never', cancelled });
      const opening = client.do('open', { deviceAddress: display });
      const { session } = await eventOf(opening, 'OPENING');
      await client.ask('cancel', { sessionId: session.id });
      matches(await opening.outcome(), undefined);
      matches(typesOf(openedEvents(opening)), ['OPENING', 'CANCELLING', 'CLOSING', 'CLOSED']);
      matches((await eventOf(opening, 'CLOSED')).session, { state: 'CLOSED', reason: 'CANCELLED' });
    },
  },
  {
    name: 'ends with its stream',
    play: async ({ client, host }) => {
      const watcher = host.watch();
      const opening = client.do('open', { deviceAddress: display });
      const { session } = await eventOf(opening, 'OPENED');
      await client.leave(opening);
      await watcher.event(session.id, 'CLOSED');
      const [ended] = await client.ask('get', { sessionId: session.id });
      matches(ended, { session: { state: 'CLOSED', reason: 'STREAM_ENDED' } });
      watcher.cancel();
    },
  },
  {
    name: 'outlives its stream while its lease is renewed',
    play: async ({ client, host }) => {
      const sessionId = randomUUID();
      const opening = client.do('open', { deviceAddress: scanner, sessionId, leaseTtlMs: 60_000 });
      await eventOf(opening, 'OPENED');
      const before = (await host.get(sessionId)).leaseExpireTime ?? 0;
      await client.leave(opening);
      const [renewed] = await client.ask('renew', { sessionId, leaseTtlMs: 120_000 });
      matches(renewed, { session: { state: 'OPEN' } });
      const after = (await host.get(sessionId)).leaseExpireTime ?? 0;
      ok(Number(after) - Number(before) > 30_000, 'the lease is longer than before');
      await client.ask('close', { sessionId, wait: true });
    },
  },
  {
    name: 'ends when its lease expires',
    play: async ({ client }) => {
      const opening = client.do('open', { deviceAddress: scanner, leaseTtlMs: 60_000 });
      const { session } = await eventOf(opening, 'OPENED');
      await client.ask('renew', { sessionId: session.id, leaseTtlMs: 50 });
      matches(await opening.outcome(), undefined);
      matches(typesOf(openedEvents(opening)).slice(2), ['LEASE_RENEWED', 'LEASE_EXPIRED', 'CLOSING', 'CLOSED']);
      matches((await eventOf(opening, 'CLOSED')).session, { reason: 'LEASE_EXPIRED' });
    },
  },
  {
    name: 'is attached again after the connection broke',
    play: async ({ client, host }) => {
      await using way = await Way.to(host.daemon.address);
      await client.connect(way.address);
      const sessionId = randomUUID();
      const request = { deviceAddress: scanner, sessionId, requestId: randomUUID(), leaseTtlMs: 60_000 };
      const opening = client.do('open', request);
      await eventOf(opening, 'OPENED');
      way.cut();
      const broken = await opening.outcome();
      matches({ code: broken?.code, reason: broken?.reason ?? null }, { code: 'UNAVAILABLE', reason: null });
      way.mend();
      const again = await attached(() => client.do('open', request));
      matches(openedEvents(again)[0], { session: { id: sessionId, state: 'OPEN' } });
      await client.ask('close', { sessionId, wait: true });
      matches(await again.outcome(), undefined);
    },
  },
];

/**
 * The first of the attempts that reaches the host: a connection that broke is not made again at
 * once. Each is a round trip.
 */
async function attached(open: () => Opening): Promise<Opening> {
  const signal = AbortSignal.timeout(15_000);
  while (!signal.aborted) {
    const opening = open();
    const isAttached = await opening
      .first(() => true)
      .then(
        () => true,
        () => false,
      );
    if (isAttached) return opening;
    matches(await opening.outcome(), { code: 'UNAVAILABLE' });
  }
  throw new Error('the client never came back');
}
