/** Stopping: the drain of the contract, in its order, whatever clients and the DLL do. */
import { status } from '@grpc/grpc-js';
import test from 'ava';
import { SessionEndReason } from '../../proto/gen/wifidirect/v1/session.js';
import { isWine, patience } from '../harness/daemon.js';
import { display, scanner, withGateway } from '../harness/gateway.js';

test.serial(
  'open sessions are closed and pending opens cancelled; every stream is told that the host stops',
  async (t) => {
    await withGateway([], async (gateway) => {
      await gateway.world.scriptOpen({ deviceAddress: scanner, delayMs: 'never' });
      const { stream: open } = await gateway.openSession({ deviceAddress: display });
      const pending = gateway.open({ deviceAddress: scanner });
      await pending.event('OPENING');
      const watcher = gateway.watch();
      await watcher.first(({ snapshotComplete }) => snapshotComplete);

      const stopped = gateway.daemon.stop();
      const closed = await open.event('CLOSED');
      t.is(closed.session.end?.reason, SessionEndReason.HOST_STOPPING);
      const cancelled = await pending.event('CANCELLED');
      t.is(cancelled.session.end?.reason, SessionEndReason.HOST_STOPPING);
      for (const stream of [open, pending]) {
        const error = await stream.status();
        t.is(error?.code, status.UNAVAILABLE);
        t.is(error?.info?.reason, 'HOST_STOPPING');
        t.truthy(error?.retry?.retryDelay);
      }
      const watch = await watcher.ended;
      t.is(watch?.code, status.UNAVAILABLE);
      t.is(await stopped, 0);
      const { misuse } = await gateway.daemon.line('simulator-report');
      t.deepEqual(misuse, {});
    });
  },
);

test.serial('a DLL that never answers does not keep the daemon from ending', async (t) => {
  await withGateway(['--set', 'shutdown.graceMs=2000'], async (gateway) => {
    await gateway.world.scriptCall({ function: 'WFDCloseSession', blockMs: 'never' });
    const { stream } = await gateway.openSession({ deviceAddress: display });
    stream.cancel();
    const startMs = performance.now();
    const code = await gateway.daemon.stop();
    t.not(code, 0);
    t.true(performance.now() - startMs < 30_000 * patience);
    await gateway.daemon.line('stop-incomplete');
  });
});

test.serial('new sessions are refused while the host stops', async (t) => {
  await withGateway([], async (gateway) => {
    await gateway.world.scriptClose({ deviceAddress: display, delayMs: 1000 });
    const { stream } = await gateway.openSession({ deviceAddress: display });
    const stopped = gateway.daemon.stop();
    await stream.event('CLOSING');
    const error = await gateway.open({ deviceAddress: scanner }).status();
    t.is(error?.info?.reason, 'HOST_STOPPING');
    t.is(await stopped, 0);
  });
});

// The program on the console ends with the first Ctrl+C that it handles; a second has nobody to
// reach.
if (!isWine)
  test.serial('a second signal ends the daemon at once', async (t) => {
    await withGateway([], async (gateway) => {
      await gateway.world.scriptClose({ deviceAddress: display, delayMs: 'never' });
      const { stream } = await gateway.openSession({ deviceAddress: display });
      const first = gateway.daemon.stop();
      await stream.event('CLOSING');
      await gateway.daemon.stop();
      t.not(await first, 0);
      await gateway.daemon.line('stop-forced');
    });
  });
