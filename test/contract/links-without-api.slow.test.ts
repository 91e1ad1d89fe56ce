/**
 * A host that lacks functions: what needs them says so, the next evidence serves, and GetHost tells
 * which kinds there are.
 */
import { status } from '@grpc/grpc-js';
import test, { type ExecutionContext } from 'ava';
import { ErrorReason } from '../../proto/gen/wifidirect/v1/error.js';
import { type GetHostResponse, HostState } from '../../proto/gen/wifidirect/v1/host_service.js';
import { DisconnectEvidence, SessionEndReason, SessionKind } from '../../proto/gen/wifidirect/v1/session.js';
import { call, failure } from '../harness/calls.js';
import { HostDevices } from '../harness/devices.js';
import { display, type Gateway, printer, scanner, withGateway } from '../harness/gateway.js';
import { simulatorWithout } from '../harness/reduced-simulator.js';

const { DEVICE_DISCONNECTED, INTERFACE_GONE, INTERFACE_DOWN, UNCONFIRMED } = DisconnectEvidence;

/** Windows before 10 version 1809. */
const deviceQueries = ['DevCreateObjectQuery', 'DevCloseObjectQuery', 'DevGetObjects', 'DevFreeObjects'];
const interfaces = ['ConvertInterfaceGuidToLuid', 'GetIfEntry2'];

/**
 * A gateway on a simulator that lacks these functions; it misuses nothing, and stops in good order.
 */
async function without(
  t: ExecutionContext,
  functions: readonly string[],
  use: (gateway: Gateway, host: GetHostResponse) => Promise<void>,
): Promise<void> {
  const library = await simulatorWithout(...functions);
  const flags = [
    '--simulator-library',
    library,
    '--set',
    'driver.linkPollMs=50',
    '--set',
    'session.closeTimeoutMs=3000',
  ];
  await withGateway(flags, async (gateway) => {
    await gateway.world.setDefaults({ open: 5, legacyOpen: 5, close: 5, address: 5 });
    const host = await call(gateway.host.getHost.bind(gateway.host), {});
    t.deepEqual(
      host.driver?.missingFunctions.map((missing) => missing.function),
      functions,
    );
    t.is(host.state, HostState.DEGRADED);
    t.is(host.stateReason, ErrorReason.DRIVER_NOT_AVAILABLE);
    for (const name of functions) t.true(host.stateMessage.includes(name), host.stateMessage);
    await use(gateway, host);
    t.deepEqual(await gateway.world.misuse(), {});
    t.is(await gateway.daemon.stop(), 0);
  });
}

async function evidenceOfClose(gateway: Gateway): Promise<DisconnectEvidence | undefined> {
  const { id, stream } = await gateway.openSession({ deviceAddress: display });
  // Whatever this host can see of the link it has seen by then, or never will.
  await stream.event('NETWORK_INTERFACE_CHANGED');
  const { session } = await gateway.close(id, { waitForDisconnect: true });
  return session?.end?.evidence;
}

async function evidenceOfDrop(gateway: Gateway): Promise<DisconnectEvidence | undefined> {
  const { stream } = await gateway.openSession({ deviceAddress: scanner });
  await stream.event('NETWORK_INTERFACE_CHANGED');
  await gateway.world.dropLink(scanner);
  const { session } = await stream.event('CLOSED');
  return session.end?.reason === SessionEndReason.PEER_DISCONNECTED ? session.end.evidence : undefined;
}

test.serial('without the device queries the interface is the evidence, and devices are UNIMPLEMENTED', async (t) => {
  await without(t, deviceQueries, async (gateway, { driver }) => {
    t.deepEqual(driver?.disconnectEvidence, [INTERFACE_GONE, INTERFACE_DOWN]);
    t.is(await evidenceOfClose(gateway), INTERFACE_GONE);
    t.is(await evidenceOfDrop(gateway), INTERFACE_GONE);
    const devices = new HostDevices(gateway);
    for (const error of [
      await failure(devices.list()),
      await failure(devices.update(display)),
      await devices.watch().status(),
    ]) {
      t.is(error?.code, status.UNIMPLEMENTED);
      t.is(error?.info?.reason, 'DRIVER_NOT_AVAILABLE');
      t.is(error?.info?.metadata['function'], 'DevCreateObjectQuery');
      t.truthy(error?.info?.metadata['library']);
    }
  });
});

