/** The WLAN service stops in the middle of everything, and starts again. */
import { status } from '@grpc/grpc-js';
import test from 'ava';
import { ErrorReason } from '../../proto/gen/wifidirect/v1/error.js';
import { type GetHostResponse, HostState } from '../../proto/gen/wifidirect/v1/host_service.js';
import { SessionEndReason, SessionKind, SessionState } from '../../proto/gen/wifidirect/v1/session.js';
import { call, failure, type ReadError } from '../harness/calls.js';
import { patience } from '../harness/daemon.js';
import { devicesForThisFile } from '../harness/devices.js';
import { display, forklifts, gatewayForThisFile, type Opened, printer, robot, scanner } from '../harness/gateway.js';
import { ALWAYS } from '../harness/world.js';

const gateway = gatewayForThisFile(
  ...['--set', 'driver.probeIntervalMs=50'],
  ...['--set', 'driver.reopenBackoffMinMs=20'],
  ...['--set', 'driver.reopenBackoffMaxMs=400'],
  ...['--set', 'driver.linkPollMs=50'],
  ...['--set', `session.closeTimeoutMs=${10_000 * patience}`],
);
const devices = devicesForThisFile(gateway);

test.serial.beforeEach(() => gateway().world.setDefaults({ open: 5, legacyOpen: 5, close: 5, address: 5 }));

function host(): Promise<GetHostResponse> {
  return call(gateway().host.getHost.bind(gateway().host), {});
}

/** Waits until the host is so; each question is a round trip. */
async function hostIs(state: HostState): Promise<GetHostResponse> {
  for (;;) {
    const now = await host();
    if (now.state === state) return now;
  }
}

/** The service was gone: no other reason counts. */
function isServiceLoss(error: ReadError | undefined): boolean {
  const reason = error?.info?.reason;
  return (
    error?.code === status.UNAVAILABLE &&
    error.retry !== undefined &&
    (reason === 'WLAN_SERVICE_NOT_RUNNING' || reason === 'WLAN_SERVICE_UNREACHABLE')
  );
}

/** A new session opens and closes as if nothing had been. */
async function opensAndCloses(deviceAddress: string): Promise<boolean> {
  const { id, stream } = await gateway().openSession({ deviceAddress });
  const { session } = await gateway().close(id, { waitForDisconnect: true });
  return session?.state === SessionState.CLOSED && (await stream.status()) === undefined;
}

test.serial('open sessions are LOST, told why, and never blamed on their peers', async (t) => {
  const opened = [];
  for (const deviceAddress of [display, scanner, ...forklifts]) {
    opened.push(await gateway().openSession({ deviceAddress }));
  }
  await gateway().world.stopService();
  for (const { stream } of opened) {
    const { session } = await stream.event('LOST');
    t.is(session.end?.reason, SessionEndReason.DRIVER_LOST);
    t.is(session.end?.error?.reason, ErrorReason.WLAN_SERVICE_NOT_RUNNING);
    t.true(isServiceLoss(await stream.status()));
    t.deepEqual(stream.types, ['OPENING', 'OPENED', 'LOST']);
  }
  // No handle of before was used again, not even in a race.
  t.is((await gateway().world.counts()).lostRaces, 0n);
});

test.serial('a service that is gone otherwise is told apart: WLAN_SERVICE_UNREACHABLE', async (t) => {
  const { stream } = await gateway().openSession({ deviceAddress: display });
  await gateway().world.stopService({ callCode: 1722 });
  const { session } = await stream.event('LOST');
  t.is(session.end?.error?.reason, ErrorReason.WLAN_SERVICE_UNREACHABLE);
  const { stateReason } = await hostIs(HostState.DEGRADED);
  t.is(stateReason, ErrorReason.WLAN_SERVICE_UNREACHABLE);
});

test.serial('while it is stopped the host says so, opens nothing, and still knows its devices', async (t) => {
  await gateway().world.stopService();
  const { stateReason, stateMessage, driver } = await hostIs(HostState.DEGRADED);
  t.is(stateReason, ErrorReason.WLAN_SERVICE_NOT_RUNNING);
  t.regex(stateMessage, /WlanSvc/);
  t.is(driver?.disconnectEvidence.length, 3);
  t.true(isServiceLoss(await gateway().open({ deviceAddress: display }).status()));
  t.true(isServiceLoss(await failure(devices().update(display))));
  t.is((await devices().list()).devices.length, 6);
});

test.serial(
  'when it starts again the host is READY by itself, with one client handle, and new sessions open',
  async (t) => {
    const { stream } = await gateway().openSession({ deviceAddress: display });
    await gateway().world.stopService();
    await stream.event('LOST');
    await hostIs(HostState.DEGRADED);
    await gateway().world.startService();
    const { driver } = await hostIs(HostState.READY);
    t.is(driver?.negotiatedVersion, 1);
    t.true(await opensAndCloses(display));
    t.true(await opensAndCloses(scanner));
    const { clients, sessions } = await gateway().world.counts();
    // One to work with; a second while the service is asked whether it lives.
    t.true(clients <= 2);
    t.is(sessions, 0);
  },
);

