/**
 * SimulatorService: what it refuses, each with the field at fault, and where it is not served at
 * all.
 */

import { credentials, status } from '@grpc/grpc-js';
import test from 'ava';
import * as proto from '../../proto/gen/wifidirect/simulator/v1/simulator_service.js';
import { call, failure } from '../harness/calls.js';
import { isWine, startDaemon } from '../harness/daemon.js';
import { display, gatewayForThisFile, robot } from '../harness/gateway.js';
import { SimulatorServiceClient } from '../harness/grpc-services.js';

const gateway = gatewayForThisFile();

let client: SimulatorServiceClient;
test.serial.beforeEach(() => {
  client ??= new SimulatorServiceClient(gateway().daemon.address, credentials.createInsecure());
});
test.after.always(() => client.close());

const unpaired = '02:00:00:00:00:0a';
const tooLong = { seconds: 4_294_968n, nanos: 0 };
const halfTooLong = { seconds: 4_294_967n, nanos: 293_500_000 };
const negative = { seconds: -1n, nanos: 0 };
const notNever = { delay: { $case: 'never' as const, value: false } };

const setDefaults = (defaults: Parameters<typeof proto.SimulatorDefaults.fromPartial>[0]) =>
  call(client.setDefaults.bind(client), proto.SetDefaultsRequest.fromPartial({ defaults }));
const addDevice = (deviceAddress: string, settings: Parameters<typeof proto.DeviceSettings.fromPartial>[0] = {}) =>
  call(client.addDevice.bind(client), proto.AddDeviceRequest.fromPartial({ deviceAddress, settings }));
const scriptOpen = (fields: Parameters<typeof proto.ScriptOpenRequest.fromPartial>[0]) =>
  call(client.scriptOpen.bind(client), proto.ScriptOpenRequest.fromPartial(fields));
const scriptCall = (fields: Parameters<typeof proto.ScriptCallRequest.fromPartial>[0]) =>
  call(client.scriptCall.bind(client), proto.ScriptCallRequest.fromPartial(fields));
const dropLink = (deviceAddress: string, end?: Parameters<typeof proto.LinkEnd.fromPartial>[0]) =>
  call(
    client.dropLink.bind(client),
    proto.DropLinkRequest.fromPartial(end ? { deviceAddress, end } : { deviceAddress }),
  );
const stop = (fields: Parameters<typeof proto.StopWlanServiceRequest.fromPartial>[0]) =>
  call(client.stopWlanService.bind(client), proto.StopWlanServiceRequest.fromPartial(fields));

/** A request that makes no sense, and the field that is at fault. */
const senseless: readonly [string, string, () => Promise<unknown>][] = [
  ['SetDefaults, too long', 'defaults.open', () => setDefaults({ open: tooLong })],
  ['SetDefaults, too long by half a millisecond', 'defaults.open', () => setDefaults({ open: halfTooLong })],
  ['SetDefaults, negative', 'defaults.race_grace', () => setDefaults({ raceGrace: negative })],
  ['SetClock without a mode', 'mode', () => call(client.setClock.bind(client), { mode: 0 })],
  ['SetClock, an unknown mode', 'mode', () => call(client.setClock.bind(client), { mode: 9 as proto.ClockMode })],
  [
    'AdvanceClock without a duration',
    'duration',
    async () => {
      await call(client.setClock.bind(client), { mode: proto.ClockMode.MANUAL });
      await call(client.advanceClock.bind(client), { duration: undefined });
    },
  ],
  [
    'AdvanceClock while the clock runs',
    'duration',
    () => call(client.advanceClock.bind(client), { duration: { seconds: 1n, nanos: 0 } }),
  ],
  ['AddDevice without an address', 'device_address', () => addDevice('')],
  ['AddDevice of a group', 'device_address', () => addDevice('01:00:5e:00:00:01')],
  ['AddDevice of one that is paired', 'device_address', () => addDevice(display)],
  ['AddDevice, a long name', 'settings.name', () => addDevice(unpaired, { name: 'ü'.repeat(32) })],
  [
    'AddDevice, a long group',
    'settings.interface_group',
    () => addDevice(unpaired, { interfaceGroup: 'g'.repeat(32) }),
  ],
  ['AddDevice, too good', 'settings.link_quality', () => addDevice(unpaired, { linkQuality: 101 })],
  ['AddDevice, no address', 'settings.interface_address', () => addDevice(unpaired, { interfaceAddress: 'x' })],
  ['AddDevice, no IPv4', 'settings.local_address', () => addDevice(unpaired, { localAddress: 'fe80::1' })],
  ['AddDevice, no IPv4', 'settings.peer_address', () => addDevice(unpaired, { peerAddress: '1.2.3' })],
  ['AddDevice, an unknown flag', 'settings.visible', () => addDevice(unpaired, { visible: 9 as proto.PropertyFlag })],
  ['AddDevice, not never', 'settings.address_delay.never', () => addDevice(unpaired, { addressDelay: notNever })],
  ['ScriptOpen for no address', 'scope.device_address', () => scriptOpen({ scope: { deviceAddress: 'x' } })],
  ['ScriptOpen, not never', 'drop_delay.never', () => scriptOpen({ dropDelay: notNever })],
  ['ScriptOpen, negative', 'delay', () => scriptOpen({ delay: { delay: { $case: 'duration', value: negative } } })],
  ['ScriptCall without a function', 'function', () => scriptCall({})],
  ['ScriptCall, an unknown one', 'function', () => scriptCall({ function: 99 as proto.WindowsFunction })],
  ['ScriptCall of one that frees', 'function', () => scriptCall({ function: proto.WindowsFunction.FREE_MIB_TABLE })],
  ['DropLink, an unknown effect', 'end.interface_effect', () => dropLink(display, { interfaceEffect: 9 as never })],
  ['StopWlanService with success', 'call_code', () => stop({ callCode: 0 })],
  ['StopWlanService with success', 'blocked_call_code', () => stop({ blockedCallCode: 0 })],
];