test.serial(
  'without the device queries the peer is the only station on the link, and Windows says who is paired',
  async (t) => {
    await without(t, deviceQueries, async (gateway) => {
      const { stream } = await gateway.openSession({ deviceAddress: display });
      await stream.first(({ event }) => event?.session?.networkInterface?.peerAddresses.length === 2);
      const error = await gateway.open({ deviceAddress: '02:aa:aa:aa:aa:aa' }).status();
      t.is(error?.info?.reason, 'DEVICE_NOT_PAIRED');
      t.is(error?.native?.code, 1168);
      stream.cancel();
      await stream.ended;
    });
  },
);

test.serial('without the functions that tell of interfaces the device is the evidence', async (t) => {
  await without(t, interfaces, async (gateway, { driver }) => {
    t.deepEqual(driver?.disconnectEvidence, [DEVICE_DISCONNECTED]);
    const devices = new HostDevices(gateway);
    const { id, stream } = await gateway.openSession({ deviceAddress: display });
    const { session } = await stream.event('OPENED');
    t.like(session.networkInterface, { luid: 0n, index: 0, alias: '' });
    t.not(session.networkInterface?.guid, '');
    await devices.connected(display);
    const closed = await gateway.close(id, { waitForDisconnect: true });
    t.is(closed.session?.end?.evidence, DEVICE_DISCONNECTED);
  });
});

test.serial('without either nothing can be seen: sessions close UNCONFIRMED, after close_timeout', async (t) => {
  const functions = [...interfaces, ...deviceQueries];
  await without(t, functions, async (gateway, { driver }) => {
    t.deepEqual(driver?.disconnectEvidence, []);
    const { id } = await gateway.openSession({ deviceAddress: display });
    const { session } = await gateway.close(id, { waitForDisconnect: true });
    t.is(session?.end?.evidence, UNCONFIRMED);
  });
});

test.serial('without notifications at all the poll serves', async (t) => {
  await without(t, ['NotifyIpInterfaceChange', 'NotifyUnicastIpAddressChange'], async (gateway, { driver }) => {
    t.is(driver?.disconnectEvidence.length, 3);
    await gateway.world.setNotifications('none');
    const { stream } = await gateway.openSession({ deviceAddress: scanner });
    await new HostDevices(gateway).connected(scanner);
    await gateway.world.dropLink(scanner);
    const { session } = await stream.event('CLOSED');
    t.is(session.end?.evidence, DEVICE_DISCONNECTED);
  });
});

test.serial('what one RPC needs is refused by that RPC alone', async (t) => {
  const functions = ['WFDOpenLegacySession', 'WFDUpdateDeviceVisibility'];
  await without(t, functions, async (gateway) => {
    const legacy = await gateway.open({ deviceAddress: printer, kind: SessionKind.LEGACY }).status();
    const discovery = await failure(new HostDevices(gateway).update(display));
    for (const [index, error] of [legacy, discovery].entries()) {
      t.is(error?.code, status.UNIMPLEMENTED);
      t.is(error?.info?.metadata['function'], functions[index]);
    }
    t.is((await new HostDevices(gateway).list()).devices.length, 6);
    const { id } = await gateway.openSession({ deviceAddress: display });
    await gateway.close(id, { waitForDisconnect: true });
  });
});

test.serial(
  'a session that could be opened but not closed is not opened; the devices are told all the same',
  async (t) => {
    await without(t, ['WFDCloseSession'], async (gateway) => {
      for (const kind of [SessionKind.WIFI_DIRECT, SessionKind.LEGACY]) {
        const error = await gateway.open({ deviceAddress: display, kind }).status();
        t.is(error?.code, status.UNIMPLEMENTED);
        t.is(error?.info?.metadata['function'], 'WFDCloseSession');
      }
      t.is((await gateway.world.counts()).opens, 0n);
      t.is((await new HostDevices(gateway).list()).devices.length, 6);
    });
  },
);
