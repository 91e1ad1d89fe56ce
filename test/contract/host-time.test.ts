/**
 * The clock of the host, in whatever shows a session or a device, so that clients whose clock
 * differs can reckon from it.
 */
import { readFileSync } from 'node:fs';
import { createFileRegistry, type DescMessage, type DescMethod, fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import test from 'ava';
import {
  ListDevicesRequest,
  UpdateDeviceVisibilityRequest,
  WatchDevicesRequest,
} from '../../proto/gen/wifidirect/v1/device_service.js';
import {
  CancelOpenSessionRequest,
  ListSessionsRequest,
  RenewSessionRequest,
} from '../../proto/gen/wifidirect/v1/session_service.js';
import { descriptors } from '../../service/root.js';
import { call, Received } from '../harness/calls.js';
import { display, gatewayForThisFile, scanner } from '../harness/gateway.js';
import { duration } from '../harness/world.js';

const gateway = gatewayForThisFile();

interface Timed {
  readonly hostTime?: Date | undefined;
}

/** Every RPC whose answers show sessions or devices, and an answer of it. */
const asked: Readonly<Record<string, () => Promise<Timed>>> = {
  OpenSession: async () => {
    const { stream } = await gateway().openSession({ deviceAddress: display });
    return stream.messages.at(-1) as Timed;
  },
  CancelOpenSession: async () => {
    await gateway().world.scriptOpen({ delayMs: 'never' });
    const stream = gateway().open({ deviceAddress: scanner });
    const { session } = await stream.event('OPENING');
    const request = CancelOpenSessionRequest.fromPartial({ sessionId: session.sessionId });
    return call(gateway().sessions.cancelOpenSession.bind(gateway().sessions), request);
  },
  CloseSession: async () => gateway().close((await gateway().openSession({ deviceAddress: display })).id),
  RenewSession: async () => {
    const { id } = await gateway().openSession({ deviceAddress: display, leaseTtl: duration(60_000) });
    const request = RenewSessionRequest.fromPartial({ sessionId: id });
    return call(gateway().sessions.renewSession.bind(gateway().sessions), request);
  },
  GetSession: async () => {
    const { id } = await gateway().openSession({ deviceAddress: display });
    return call(gateway().sessions.getSession.bind(gateway().sessions), { sessionId: id });
  },
  ListSessions: () =>
    call(gateway().sessions.listSessions.bind(gateway().sessions), ListSessionsRequest.fromPartial({})),
  WatchSessions: () =>
    gateway()
      .watch()
      .first(({ snapshotComplete }) => snapshotComplete),
  ListDevices: () => call(gateway().devices.listDevices.bind(gateway().devices), ListDevicesRequest.fromPartial({})),
  WatchDevices: async () => {
    await using watcher = new Received(gateway().devices.watchDevices(WatchDevicesRequest.fromPartial({})));
    return await watcher.first(({ snapshotComplete }) => snapshotComplete);
  },
  UpdateDeviceVisibility: () => {
    const request = UpdateDeviceVisibilityRequest.fromPartial({ deviceAddress: display });
    return call(gateway().devices.updateDeviceVisibility.bind(gateway().devices), request);
  },
};

for (const [rpc, ask] of Object.entries(asked)) {
  test.serial(`${rpc} tells when it was answered, by the clock of the host`, async (t) => {
    const before = Date.now();
    const { hostTime } = await ask();
    // The daemon of the test runs on this machine, so its clock is the test's.
    t.true(hostTime !== undefined && hostTime.getTime() >= before && hostTime.getTime() <= Date.now(), `${hostTime}`);
  });
}

test('no RPC that shows sessions or devices is left out', (t) => {
  const files = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(descriptors))).files;
  const methods = [...files].filter(({ proto }) => proto.package === 'wifidirect.v1').flatMap(methodsOf);
  const showing = methods.filter(({ output }) => shows(output));
  t.deepEqual(showing.map(({ name }) => name).sort(), Object.keys(asked).sort());
  for (const { name, output } of showing) {
    t.is(
      output.fields.find((field) => field.name === 'host_time')?.message?.typeName,
      'google.protobuf.Timestamp',
      name,
    );
  }
});

function methodsOf({ services }: { readonly services: readonly { readonly methods: readonly DescMethod[] }[] }) {
  return services.flatMap(({ methods }) => methods);
}

const SHOWN = new Set(['Session', 'SessionEvent', 'Device', 'DeviceEvent'].map((name) => `wifidirect.v1.${name}`));

function shows({ fields }: DescMessage): boolean {
  return fields.some(({ message }) => message !== undefined && SHOWN.has(message.typeName));
}
