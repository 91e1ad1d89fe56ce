/**
 * Scenarios: addresses that never answer, hosts that freeze, die and come back, proxies that hide
 * it.
 */
import { equal, match, ok } from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { WatchSessionsResponse } from '../../../proto/gen/wifidirect/v1/session_service.js';
import type { DaemonProcess } from '../../harness/daemon.js';
import { startSimulated } from '../../harness/daemon.js';
import { display, Gateway, scanner, withGateway } from '../../harness/gateway.js';
import type { Agent, Doing } from '../agent.js';
import { OtherHost } from '../other-host.js';
import type { WatchItem } from '../protocol.js';
import { Relay } from '../relay.js';
import {
  eventOf,
  followOneAnother,
  itemOf,
  type Kind,
  matches,
  openedEvents,
  type Scenario,
  typesOf,
} from '../scenario.js';
import { Way } from '../way.js';

/** What it takes a machine that does much else. */
const PATIENCE_MS = 30_000;
/** Keepalive notices a host that vanished within 30 s; and as before. */
const KEEPALIVE_PATIENCE_MS = 60_000;
const ASKED_EVERY_MS = 50;
const second = 1000;

/** Asks until it is answered: a client that was refused waits a while before it connects again. */
async function answered(client: Agent): Promise<void> {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const error = await client.do('host', {}).outcome();
    if (error === undefined) return;
    matches(error, { code: 'UNAVAILABLE' });
    if (Date.now() > end) throw new Error('the client never came back');
    await pause(ASKED_EVERY_MS);
  }
}

/** That it broke, and the host did not say why. */
function broke(error: { code: string; reason?: string | null } | undefined): void {
  matches({ code: error?.code, reason: error?.reason || null }, { code: 'UNAVAILABLE', reason: null });
}

/** The number of the last event of a session that came and went. */
async function comeAndGo(host: Gateway): Promise<number> {
  const { stream, id } = await host.openSession({ deviceAddress: scanner });
  await host.close(id, { waitForDisconnect: true });
  await stream.ended;
  return Number(stream.events.at(-1)?.sequence ?? 0);
}

/** Stops it as a debugger or a hypervisor would, for the time of `meanwhile`. */
async function frozen(daemon: DaemonProcess, meanwhile: () => Promise<void>): Promise<void> {
  const { pid } = daemon;
  if (pid === undefined) throw new Error('it has no process');
  process.kill(pid, 'SIGSTOP');
  try {
    await meanwhile();
  } finally {
    process.kill(pid, 'SIGCONT');
  }
}

/** That the watch goes on where it was: nothing lost, nothing twice. */
async function goesOn(watching: Doing<WatchItem>, host: Gateway, first: number): Promise<void> {
  const last = await comeAndGo(host);
  await itemOf(watching, 'event', ({ event }) => event.sequence === last, PATIENCE_MS);
  followOneAnother(watching.items, first, last);
  equal(watching.items.filter(({ kind }) => kind === 'snapshot').length, 1);
}

/**
 * Nothing hangs on a way that falls silent, whatever was before; and once it is mended the client
 * is back.
 */
async function surviveSilence(client: Agent, way: Way, connect: () => Promise<void>): Promise<void> {
  way.fallSilent();
  await connect();
  const watching = client.do('watch', {});
  const opening = client.do('open', { deviceAddress: display });
  const error = await client.refusal('host', {});
  broke(error);
  match(error.message ?? '', /1 ?s|1000 ?ms|no answer|time|deadline/i);
  broke(await opening.outcome());
  broke((await itemOf(watching, 'disconnected')).error);
  // Refused, it waits; and when it tries again it meets with silence, not with a refusal.
  way.cut();
  broke(await client.refusal('host', {}));
  const { all } = way.silences;
  way.fallSilent();
  while (way.silences.all === all) broke(await client.refusal('host', {}));
  way.mend();
  await answered(client);
  await itemOf(watching, 'snapshot', () => true, PATIENCE_MS);
  // gRPC for Java keeps a connection for 5 s after it has given it up.
  for (const end = Date.now() + PATIENCE_MS; way.silences.open > 0 && Date.now() < end; ) await pause(ASKED_EVERY_MS);
  equal(way.silences.open, 0, 'what was never answered is closed');
  await client.leave(watching);
}

