/** Scenarios: a watch, whatever happens on the way and at the host. */
import { notEqual, ok } from 'node:assert/strict';
import { call } from '../../harness/calls.js';
import { display, type Gateway, scanner, withGateway } from '../../harness/gateway.js';
import type { EventItem } from '../protocol.js';
import {
  eventOf,
  followOneAnother,
  itemOf,
  matches,
  openedEvents,
  riseFrom,
  type Scenario,
  typesOf,
  watchedEvents,
} from '../scenario.js';
import { Way } from '../way.js';

/** One after another, sessions come and go; the number of the last event. */
async function comeAndGo(host: Gateway, sessions: number): Promise<number> {
  let last = 0;
  for (let session = 0; session < sessions; session += 1) {
    const { stream, id } = await host.openSession({ deviceAddress: scanner });
    await host.close(id, { waitForDisconnect: true });
    await stream.ended;
    last = Number(stream.events.at(-1)?.sequence ?? 0);
  }
  return last;
}

/** An event for each call, many at once, until it is so. */
async function renewUntil(host: Gateway, sessionId: string, isSo: () => Promise<boolean>): Promise<void> {
  const renew = host.sessions.renewSession.bind(host.sessions);
  const request = { sessionId, leaseTtl: aMinute, requestId: '' };
  for (let round = 0; round < 400; round += 1) {
    await Promise.all(Array.from({ length: 50 }, () => call(renew, request)));
    if (await isSo()) return;
  }
  throw new Error('20,000 events were not too many');
}

const aMinute = { seconds: 60n, nanos: 0 };
const lastSequence = (items: Parameters<typeof watchedEvents>[0]) => watchedEvents(items).at(-1)?.sequence ?? 0;