for (const [what, field, ask] of senseless) {
  test.serial(`${what} is INVALID_ARGUMENT, and names ${field}`, async (t) => {
    const error = await failure(ask());
    t.like(error, { code: status.INVALID_ARGUMENT, fields: [field] });
    t.is(error.info?.reason, 'INVALID_FIELD');
  });
}

const removeNode = (deviceAddress: string) =>
  call(client.removeDeviceNode.bind(client), { deviceAddress, suffix: '#none' });

const missing: readonly [string, string, string, () => Promise<unknown>][] = [
  [
    'UpdateDevice',
    unpaired,
    'device',
    () => call(client.updateDevice.bind(client), { deviceAddress: unpaired, settings: undefined }),
  ],
  ['RemoveDevice', unpaired, 'device', () => call(client.removeDevice.bind(client), { deviceAddress: unpaired })],
  ['DropLink', unpaired, 'link to device', () => dropLink(unpaired)],
  ['DropLink without a link', robot, 'link to device', () => dropLink(robot)],
  ['RemoveDeviceNode without the node', robot, 'such node of device', () => removeNode(robot)],
];

for (const [what, address, noun, ask] of missing) {
  test.serial(`${what} of ${address} is NOT_FOUND`, async (t) => {
    const error = await failure(ask());
    t.is(error.code, status.NOT_FOUND);
    t.like(error.info, { reason: 'DEVICE_NOT_FOUND', metadata: { device_address: address } });
    t.is(error.resource?.resourceName, address);
    t.regex(error.message, new RegExp(`The simulated world has no ${noun} ${address}\\.`));
  });
}

test.serial('a request that is refused has changed nothing', async (t) => {
  const before = await call(client.listSimulatedDevices.bind(client), {});
  const settings = proto.DeviceSettings.fromPartial({ name: 'Renamed', peerAddress: 'nonsense' });
  await failure(call(client.updateDevice.bind(client), { deviceAddress: display, settings }));
  t.deepEqual(await call(client.listSimulatedDevices.bind(client), {}), before);
});

test.serial('it is not there unless it was asked for on the command line', async (t) => {
  const daemon = await startDaemon('--driver', 'simulator');
  const other = new SimulatorServiceClient(daemon.address, credentials.createInsecure());
  const { code } = await failure(call(other.getMisuse.bind(other), {}));
  t.is(code, status.UNIMPLEMENTED);
  other.close();
  t.is(await daemon.stop(), 0);
});

test.serial('asked for with the driver of Windows, the daemon does not start, and says why', async (t) => {
  const refused = await startDaemon('--driver', 'wlanapi', '--simulator-service').then(
    async (daemon) => {
      await daemon.kill();
      return 'it serves';
    },
    (error: Error) => error.message,
  );
  t.regex(refused, /^wfdd ended with 78 /, isWine ? 'on Windows' : 'elsewhere');
});
