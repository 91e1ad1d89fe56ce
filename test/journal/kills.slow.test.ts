/** A daemon is killed in a loop under load, and a watcher resumes: on Linux and under Wine. */
import test from 'ava';
import { SessionState } from '../../proto/gen/wifidirect/v1/session.js';
import { isWine, patience } from '../harness/daemon.js';
import { effort } from '../session/seed.js';
import { openLeased, renew, unpaced } from '../stream/lively.js';
import { temporaryFolder } from './keeper.js';
import { killed, life } from './lives.js';

/** `WFD_KILLS=100` is the size for a night: 10,000 events and more. */
const kills = Number(process.env['WFD_KILLS'] ?? (isWine ? 3 : effort(20)));

test('killed again and again while much happens: each event once, in order, and each session ends once', async (t) => {
  t.timeout(60_000 + kills * patience * 30_000);
  const folder = temporaryFolder(t);
  const seen = new Map<bigint, string>();
  const ends = new Map<string, number>();
  let cursor = '';
  let epoch = '';
  const known = new Set<string>();
  const take = (
    events: readonly { sequence: bigint; session?: { sessionId: string; state: number } | undefined }[],
  ) => {
    for (const { sequence, session } of events) {
      const { sessionId = '', state = 0 } = session ?? {};
      t.false(seen.has(sequence), `event ${sequence} came twice`);
      seen.set(sequence, sessionId);
      if (state >= SessionState.CLOSED) ends.set(sessionId, (ends.get(sessionId) ?? 0) + 1);
    }
  };
  for (let kill = 0; kill <= kills; kill++) {
    const gateway = await life(t, folder, ...unpaced);
    const host = await gateway.getHost();
    if (epoch !== '') t.is(host.epoch, epoch);
    epoch = host.epoch;
    const watch = gateway.watch(cursor === '' ? {} : { cursor });
    watch.stream.on('data', (message: { cursor: string; events: Parameters<typeof take>[0] }) => {
      take(message.events);
      if (message.cursor !== '') cursor = message.cursor;
    });
    const ids = await openLeased(gateway, 3);
    for (const id of ids) known.add(id);
    for (let renewed = 0; renewed < 90; renewed += 30) {
      await Promise.all(Array.from({ length: 30 }, (_, i) => renew(gateway, ids[i % ids.length] ?? '')));
    }
    const busy = Array.from({ length: kill === kills ? 20 : 60 }, (_, i) =>
      renew(gateway, ids[i % ids.length] ?? '').catch(() => {}),
    );
    if (kill === kills) {
      await Promise.all(busy);
      for (const id of ids) await gateway.close(id, { waitForDisconnect: true });
      const { newestCursor } = await gateway.getHost();
      await watch.first((message) => message.cursor === newestCursor);
      t.deepEqual(await gateway.world.misuse(), {});
      watch.cancel();
      t.is(await gateway.daemon.stop(), 0);
    } else {
      await Promise.race(busy);
      await killed(gateway);
    }
  }
  t.log(`${kills} kills, ${seen.size} events`);
  t.true(seen.size >= 100 * kills);
  const sequences = [...seen.keys()];
  t.deepEqual(
    sequences,
    sequences.toSorted((a, b) => (a < b ? -1 : 1)),
    'in order',
  );
  t.deepEqual(
    [...ends.values()].filter((count) => count !== 1),
    [],
  );
  t.deepEqual(
    [...known].filter((id) => !ends.has(id)),
    [],
  );
});