const silent: readonly Scenario[] = [
  {
    name: 'and the host accepts and says nothing, nothing hangs',
    play: async ({ client }) => {
      await withGateway([], async (host) => {
        await using way = await Way.to(host.daemon.address);
        await surviveSilence(client, way, () => client.connect(way.address, { connectTimeoutMs: second }));
      });
    },
  },
  {
    name: 'and the host says nothing after TLS, nothing hangs',
    play: async ({ client, hosts }) => {
      await withGateway([], async (host) => {
        await using way = await Way.to(host.daemon.address, { tls: hosts.identity });
        const address = way.address.replace('127.0.0.1', 'localhost');
        const options = { ...hosts.credentials({}), connectTimeoutMs: second };
        await surviveSilence(client, way, () => client.connect(address, options));
      });
    },
  },
  {
    name: 'and the host is 300 ms away, the first call succeeds, over TLS too',
    play: async ({ client, hosts }) => {
      await withGateway([], async (host) => {
        await using way = await Way.to(host.daemon.address, { delayMs: 150 });
        await client.connect(way.address);
        await client.ask('host', {});
        const opening = client.do('open', { deviceAddress: display });
        const { session } = await eventOf(opening, 'OPENED');
        await client.ask('close', { sessionId: session.id, wait: true });
        equal(await opening.outcome(), undefined);
      });
      await using far = await Way.to(hosts.guardedAddress.replace('localhost', '127.0.0.1'), { delayMs: 150 });
      const address = far.address.replace('127.0.0.1', 'localhost');
      await client.connect(address, hosts.credentials({ token: 'token-of-operator' }));
      await client.ask('host', {});
    },
  },
];

const mute: readonly Scenario[] = [
  {
    name: 'and the host is dead behind a proxy that answers pings, its silence is noticed',
    play: async ({ client }) => {
      await withGateway([], async (host) => {
        await using relay = await Relay.to(host.daemon.address);
        await client.connect(relay.address);
        const watching = client.do('watch', { bookmarkIntervalMs: second });
        await itemOf(watching, 'snapshot');
        const request = { deviceAddress: display, requestId: randomUUID(), leaseTtlMs: 60 * second };
        const opening = client.do('open', { ...request, heartbeatIntervalMs: second });
        const { sequence } = await eventOf(opening, 'OPENED');
        await itemOf(watching, 'event', ({ event }) => event.sequence === sequence);
        const before = watching.items.length;
        await frozen(host.daemon, async () => {
          broke(await opening.outcome());
          broke((await itemOf(watching, 'disconnected')).error);
        });
        const told = watching.items.slice(before).filter(({ kind }) => kind !== 'bookmark');
        equal(told[0]?.kind, 'disconnected');
        await goesOn(watching, host, sequence - 1);
        await client.leave(watching);
      });
    },
  },
  {
    name: 'and a proxy cuts streams that are quiet for 3 s, a quiet session survives',
    play: async ({ client }) => {
      await withGateway([], async (host) => {
        await using relay = await Relay.to(host.daemon.address, { idleMs: 3 * second });
        await client.connect(relay.address);
        const opening = client.do('open', { deviceAddress: display, heartbeatIntervalMs: second });
        const { session } = await eventOf(opening, 'OPENED');
        await pause(7 * second);
        await client.ask('close', { sessionId: session.id, wait: true });
        equal(await opening.outcome(), undefined);
        matches(typesOf(openedEvents(opening)), ['OPENING', 'OPENED', 'CLOSING', 'CLOSED']);
      });
    },
  },
];

