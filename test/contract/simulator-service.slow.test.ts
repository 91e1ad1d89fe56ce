/**
 * SimulatorService, each RPC as a client team uses it: what it promises is seen through the
 * services of the gateway.
 */

import { credentials } from '@grpc/grpc-js';
import test from 'ava';
import * as proto from '../../proto/gen/wifidirect/simulator/v1/simulator_service.js';
import { HostState } from '../../proto/gen/wifidirect/v1/host_service.js';
import { SessionEndReason } from '../../proto/gen/wifidirect/v1/session.js';
import { call, failure } from '../harness/calls.js';
import { devicesForThisFile } from '../harness/devices.js';
import { display, gatewayForThisFile, robot, scanner } from '../harness/gateway.js';
import { SimulatorServiceClient } from '../harness/grpc-services.js';
import { ALWAYS, duration } from '../harness/world.js';

const gateway = gatewayForThisFile(
  ...['--set', 'driver.linkPollMs=50'],
  ...['--set', 'driver.reopenBackoffMinMs=20'],
  // No second client handle while handles are counted.
  ...['--set', 'driver.probeIntervalMs=3600000'],
);
const devices = devicesForThisFile(gateway);

let client: SimulatorServiceClient;
test.serial.beforeEach(() => {
  client ??= new SimulatorServiceClient(gateway().daemon.address, credentials.createInsecure());
});
test.after.always(() => client.close());

const door = '02:00:00:00:00:0a';
const { FALSE, TRUE, EMPTY } = proto.PropertyFlag;

test.serial('SetDefaults changes what is set, and answers with all', async (t) => {
  const request = proto.SetDefaultsRequest.fromPartial({ defaults: { open: duration(7), close: duration(1500) } });
  const { defaults } = await call(client.setDefaults.bind(client), request);
  t.deepEqual(defaults, {
    open: duration(7),
    legacyOpen: duration(200),
    cancel: duration(50),
    close: duration(1500),
    visibility: duration(300),
    address: duration(100),
    raceGrace: duration(1000),
  });
});

test.serial('SetLimits bounds the simulated Windows', async (t) => {
  const request = proto.SetLimitsRequest.fromPartial({ limits: { sessionsMax: 0 } });
  const { limits } = await call(client.setLimits.bind(client), request);
  t.deepEqual(limits, { clientsMax: 64, sessionsMax: 0, memoryExhausted: false });
  t.is((await gateway().open({ deviceAddress: display }).status())?.native?.code, 1220);
  await gateway().world.setLimits({ sessionsMax: 10, memoryExhausted: true });
  t.is((await gateway().open({ deviceAddress: display }).status())?.native?.code, 8);
});

test.serial('SetClock stops time, AdvanceClock moves it, and both say where it stands', async (t) => {
  const stopped = await call(client.setClock.bind(client), { mode: proto.ClockMode.MANUAL });
  const stream = gateway().open({ deviceAddress: display });
  while ((await gateway().world.counts()).opensPending < 1);
  const moved = await call(client.advanceClock.bind(client), { duration: duration(399) });
  t.is(msOf(moved.time) - msOf(stopped.time), 399);
  t.deepEqual(stream.types, ['OPENING']);
  // Cut to milliseconds.
  const due = await call(client.advanceClock.bind(client), { duration: { seconds: 0n, nanos: 1_999_999 } });
  t.is(msOf(due.time) - msOf(stopped.time), 400);
  await stream.event('OPENED');
  const running = await call(client.setClock.bind(client), { mode: proto.ClockMode.REAL });
  t.true(msOf(running.time) >= msOf(due.time));
});

test.serial('AddDevice pairs a device with all that can be chosen, ListSimulatedDevices shows the truth', async (t) => {
  const settings = {
    name: 'Door',
    legacy: true,
    inRange: false,
    visible: EMPTY,
    linkQuality: 12,
    interfaceAddress: '0a:00:00:00:00:01',
    localAddress: '10.0.0.2',
    peerAddress: '10.0.0.1',
    addressDelay: { delay: { $case: 'never', value: true } },
    interfaceGroup: 'doors',
    transient: true,
    present: FALSE,
  } satisfies proto.DeviceSettings;
  const added = await call(client.addDevice.bind(client), { deviceAddress: door.toUpperCase(), settings });
  t.deepEqual(added.device, { deviceAddress: door, settings, connected: EMPTY, interfaceIndex: 0 });
  const { devices: all } = await call(client.listSimulatedDevices.bind(client), {});
  t.is(all.length, 7);
  t.deepEqual(all.at(-1), added.device);
});

