/**
 * Watchers that come and go at random while sessions open, fail, close, drop, lapse and are left at
 * random. Whatever they did, none has lost an event, got one twice or out of order, or was told
 * anything else than the others.
 */
import test from 'ava';
import { withGateway } from '../harness/gateway.js';
import { effort, randomly } from '../session/seed.js';
import { unpaced } from './lively.js';
import { Random } from './random.js';
import { RawConnection } from './raw-client.js';
import { Restless } from './restless.js';
import { Lane, sessionOf } from './traffic.js';
import { Truth } from './truth.js';

const DISCONNECTIONS = effort(10_000);
const WATCHERS = 32;
const FILTERED = 8;
const LANES = 10;
const LIVES_WATCHED = 300;
const flags = [
  'session.leaseTtlMinMs=1',
  'limits.watchersPerPrincipalMax=100',
  // Small, so that a snapshot is not most of what is read, and comes in parts all the same.
  'session.endedSessionsMax=20',
  'events.batchEventsMax=16',
]
  .flatMap((setting) => ['--set', setting])
  .concat(unpaced);

test(`${DISCONNECTIONS} random disconnections lose nothing, repeat nothing and disorder nothing`, async (t) => {
  t.timeout(300_000);
  const { seed } = randomly(t, 0);
  await withGateway(flags, async (gateway) => {
    const { address } = gateway.daemon;
    await gateway.world.setDefaults({ open: 1, cancel: 0, close: 1, address: 1 });
    const watched = await RawConnection.open(address);
    const truth = new Truth();
    await truth.watch(watched);
    const lanes = Array.from({ length: LANES }, (_, i) => new Lane(gateway, truth, new Random(seed, 1000 + i), i));
    const watchers = Array.from({ length: WATCHERS }, (_, i) => {
      const sessionIds = Array.from({ length: LIVES_WATCHED }, (_, life) => sessionOf(i % LANES, life));
      return new Restless(address, truth, new Random(seed, i), i < FILTERED ? sessionIds : []);
    });

    let disconnections = 0;
    const restless = watchers.map(async (watcher) => {
      while (disconnections < DISCONNECTIONS) {
        disconnections += 1;
        await watcher.visit();
      }
    });
    const traffic = lanes.map((lane) => lane.run(() => disconnections >= DISCONNECTIONS));
    await Promise.all([...restless, ...traffic]);
    const { newestCursor } = await gateway.getHost();
    await truth.reached(newestCursor);
    const lost = await Promise.all(watchers.map((watcher) => watcher.finish(newestCursor)));

    for (const { events } of lanes.flatMap(({ streams }) => streams)) for (const event of events) truth.compare(event);
    truth.validator.finish();
    t.deepEqual(lost, Array(WATCHERS).fill(0));
    t.deepEqual(truth.differences, []);
    t.deepEqual(await gateway.world.misuse(), {});
    t.log(
      `${disconnections} disconnections, ${lanes.flatMap(({ streams }) => streams).length} sessions, ${truth.size} events`,
    );
    watched.cut();
  });
});