test.serial('pending opens that fail with the service end their streams UNAVAILABLE', async (t) => {
  await gateway().world.scriptOpen({ delayMs: 'never', count: ALWAYS });
  const pending = [display, scanner].map((deviceAddress) => gateway().open({ deviceAddress }));
  while ((await gateway().world.counts()).opensPending < 2);
  await gateway().world.stopService({ openError: 1726 });
  for (const stream of pending) t.true(isServiceLoss(await stream.status()));
});

test.serial('pending opens that never call back are LOST all the same, and cancel nothing', async (t) => {
  await gateway().world.scriptOpen({ delayMs: 'never', count: ALWAYS });
  const stream = gateway().open({ deviceAddress: display });
  const cancelled = gateway().open({ deviceAddress: scanner });
  while ((await gateway().world.counts()).opensPending < 2);
  await gateway().cancel((await cancelled.event('OPENING')).session.sessionId);
  await gateway().world.stopService({ openError: 0 });
  await stream.event('LOST');
  t.true(isServiceLoss(await stream.status()));
  await cancelled.ended;
  const last = cancelled.events.at(-1)?.session?.state ?? SessionState.OPENING;
  t.true([SessionState.LOST, SessionState.CANCELLED].some((state) => state === last));
  await gateway().world.startService();
  await hostIs(HostState.READY);
  t.is((await gateway().world.counts()).sessions, 0);
});

test.serial('closes under way end with the service, and whoever waits for them is told', async (t) => {
  const queued = await gateway().openSession({ deviceAddress: display });
  const blocked = await gateway().openSession({ deviceAddress: scanner });
  await gateway().world.scriptClose({ deviceAddress: display, delayMs: 'never' });
  await gateway().close(queued.id);
  await gateway().world.scriptCall({ function: 'WFDCloseSession', blockMs: 'never' });
  const answer = failure(gateway().close(blocked.id, { waitForDisconnect: true }));
  while ((await gateway().world.counts()).callsBlocked < 1);
  await gateway().world.stopService();
  t.true(isServiceLoss(await answer));
  await blocked.stream.event('LOST');
  await queued.stream.ended;
  const { state } = await gateway().get(queued.id);
  t.true(state === SessionState.LOST || state === SessionState.CLOSED);
});

test.serial('a legacy open and a discovery that hang in the service end with it', async (t) => {
  await gateway().world.scriptOpen({ deviceAddress: printer, delayMs: 'never' });
  await gateway().world.scriptVisibility({ deviceAddress: robot, delayMs: 'never' });
  const legacy = gateway().open({ deviceAddress: printer, kind: SessionKind.LEGACY });
  const looking = failure(devices().update(robot, 60_000));
  while ((await gateway().world.counts()).callsBlocked < 2);
  await gateway().world.stopService();
  t.true(isServiceLoss(await legacy.status()));
  t.true(isServiceLoss(await looking));
});

test.serial('it may stop and start as often as it likes: every session ends once, and nothing is left', async (t) => {
  for (let times = 0; times < 5; times += 1) {
    await hostIs(HostState.READY);
    const streams: Opened[] = [display, scanner, robot].map((deviceAddress) => gateway().open({ deviceAddress }));
    await streams[0]?.event('OPENED');
    await gateway().world.stopService(times % 2 === 0 ? {} : { callCode: 1722, openError: 0 });
    for (const stream of streams) await stream.ended;
    for (const { events } of streams) {
      t.is(events.filter(({ session }) => session?.end !== undefined).length, 1);
    }
    await hostIs(HostState.DEGRADED);
    await gateway().world.startService();
  }
  await hostIs(HostState.READY);
  t.true(await opensAndCloses(display));
  const { sessions, opensPending, clients } = await gateway().world.counts();
  t.deepEqual([sessions, opensPending], [0, 0]);
  t.true(clients <= 2);
});

test.serial('a service that denies every probe makes the host DEGRADED, and its sessions live on', async (t) => {
  const { id, stream } = await gateway().openSession({ deviceAddress: display });
  await gateway().world.scriptCall({ function: 'WFDOpenHandle', count: ALWAYS, code: 0x8007_0005 });
  const denied = await hostIs(HostState.DEGRADED);
  t.is(denied.stateReason, ErrorReason.HOST_ACCESS_DENIED);
  t.regex(denied.stateMessage, /0x80070005 ERROR_ACCESS_DENIED: .*LocalSystem/);
  await gateway().world.clearScripts();
  const again = await hostIs(HostState.READY);
  t.is(again.stateReason, ErrorReason.UNSPECIFIED);
  const { session } = await gateway().close(id, { waitForDisconnect: true });
  t.is(session?.state, SessionState.CLOSED);
  t.is(await stream.status(), undefined);
});