test.serial('a device that is added without settings is in range, visible and derives its addresses', async (t) => {
  const { device } = await call(client.addDevice.bind(client), { deviceAddress: door, settings: undefined });
  t.like(device?.settings, { name: '', legacy: false, inRange: true, visible: TRUE, linkQuality: 100 });
  t.is(device?.settings?.interfaceAddress, '02:00:00:00:00:8a');
  t.is(device?.settings?.addressDelay, undefined);
});

test.serial('UpdateDevice changes what is set and nothing else', async (t) => {
  const settings = proto.DeviceSettings.fromPartial({ linkQuality: 1, visible: FALSE });
  const { device } = await call(client.updateDevice.bind(client), { deviceAddress: display, settings });
  t.like(device?.settings, { name: 'Meeting Room Display', linkQuality: 1, visible: FALSE, inRange: true });
});

test.serial('RemoveDevice unpairs a device', async (t) => {
  await call(client.removeDevice.bind(client), { deviceAddress: display });
  const { devices: all } = await call(client.listSimulatedDevices.bind(client), {});
  t.false(all.some(({ deviceAddress }) => deviceAddress === display));
});

test.serial(
  'ScriptOpen says how the next opens go, in the order of the scripts and as often as they say',
  async (t) => {
    await gateway().world.scriptOpen({ deviceAddress: display, error: 1460, reasonCode: 5, delayMs: 0, count: 2 });
    await gateway().world.scriptOpen({ error: 1223, delayMs: 0 });
    const codes = [];
    for (let open = 0; open < 3; open += 1) {
      codes.push((await gateway().open({ deviceAddress: display }).status())?.native?.code);
    }
    t.deepEqual(codes, [1460, 1460, 1223]);
    const { id } = await gateway().openSession({ deviceAddress: display });
    await gateway().close(id, { waitForDisconnect: true });
  },
);

test.serial('ScriptOpen has a link drop by itself', async (t) => {
  await gateway().world.scriptOpen({ deviceAddress: display, delayMs: 0, dropMs: 50 });
  const { session } = await gateway().open({ deviceAddress: display }).event('CLOSED');
  t.is(session.end?.reason, SessionEndReason.PEER_DISCONNECTED);
});

test.serial('ScriptOpen says how a cancelled open ends', async (t) => {
  const request = proto.ScriptOpenRequest.fromPartial({
    delay: { delay: { $case: 'never', value: true } },
    cancelled: { error: 995, reasonCode: 7 },
  });
  await call(client.scriptOpen.bind(client), request);
  const stream = gateway().open({ deviceAddress: display });
  const { session } = await stream.event('OPENING');
  while ((await gateway().world.counts()).opensPending < 1);
  await gateway().cancel(session.sessionId);
  const { nativeResult } = await stream.event('CANCELLED');
  t.like(nativeResult, { code: 995, reasonCode: 7 });
});

test.serial('ScriptClose, ScriptVisibility and ScriptCall do likewise; ClearScripts forgets them', async (t) => {
  await gateway().world.scriptClose({ code: 5023, count: ALWAYS });
  await gateway().world.scriptVisibility({ code: 5, delayMs: 0, count: ALWAYS });
  await gateway().world.scriptCall({ function: 'WFDStartOpenSession', code: 1220, count: 1 });
  t.is((await gateway().open({ deviceAddress: display }).status())?.native?.function, 'WFDStartOpenSession');
  t.is((await failure(devices().update(robot))).native?.code, 5);
  await call(client.clearScripts.bind(client), {});
  await gateway().world.setDefaults({ visibility: 0 });
  t.true((await devices().update(robot)).discoveryCompleted);
  const { id } = await gateway().openSession({ deviceAddress: display });
  t.truthy((await gateway().close(id, { waitForDisconnect: true })).session?.end);
});

