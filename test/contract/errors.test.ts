/**
 * Every row of the contract's error table that sessions can meet, on the wire, with its details.
 */
import { status } from '@grpc/grpc-js';
import test from 'ava';
import { PropertyFlag } from '../../proto/gen/wifidirect/simulator/v1/simulator_service.js';
import { ListDevicesRequest } from '../../proto/gen/wifidirect/v1/device_service.js';
import { SessionKind, SessionState } from '../../proto/gen/wifidirect/v1/session.js';
import { call, failure, type ReadError } from '../harness/calls.js';
import { display, gatewayForThisFile, type OpenFields, printer, robot } from '../harness/gateway.js';
import { nativeCodes } from './native-codes.js';

const gateway = gatewayForThisFile('--set', 'driver.reopenBackoffMinMs=20');

const requestId = '6d0b0a1c-8b52-4c1e-9a3e-0f5d2f3c7a11';

async function openError(fields: OpenFields): Promise<ReadError> {
  const error = await gateway().open(fields).status();
  if (error === undefined) throw new Error('the open was to fail');
  return error;
}

function checkDetails(
  t: { truthy(value: unknown): unknown; is(a: unknown, b: unknown): unknown },
  error: ReadError,
  code: number,
) {
  t.is(error.info?.domain, 'wifidirect.v1');
  t.is(error.native?.code, code);
  t.is(error.info?.metadata['win32_code'], String(code));
  if (error.code === status.UNAVAILABLE) t.truthy(error.retry?.retryDelay);
  if (error.code === status.RESOURCE_EXHAUSTED) t.is(error.quota?.violations.length, 1);
  if (code === 5023) t.is(error.precondition?.violations.length, 1);
}

for (const [code, expected, reason] of nativeCodes) {
  test.serial(`${code} returned by WFDStartOpenSession is ${reason}`, async (t) => {
    await gateway().world.scriptOpen({ deviceAddress: display, code });
    const error = await openError({ deviceAddress: display });
    t.is(error.code, expected);
    t.is(error.info?.reason, reason);
    t.is(error.native?.function, 'WFDStartOpenSession');
    checkDetails(t, error, code);
  });

  test.serial(`${code} in the callback is ${reason}`, async (t) => {
    await gateway().world.scriptOpen({ deviceAddress: display, error: code, reasonCode: 0x38002 });
    const error = await openError({ deviceAddress: display });
    t.is(error.code, expected);
    t.is(error.info?.reason, reason);
    t.like(error.native, { function: 'WFD_OPEN_SESSION_COMPLETE_CALLBACK', reasonCode: 0x38002 });
    checkDetails(t, error, code);
  });
}

for (const code of [6, 87, 0x8007_0006]) {
  test.serial(`${code} on a handle that the host holds is NATIVE_HANDLE_LOST, and the session ends LOST`, async (t) => {
    await gateway().world.scriptOpen({ deviceAddress: display, code });
    const stream = gateway().open({ deviceAddress: display });
    const lost = await stream.event('LOST');
    t.is(lost.session.state, SessionState.LOST);
    const error = await stream.status();
    t.like(error, { code: status.INTERNAL });
    t.is(error?.info?.reason, 'NATIVE_HANDLE_LOST');
  });

  test.serial(`a close that answers ${code} is INTERNAL to its caller, and the session ends LOST`, async (t) => {
    const { id, stream } = await gateway().openSession({ deviceAddress: display });
    await gateway().world.scriptClose({ deviceAddress: display, code });
    const error = await failure(gateway().close(id));
    t.is(error.code, status.INTERNAL);
    t.is(error.info?.reason, 'NATIVE_HANDLE_LOST');
    await stream.event('LOST');
  });
}

