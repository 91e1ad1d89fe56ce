/** The daemon is stopped before it has started. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import test from 'ava';
import { compose } from '../service/composition.js';
import { makeConfig } from '../service/config/schema.js';
import { Daemon } from '../service/daemon.js';
import { createLog } from '../service/telemetry/log.js';
import { KeptLog } from './harness/kept-log.js';

const config = makeConfig({
  listen: ['127.0.0.1:0', '127.0.0.1:0'],
  driver: { kind: 'simulator' },
  metrics: { listen: '127.0.0.1:0' },
});

async function composed(as = config): Promise<{ daemon: Daemon; log: KeptLog }> {
  const log = new KeptLog();
  const daemon = new Daemon(
    await compose(as, '0.0.0', await createLog({ level: 'debug', format: 'json', addresses: true }, log)),
  );
  return { daemon, log };
}

for (const turns of [0, 1, 2, 3, 5, 8, 13, 21]) {
  test.serial(
    `stopped ${turns} turns into its start, it ends in good order, and the start is no failure`,
    async (t) => {
      const { daemon, log } = await composed();
      const starting = daemon.start();
      for (let turn = 0; turn < turns; turn += 1) await setImmediate();
      t.true(await daemon.stop());
      await t.notThrowsAsync(starting);
      t.deepEqual(log.lines('simulator-report')[0]?.['misuse'], {});
      t.is(log.all.at(-1)?.event, 'stopped');
    },
  );
}

test.serial('stopped as it begins to reach Windows, it serves nobody', async (t) => {
  const { daemon, log } = await composed();
  const starting = daemon.start();
  await log.line('metrics-serving');
  t.true(await daemon.stop());
  await t.notThrowsAsync(starting);
  t.deepEqual(log.lines('serving'), []);
  t.deepEqual(log.lines('simulator-report')[0]?.['misuse'], {});
});

test.serial('stopped before it starts, it ends as well', async (t) => {
  const { daemon, log } = await composed();
  t.true(await daemon.stop());
  t.is(log.all.at(-1)?.event, 'stopped');
});

test.serial('where an address is taken, it ends what it has begun before it says so', async (t) => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  const { daemon, log } = await composed({ ...config, listen: ['127.0.0.1:0', `127.0.0.1:${port}`] });
  await t.throwsAsync(daemon.start(), { message: /EADDRINUSE/ });
  other.close();
  t.deepEqual(log.lines('simulator-report')[0]?.['misuse'], {});
  t.is(log.all.at(-1)?.event, 'stopped');
});