test.serial('ReleaseCalls lets go of the calls of one function, or of all', async (t) => {
  await gateway().world.scriptVisibility({ delayMs: 'never', count: ALWAYS });
  await gateway().world.scriptCall({ function: 'WFDStartOpenSession', blockMs: 'never' });
  const found = devices().update(scanner, 60_000);
  const opened = gateway().openSession({ deviceAddress: display });
  while ((await gateway().world.counts()).callsBlocked < 2);
  const release = (name: keyof typeof proto.WindowsFunction) =>
    call(client.releaseCalls.bind(client), { function: proto.WindowsFunction[name] as proto.WindowsFunction });
  t.is((await release('WFD_START_OPEN_SESSION')).releasedCount, 1);
  await opened;
  t.is((await release('UNSPECIFIED')).releasedCount, 1);
  t.true((await found).discoveryCompleted);
  t.is((await release('UNSPECIFIED')).releasedCount, 0);
});

test.serial('DropLink has the peer leave', async (t) => {
  const { stream } = await gateway().openSession({ deviceAddress: display });
  await call(client.dropLink.bind(client), proto.DropLinkRequest.fromPartial({ deviceAddress: display }));
  const { session } = await stream.event('CLOSED');
  t.is(session.end?.reason, SessionEndReason.PEER_DISCONNECTED);
});

test.serial('StopWlanService and StartWlanService stop and start it, as the request says', async (t) => {
  await call(client.stopWlanService.bind(client), proto.StopWlanServiceRequest.fromPartial({ callCode: 1753 }));
  t.is((await gateway().open({ deviceAddress: display }).status())?.native?.code, 1753);
  await call(client.startWlanService.bind(client), {});
  // The host may have noticed the stop, and refuses opens until it has reached the service again.
  await gateway().until(async () => (await gateway().getHost()).state === HostState.READY);
  const { id } = await gateway().openSession({ deviceAddress: scanner });
  t.truthy((await gateway().close(id, { waitForDisconnect: true })).session?.end);
});

test.serial('AbortDeviceQueries ends the query of the daemon, which makes another', async (t) => {
  t.is((await call(client.abortDeviceQueries.bind(client), {})).abortedCount, 1);
  const watcher = await devices().watching();
  await gateway().world.removeDevice(robot);
  await watcher.event('REMOVED', robot);
  t.is((await gateway().world.counts()).queries, 1);
});

test.serial('SetNotifications turns kinds off, and on again what is not named', async (t) => {
  await gateway().world.setNotifications({ devices: false });
  await gateway().world.updateDevice(robot, { name: 'Renamed in silence' });
  await gateway().world.setNotifications({});
  const watcher = await devices().watching();
  await gateway().world.updateDevice(robot, { linkQuality: 44 });
  await watcher.event('CHANGED', robot, ({ linkQuality }) => linkQuality === 44);
  t.is((await devices().get(robot))?.name, 'Renamed in silence');
});

test.serial('GetMisuse tells what is alive, and ResetWorld brings the world back to the start', async (t) => {
  const { stream } = await gateway().openSession({ deviceAddress: display });
  await gateway().world.removeDevice(robot);
  const { total, counts, records, live } = await call(client.getMisuse.bind(client), {});
  t.deepEqual([total, counts, records], [0n, [], []]);
  t.like(live, { clients: 1, sessions: 1, opensPending: 0, queries: 1, notifications: 2, opens: 1n, closes: 0n });
  await call(client.resetWorld.bind(client), {});
  const { session } = await stream.event('CLOSED');
  t.is(session.end?.reason, SessionEndReason.PEER_DISCONNECTED);
  const { devices: all } = await call(client.listSimulatedDevices.bind(client), {});
  t.is(all.length, 6);
  const { live: after } = await call(client.getMisuse.bind(client), {});
  t.like(after, { sessions: 0, opens: 0n, closes: 1n });
});

function msOf(time: { seconds: bigint; nanos: number } | undefined): number {
  return Number(time?.seconds ?? 0n) * 1000 + (time?.nanos ?? 0) / 1e6;
}