export const watches: readonly Scenario[] = [
  {
    name: 'shows a snapshot, then each event',
    play: async ({ client, host }) => {
      const { stream, id } = await host.openSession({ deviceAddress: display });
      const watching = client.do('watch', {});
      const snapshot = await itemOf(watching, 'snapshot');
      const [shown] = snapshot.sessions.filter((session) => session.id === id);
      matches(shown, { state: 'OPEN' });
      await host.close(id);
      await itemOf(watching, 'event', ({ event }) => event.type === 'CLOSED');
      matches(typesOf(watchedEvents(watching.items, id)), ['CLOSING', 'CLOSED']);
      await stream.ended;
      await client.leave(watching);
    },
  },
  {
    name: 'resumes at a stored cursor',
    play: async ({ client, host }) => {
      const first = client.do('watch', {});
      const { cursor } = await itemOf(first, 'snapshot');
      await client.leave(first);
      const last = await comeAndGo(host, 2);
      const second = client.do('watch', { cursor });
      await itemOf(second, 'event', ({ event }) => event.sequence === last);
      const [event] = watchedEvents(second.items);
      followOneAnother(second.items, event?.sequence ?? 0, last);
      matches([...new Set(second.items.map(({ kind }) => kind))], ['event']);
      matches(typesOf(watchedEvents(second.items)), Array(2).fill(['OPENING', 'OPENED', 'CLOSING', 'CLOSED']).flat());
    },
  },
  {
    name: 'that is cut again and again sees each event once',
    play: async ({ client, host }) => {
      await using way = await Way.to(host.daemon.address);
      await client.connect(way.address);
      const watching = client.do('watch', {});
      await itemOf(watching, 'snapshot');
      const first = (await comeAndGo(host, 1)) + 1;
      await itemOf(watching, 'event', ({ event }) => event.sequence === first - 1);
      const before = watching.items.length;
      for (let round = 0; round < 3; round += 1) {
        const cuts = watching.items.filter(({ kind }) => kind === 'disconnected').length;
        way.cut();
        await watching.first(() => watching.items.filter(({ kind }) => kind === 'disconnected').length > cuts);
        const last = await comeAndGo(host, 1);
        way.mend();
        await itemOf(watching, 'event', ({ event }) => event.sequence === last);
      }
      const since = watching.items.slice(before);
      followOneAnother(since, first, lastSequence(since));
      for (const item of since) {
        if (item.kind === 'disconnected') matches(item.error, { code: 'UNAVAILABLE' });
        else notEqual(item.kind, 'snapshot');
      }
    },
  },
  {
    name: 'whose cursor has expired gets a new snapshot',
    play: async ({ client, hosts: { forgetful } }) => {
      await forgetful.settle();
      await client.connect(forgetful.daemon.address);
      const first = client.do('watch', {});
      const { cursor } = await itemOf(first, 'snapshot');
      await client.leave(first);
      await forgetful.world.setDefaults({ open: 0, close: 0 });
      await comeAndGo(forgetful, 2);
      const second = client.do('watch', { cursor });
      const snapshot = await itemOf(second, 'snapshot');
      const [told] = second.items;
      matches(told, { kind: 'disconnected', error: { code: 'OUT_OF_RANGE', reason: 'CURSOR_EXPIRED' } });
      ok(snapshot.sessions.length >= 2);
      const last = await comeAndGo(forgetful, 1);
      await itemOf(second, 'event', ({ event }) => event.sequence === last);
    },
  },
  {
    name: 'whose reader was too slow loses nothing',
    play: async ({ client, host, hosts }) => {
      await using way = await Way.to(host.daemon.address);
      await client.connect(way.address);
      const watching = client.do('watch', {});
      await itemOf(watching, 'snapshot');
      const first = (await comeAndGo(host, 1)) + 1;
      await itemOf(watching, 'event', ({ event }) => event.sequence === first - 1);
      const before = watching.items.length;
      const { id } = await host.openSession({ deviceAddress: scanner, leaseTtl: aMinute });
      await itemOf(watching, 'event', ({ event }) => event.session.id === id && event.type === 'OPENED');
      way.hang();
      await renewUntil(host, id, () => hosts.hasEndedSlowReader());
      way.flow();
      const { error } = await itemOf(watching, 'disconnected');
      matches(error, { code: 'RESOURCE_EXHAUSTED', reason: 'WATCHER_TOO_SLOW' });
      await host.close(id, { waitForDisconnect: true });
      await itemOf(watching, 'event', ({ event }) => event.session.id === id && event.type === 'CLOSED');
      const since = watching.items.slice(before);
      // Of the renewals that it has not read in time the last is enough.
      const isLasting = ({ type }: EventItem) => type !== 'LEASE_RENEWED';
      riseFrom(since, first);
      matches(typesOf(watchedEvents(since, id).filter(isLasting)), ['OPENING', 'OPENED', 'CLOSING', 'CLOSED']);
      ok(typesOf(watchedEvents(since, id)).at(-3) === 'LEASE_RENEWED', 'the last renewal comes before the close');
      matches(
        since.filter(({ kind }) => kind === 'snapshot'),
        [],
      );
    },
  },
  {
    name: 'learns that the host is stopping, and so does each session',
    play: async ({ client }) => {
      await withGateway([], async (host) => {
        await client.connect(host.daemon.address);
        const watching = client.do('watch', {});
        await itemOf(watching, 'snapshot');
        const opening = client.do('open', { deviceAddress: display });
        await eventOf(opening, 'OPENED');
        const stopped = host.daemon.stop();
        matches(await opening.outcome(), { code: 'UNAVAILABLE', reason: 'HOST_STOPPING', retryDelayMs: 5000 });
        matches(typesOf(openedEvents(opening)).slice(-2), ['CLOSING', 'CLOSED']);
        const { error, retryInMs } = await itemOf(watching, 'disconnected');
        matches(error, { code: 'UNAVAILABLE', reason: 'HOST_STOPPING', retryDelayMs: 5000 });
        ok(retryInMs >= 5000, 'the pause is as long as the host asks for');
        matches(typesOf(watchedEvents(watching.items)), ['OPENING', 'OPENED', 'CLOSING', 'CLOSED']);
        await client.leave(watching);
        matches(await stopped, 0);
      });
    },
  },
];