test.serial('any other dwError is ABORTED with OPEN_FAILED and what Windows says of it', async (t) => {
  const error = await openError({ deviceAddress: robot });
  t.is(error.code, status.ABORTED);
  t.like(error.info, { reason: 'OPEN_FAILED' });
  t.deepEqual(error.info?.metadata, {
    win32_code: '1460',
    win32_name: 'ERROR_TIMEOUT',
    reason_code: '163851',
    reason_text: error.native?.reasonText,
  });
  t.not(error.native?.reasonText, '');
});

test.serial(
  'codes from 2^31 on come through as they are: of the callback, a cancel, a close and a legacy open',
  async (t) => {
    await gateway().world.scriptOpen({ deviceAddress: display, error: 0x8000_4005 });
    const opened = await openError({ deviceAddress: display });
    t.like(opened.native, { code: 0x8000_4005, name: '0x80004005' });
    t.is(opened.info?.reason, 'OPEN_FAILED');

    await gateway().world.scriptOpen({
      deviceAddress: display,
      delayMs: 'never',
      cancelled: { error: 0x8007_04c7, reasonCode: 0x9003_8001 },
    });
    const pending = gateway().open({ deviceAddress: display });
    const { session } = await pending.event('OPENING');
    await gateway().cancel(session.sessionId);
    const { nativeResult } = await pending.event('CANCELLED');
    t.like(nativeResult, { code: 0x8007_04c7, name: 'ERROR_CANCELLED', reasonCode: 0x9003_8001 });

    const { id } = await gateway().openSession({ deviceAddress: display });
    await gateway().world.scriptClose({ deviceAddress: display, code: 0x8007_1392 });
    const closed = await failure(gateway().close(id));
    t.like(closed.native, { function: 'WFDCloseSession', code: 0x8007_1392 });

    await gateway().world.scriptOpen({ deviceAddress: printer, error: 0x8007_05b4 });
    const legacy = await openError({ deviceAddress: printer, kind: SessionKind.LEGACY });
    t.like(legacy.native, { function: 'WFDOpenLegacySession', code: 0x8007_05b4, name: 'ERROR_TIMEOUT' });
  },
);

test.serial('an undocumented code of a call is INTERNAL with NATIVE_ERROR', async (t) => {
  await gateway().world.scriptOpen({ deviceAddress: display, code: 4319 });
  const error = await openError({ deviceAddress: display });
  t.like(error, { code: status.INTERNAL });
  t.is(error.info?.reason, 'NATIVE_ERROR');
  t.like(error.native, { code: 4319, name: 'ERROR_DEVICE_NOT_AVAILABLE' });
});

test.serial('of a device that is not listed Windows is asked, and says that it is not paired', async (t) => {
  const stream = gateway().open({ deviceAddress: '02:aa:aa:aa:aa:aa' });
  const error = await stream.status();
  t.is(error?.info?.reason, 'DEVICE_NOT_PAIRED');
  t.is(error?.native?.code, 1168);
  t.deepEqual(stream.types, ['OPENING', 'FAILED']);
});

test.serial('a device that the list lacks, but Windows knows, is opened', async (t) => {
  const address = '02:aa:aa:aa:aa:ab';
  await gateway().world.setNotifications({ devices: false });
  await gateway().world.addDevice(address);
  const { id, stream } = await gateway().openSession({ deviceAddress: address });
  await gateway().close(id, { waitForDisconnect: true });
  t.is(await stream.status(), undefined);
});

test.serial('an open that fails says what Windows knows of the device: not present, not persistent', async (t) => {
  await gateway().world.updateDevice(display, { present: PropertyFlag.FALSE, transient: true });
  await gateway().world.scriptOpen({ deviceAddress: display, error: 1460 });
  await gateway().until(async () => {
    const { devices } = await call(gateway().devices.listDevices.bind(gateway().devices), ListDevicesRequest.create());
    return devices.find(({ deviceAddress }) => deviceAddress === display)?.isPresent === false;
  });
  const error = await openError({ deviceAddress: display });
  t.is(error.info?.reason, 'OPEN_FAILED');
  t.regex(error.message, /not present: it may be switched off.*pairing is not persistent/);
});

