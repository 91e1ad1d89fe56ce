/**
 * The WLAN service stops and starts again before the host has asked for it: its client handle is
 * stale, and nobody has said so.
 */
import { status } from '@grpc/grpc-js';
import test from 'ava';
import { SessionEndReason, SessionKind, SessionState } from '../../proto/gen/wifidirect/v1/session.js';
import { display, gatewayForThisFile, printer, scanner } from '../harness/gateway.js';

const gateway = gatewayForThisFile(
  ...['--set', 'driver.probeIntervalMs=3600000'],
  ...['--set', 'driver.reopenBackoffMinMs=20'],
);

test.serial.beforeEach(() => gateway().world.setDefaults({ open: 5, close: 5, address: 5 }));

async function restart(staleClientCode: number): Promise<void> {
  await gateway().world.stopService({ staleClientCode });
  await gateway().world.startService();
}

for (const code of [6, 87]) {
  test.serial(
    `an open with a stale client handle, ${code}, is NATIVE_HANDLE_LOST; the next one succeeds`,
    async (t) => {
      await restart(code);
      const stream = gateway().open({ deviceAddress: display });
      await stream.event('LOST');
      const error = await stream.status();
      t.is(error?.code, status.INTERNAL);
      t.is(error?.info?.reason, 'NATIVE_HANDLE_LOST');
      t.like(error?.native, { function: 'WFDStartOpenSession', code });
      const { id } = await gateway().openSession({ deviceAddress: display });
      const { session } = await gateway().close(id, { waitForDisconnect: true });
      t.is(session?.state, SessionState.CLOSED);
      t.is((await gateway().world.counts()).clients, 1);
    },
  );
}

test.serial('opens that come together with a stale handle are LOST together, and replace it once', async (t) => {
  await restart(6);
  const streams = [display, scanner].map((deviceAddress) => gateway().open({ deviceAddress }));
  await Promise.all(streams.map((stream) => stream.ended));
  for (const { events } of streams) t.is(events.at(-1)?.session?.state, SessionState.LOST);
  const { id } = await gateway().openSession({ deviceAddress: display });
  await gateway().close(id, { waitForDisconnect: true });
  t.is((await gateway().world.counts()).clients, 1);
});

test.serial('a call that tells late that the old handle is not known costs nobody the new one', async (t) => {
  await gateway().world.scriptCall({ function: 'WFDOpenLegacySession', code: 6, blockMs: 'never' });
  const late = gateway().open({ deviceAddress: printer, kind: SessionKind.LEGACY });
  while ((await gateway().world.counts()).callsBlocked < 1);
  await gateway().world.scriptCall({ function: 'WFDStartOpenSession', code: 6 });
  await gateway().open({ deviceAddress: scanner }).ended;
  await late.ended;
  const { id } = await gateway().openSession({ deviceAddress: display });
  t.is(await gateway().world.releaseCalls(), 1);
  while ((await gateway().world.counts()).clients > 1);
  const { session } = await gateway().close(id, { waitForDisconnect: true });
  t.is(session?.state, SessionState.CLOSED);
});

test.serial('a session that was open ends, its peer is not blamed, and the next open succeeds', async (t) => {
  for (let times = 0; times < 10; times += 1) {
    const { stream, id } = await gateway().openSession({ deviceAddress: display });
    await restart(6);
    await stream.event('LOST');
    t.is((await gateway().get(id)).end?.reason, SessionEndReason.DRIVER_LOST);
  }
  const { id } = await gateway().openSession({ deviceAddress: display });
  await gateway().close(id, { waitForDisconnect: true });
  const { clients, sessions } = await gateway().world.counts();
  t.deepEqual([clients, sessions], [1, 0]);
});
