/**
 * A client that nobody here wrote: `buf curl`, which knows the contract through reflection alone.
 */
import test from 'ava';
import { ErrorInfo } from '../../proto/gen/google/rpc/error_details.js';
import { Files } from '../access/files.js';
import { configOfGuarded } from '../conformance/hosts.js';
import { type DaemonProcess, startDaemon, startSimulated } from '../harness/daemon.js';
import { buf, eventTypes, objects } from './tools.js';

let daemon: DaemonProcess;

test.before(async () => {
  daemon = await startSimulated();
});

test.after.always(async (t) => {
  t.is(await daemon.stop(), 0);
});

interface CurlError {
  readonly code: string;
  readonly message: string;
  readonly details: readonly { readonly type: string; readonly value: string }[];
}

const curl = (...args: string[]) => buf('curl', '--protocol', 'grpc', '--http2-prior-knowledge', ...args);

async function call(rpc: string, request: object): Promise<{ output: string; error?: CurlError }> {
  const url = `http://${daemon.address}/wifidirect.v1.${rpc}`;
  const { output, errors } = await curl('-d', JSON.stringify(request), url);
  return errors === '' ? { output } : { output, error: JSON.parse(errors) };
}

test('buf curl lists the services and their methods', async (t) => {
  const { output: services } = await curl('--list-services', `http://${daemon.address}`);
  t.regex(services, /^wifidirect\.v1\.DeviceService\nwifidirect\.v1\.HostService\nwifidirect\.v1\.SessionService$/m);
  const { output: methods } = await curl('--list-methods', `http://${daemon.address}`);
  t.regex(methods, /^wifidirect\.v1\.SessionService\/OpenSession$/m);
});

test('buf curl asks health by what reflection says of it', async (t) => {
  const { output, errors } = await curl('-d', '{}', `http://${daemon.address}/grpc.health.v1.Health/Check`);
  t.is(errors, '');
  t.deepEqual(objects(output), [{ status: 'SERVING' }]);
});

test('buf curl asks the host about itself', async (t) => {
  const { output, error } = await call('HostService/GetHost', {});
  t.is(error, undefined);
  t.like(objects(output)[0], {
    state: 'HOST_STATE_READY',
    driver: { kind: 'DRIVER_KIND_SIMULATOR', negotiatedVersion: 1 },
  });
});

test('buf curl follows a stream to the failure of its open, and reads the decoded error', async (t) => {
  const { output, error } = await call('SessionService/OpenSession', { deviceAddress: '02:11:22:33:44:04' });
  t.deepEqual(eventTypes(output), ['OPENING', 'FAILED']);
  t.is(error?.code, 'aborted');
  const info = error?.details.find(({ type }) => type === 'google.rpc.ErrorInfo');
  t.like(ErrorInfo.decode(Buffer.from(info?.value ?? '', 'base64')), {
    reason: 'OPEN_FAILED',
    domain: 'wifidirect.v1',
    metadata: { win32_code: '1460', win32_name: 'ERROR_TIMEOUT', reason_code: '163851' },
  });
});

test('buf curl is told which field is wrong', async (t) => {
  const { error } = await call('SessionService/GetSession', { sessionId: 'NO' });
  t.is(error?.code, 'invalid_argument');
  t.regex(error?.message ?? '', /session_id is "NO" but must be 4 to 63/);
});

test('buf curl comes in by TLS and a token, and not without', async (t) => {
  using files = new Files();
  const guarded = await startDaemon('--driver', 'simulator', '--config', configOfGuarded(files));
  const url = `https://${guarded.address.replace('127.0.0.1', 'localhost')}/wifidirect.v1.HostService/GetHost`;
  const secure = ['curl', '--protocol', 'grpc', '--cacert', files.path('ca.pem')];
  try {
    const token = 'authorization: Bearer token-of-viewer';
    const { output } = await buf(...secure, '--header', token, '--reflect-header', token, url);
    t.like(objects(output)[0], { state: 'HOST_STATE_READY' });
    const listed = await buf(...secure, '--reflect-header', token, '--list-services', new URL(url).origin);
    const names = [
      ...['grpc.health.v1.Health', 'grpc.reflection.v1.ServerReflection', 'grpc.reflection.v1alpha.ServerReflection'],
      ...['DeviceService', 'HostService', 'SessionService'].map((name) => `wifidirect.v1.${name}`),
    ];
    t.deepEqual(listed.output.trimEnd().split('\n'), names, 'only what is served');
    t.is(JSON.parse((await buf(...secure, '--reflect-header', token, url)).errors).code, 'unauthenticated');
  } finally {
    t.is(await guarded.stop(), 0);
  }
});