test.serial('a legacy device without a stored profile of the kind is DEVICE_NOT_PAIRED', async (t) => {
  const error = await openError({ deviceAddress: printer, kind: SessionKind.WIFI_DIRECT });
  t.is(error.info?.reason, 'DEVICE_NOT_PAIRED');
  t.is(error.native?.code, 1168);
});

const badFields: readonly [string, OpenFields][] = [
  ['device_address', {}],
  ['device_address', { deviceAddress: 'not an address' }],
  ['device_address', { deviceAddress: '01:00:5e:00:00:01' }],
  ['device_address', { deviceAddress: '00:00:00:00:00:00' }],
  ['kind', { deviceAddress: display, kind: 99 as SessionKind }],
  ['session_id', { deviceAddress: display, sessionId: 'abc' }],
  ['session_id', { deviceAddress: display, sessionId: 'No Capitals' }],
  ['request_id', { deviceAddress: display, requestId: 'not-a-uuid' }],
  ['open_timeout', { deviceAddress: display, openTimeout: { seconds: 601n, nanos: 0 } }],
  ['open_timeout', { deviceAddress: display, openTimeout: { seconds: 0n, nanos: 0 } }],
  ['open_timeout', { deviceAddress: display, openTimeout: { seconds: 1n, nanos: -1 } }],
  ['lease_ttl', { deviceAddress: display, leaseTtl: { seconds: 0n, nanos: 5 } }],
];

for (const [field, fields] of badFields) {
  const shown = JSON.stringify(fields, (_key, value) => (typeof value === 'bigint' ? `${value}` : value));
  test.serial(`a bad ${field} is named: ${shown}`, async (t) => {
    const error = await openError(fields);
    t.is(error.code, status.INVALID_ARGUMENT);
    t.is(error.info?.reason, 'INVALID_FIELD');
    t.deepEqual(error.fields, [field]);
  });
}

test.serial('an address is accepted in upper case and with dashes, and told in lower case', async (t) => {
  const { stream } = await gateway().openSession({ deviceAddress: display.toUpperCase().replaceAll(':', '-') });
  t.is(stream.events[0]?.session?.deviceAddress, display);
  await using _ = stream;
});

test.serial('a session that is not there is NOT_FOUND with ResourceInfo', async (t) => {
  for (const ask of [gateway().get('no-such'), gateway().close('no-such'), gateway().cancel('no-such')]) {
    const error = await failure(ask);
    t.is(error.code, status.NOT_FOUND);
    t.is(error.info?.reason, 'SESSION_NOT_FOUND');
    t.like(error.resource, { resourceType: 'wifidirect.v1.Session', resourceName: 'no-such' });
  }
});

test.serial('a session id that is taken is ALREADY_EXISTS with ResourceInfo', async (t) => {
  const { id, stream } = await gateway().openSession({ deviceAddress: display, sessionId: 'taken' });
  const error = await openError({ deviceAddress: display, sessionId: id });
  t.is(error.code, status.ALREADY_EXISTS);
  t.is(error.info?.reason, 'SESSION_ALREADY_EXISTS');
  t.is(error.resource?.resourceName, id);
  await using _ = stream;
});

test.serial('a request id used for another request is REQUEST_ID_REUSED', async (t) => {
  const { stream } = await gateway().openSession({ deviceAddress: display, requestId });
  const error = await openError({ deviceAddress: robot, requestId });
  t.is(error.code, status.INVALID_ARGUMENT);
  t.is(error.info?.reason, 'REQUEST_ID_REUSED');
  await using _ = stream;
});

test.serial('a cancel of an open session is SESSION_STATE_INVALID and names the state', async (t) => {
  const { id, stream } = await gateway().openSession({ deviceAddress: display });
  const error = await failure(gateway().cancel(id));
  t.is(error.code, status.FAILED_PRECONDITION);
  t.is(error.info?.reason, 'SESSION_STATE_INVALID');
  t.is(error.info?.metadata['state'], 'OPEN');
  await using _ = stream;
});