const again: readonly Scenario[] = [
  {
    name: 'and each stream breaks after its first message, pauses grow',
    play: async ({ client }) => {
      const message = { events: [], cursor: 'c1', snapshot: [], snapshotComplete: true };
      const bytes = WatchSessionsResponse.encode(message as never).finish();
      await using host = await OtherHost.start((call) => call.send(bytes).end({ code: 14, message: 'Broken.' }));
      await client.connect(host.address);
      const watching = client.do('watch', { backoffInitialMs: 20, backoffMaxMs: 60 * second });
      const pauses = () => watching.items.flatMap((item) => (item.kind === 'disconnected' ? [item.retryInMs] : []));
      await itemOf(watching, 'disconnected', () => pauses().length >= 8, PATIENCE_MS);
      // Drawn from 0 to 20 ms, 40, 80 and so on up to 2,560: that none is above 20 happens once in
      // 200 million times.
      ok(Math.max(...pauses().slice(0, 8)) > 20, `${pauses()}`);
      await client.leave(watching);
    },
  },
  {
    name: 'and the host freezes, it is noticed within 30 s, and nothing is lost',
    play: async ({ client }) => {
      await withGateway([], async (host) => {
        await client.connect(host.daemon.address, { timeoutMs: 2 * second });
        // Of these bookmarks nobody hears for 15 minutes: it is keepalive that has to notice.
        const watching = client.do('watch', { bookmarkIntervalMs: 300 * second });
        await itemOf(watching, 'snapshot');
        const opening = client.do('open', { deviceAddress: display, leaseTtlMs: 120 * second, heartbeatIntervalMs: 0 });
        const { sequence } = await eventOf(opening, 'OPENED');
        await itemOf(watching, 'event', ({ event }) => event.sequence === sequence);
        await frozen(host.daemon, async () => {
          const began = Date.now();
          const { code } = await client.refusal('host', {});
          ok(code === 'DEADLINE_EXCEEDED' || code === 'UNAVAILABLE', code);
          broke(await opening.outcome(KEEPALIVE_PATIENCE_MS));
          broke((await itemOf(watching, 'disconnected', () => true, KEEPALIVE_PATIENCE_MS)).error);
          ok(Date.now() - began < 45 * second, `noticed after ${Date.now() - began} ms`);
        });
        await goesOn(watching, host, sequence - 1);
        await client.leave(watching);
      });
    },
  },
  {
    name: 'and the host is killed and started again, the client is back as soon as it answers',
    play: async ({ client }) => {
      const first = await startSimulated();
      const { address } = first;
      try {
        await client.connect(address);
        const watching = client.do('watch', { backoffInitialMs: 20, backoffMaxMs: 60 * second });
        await itemOf(watching, 'snapshot');
        const opening = client.do('open', { deviceAddress: display });
        await eventOf(opening, 'OPENED');
        await first.kill();
        broke(await opening.outcome());
        // After so many failures pauses are drawn from up to 2.5 s.
        const failures = () => watching.items.filter(({ kind }) => kind === 'disconnected').length;
        await itemOf(watching, 'disconnected', () => failures() >= 7, PATIENCE_MS);
        const next = new Gateway(await startSimulated('--listen', address));
        try {
          const snapshots = () => watching.items.filter(({ kind }) => kind === 'snapshot').length;
          await itemOf(watching, 'snapshot', () => snapshots() >= 2, PATIENCE_MS);
          const expired = watching.items.find(
            (item) => item.kind === 'disconnected' && item.error.reason === 'CURSOR_EXPIRED',
          );
          ok(expired?.kind === 'disconnected' && expired.retryInMs <= 20, JSON.stringify(expired));
          await answered(client);
          const last = await comeAndGo(next);
          await itemOf(watching, 'event', ({ event }) => event.sequence === last);
          await client.leave(watching);
          matches(await next.world.misuse(), {});
        } finally {
          next.disconnect();
          await next.daemon.kill();
        }
      } finally {
        await first.kill();
      }
    },
  },
];

const remembered: readonly Scenario[] = [
  {
    name: 'and a host with a journal is killed and started again, a watch goes on without a snapshot',
    play: async ({ client }) => {
      const folder = mkdtempSync(join(tmpdir(), 'wfdd-journal-'));
      const first = await startSimulated('--journal-folder', folder);
      const { address } = first;
      try {
        await client.connect(address);
        const watching = client.do('watch', { backoffInitialMs: 20, backoffMaxMs: second });
        await itemOf(watching, 'snapshot');
        const request = { deviceAddress: display, requestId: randomUUID(), leaseTtlMs: 600 * second };
        const opening = client.do('open', request);
        const { sequence, session } = await eventOf(opening, 'OPENED');
        await itemOf(watching, 'event', ({ event }) => event.sequence === sequence);
        await first.kill();
        broke(await opening.outcome());
        await itemOf(watching, 'disconnected');
        const next = new Gateway(await startSimulated('--journal-folder', folder, '--listen', address));
        try {
          const isLost = ({ event }: Kind<'event'>) => event.type === 'LOST' && event.session.id === session.id;
          const { event } = await itemOf(watching, 'event', isLost, PATIENCE_MS);
          matches(event.session, { state: 'LOST', reason: 'HOST_RESTARTED' });
          await answered(client);
          const again = client.do('open', request);
          matches(await again.outcome(PATIENCE_MS), { code: 'UNAVAILABLE', reason: 'HOST_RESTARTED' });
          matches(typesOf(openedEvents(again)), ['LOST']);
          const [known] = await client.ask('get', { sessionId: session.id });
          matches(known, { session: { state: 'LOST', reason: 'HOST_RESTARTED' } });
          await goesOn(watching, next, 1);
          await client.leave(watching);
          matches(await next.world.misuse(), {});
        } finally {
          next.disconnect();
          await next.daemon.kill();
        }
      } finally {
        await first.kill();
        rmSync(folder, { recursive: true, force: true });
      }
    },
  },
];

export const badWorlds: readonly Scenario[] = [...silent, ...mute, ...again, ...remembered];
