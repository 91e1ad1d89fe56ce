/**
 * The drain under load, in the order that `host_service.proto` documents for HOST_STATE_DRAINING.
 */
import { status } from '@grpc/grpc-js';
import test from 'ava';
import { HostState } from '../../proto/gen/wifidirect/v1/host_service.js';
import { SessionEndReason } from '../../proto/gen/wifidirect/v1/session.js';
import { Received } from '../harness/calls.js';
import { display, forklifts, type Opened, scanner, withGateway } from '../harness/gateway.js';
import { type HealthAnswer, healthClient } from '../harness/health.js';

const OPEN = 100;
const PENDING = 10;
const DISCONNECTION_MS = 1500;
const DRAIN_MS_MAX = 10_000;

// In Wine, contract/stopping has the same drain with fewer sessions.
test.serial('a hundred open streams and ten pending opens are drained in order, within ten seconds', async (t) => {
  t.timeout(60_000);
  await withGateway(['--set', 'limits.sessionsPerPrincipalMax=200'], async (gateway) => {
    await gateway.world.setDefaults({ open: 0, close: DISCONNECTION_MS });
    const devices = [display, ...forklifts];
    const opened = await Promise.all(
      Array.from({ length: OPEN }, (_, i) => gateway.openSession({ deviceAddress: devices[i % devices.length] ?? '' })),
    );
    await gateway.world.scriptOpen({ deviceAddress: scanner, delayMs: 'never', count: PENDING });
    const pending = Array.from({ length: PENDING }, () => gateway.open({ deviceAddress: scanner }));
    await Promise.all(pending.map((stream) => stream.event('OPENING')));
    const watcher = gateway.watch();
    await watcher.first(({ snapshotComplete }) => snapshotComplete);
    const probe = healthClient(gateway.daemon.address);
    const healthy = new Received<HealthAnswer>(probe.watch({ service: '' }));
    await healthy.first((answer) => answer.status === 'SERVING');
    const asked = await gateway.openSession({ deviceAddress: display });
    const closed = gateway.close(asked.id, { waitForDisconnect: true });
    await asked.stream.event('CLOSING');

    const order: string[] = [];
    const note = (what: string) => {
      if (!order.includes(what)) order.push(what);
    };
    healthy.stream.on('data', (answer: HealthAnswer) => note(answer.status));
    watcher.stream.on('data', ({ events }: (typeof watcher.messages)[number]) => {
      for (const { session } of events) if (session?.endTime !== undefined) note('a session has ended');
    });
    void watcher.ended.then(() => note('the watch has ended'));
    const streams: readonly Opened[] = [...opened.map(({ stream }) => stream), ...pending];

    const startMs = performance.now();
    const stopped = gateway.daemon.stop();
    await healthy.first((answer) => answer.status === 'NOT_SERVING');
    t.is((await gateway.getHost()).state, HostState.DRAINING);
    t.is((await gateway.open({ deviceAddress: display }).status())?.info?.reason, 'HOST_STOPPING');

    for (const stream of streams) {
      const told = await stream.status();
      t.is(told?.code, status.UNAVAILABLE);
      t.is(told?.info?.reason, 'HOST_STOPPING');
      t.truthy(told?.retry?.retryDelay);
    }
    for (const { stream } of opened) {
      t.deepEqual(stream.types.slice(-2), ['CLOSING', 'CLOSED']);
      t.is(stream.events.at(-1)?.session?.end?.reason, SessionEndReason.HOST_STOPPING);
    }
    for (const stream of pending) {
      t.deepEqual(stream.types.slice(-2), ['CANCELLING', 'CANCELLED']);
      t.is(stream.events.at(-1)?.session?.end?.reason, SessionEndReason.HOST_STOPPING);
    }
    const ended = new Set(
      watcher.events.filter(({ session }) => session?.endTime).map(({ session }) => session?.sessionId),
    );
    t.is((await watcher.ended)?.code, status.UNAVAILABLE);
    t.is(ended.size, OPEN + PENDING + 1, 'the watch has seen every end');
    t.is((await closed).session?.end?.reason, SessionEndReason.REQUESTED);
    t.is(await asked.stream.status(), undefined);
    t.deepEqual(order, ['NOT_SERVING', 'a session has ended', 'the watch has ended']);

    t.is(await stopped, 0);
    const tookMs = performance.now() - startMs;
    t.log(`${tookMs.toFixed(0)} ms`);
    t.true(tookMs < DRAIN_MS_MAX);
    t.deepEqual((await gateway.daemon.line('simulator-report'))['misuse'], {});
    t.deepEqual(
      gateway.daemon.log.filter(({ level }) => level === 'error'),
      [],
    );
    probe.close();
  });
});
