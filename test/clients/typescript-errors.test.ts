/**
 * Every refusal of a host, as the client's callers see it: the statuses are made by the daemon's
 * own code.
 */
import { Metadata, status } from '@grpc/grpc-js';
import test from 'ava';
import { lastValueFrom } from 'rxjs';
import { type Client, connect, GatewayError } from '../../clients/typescript/src/client.js';
import { ErrorInfo, RetryInfo } from '../../proto/gen/google/rpc/error_details.js';
import { Status } from '../../proto/gen/google/rpc/status.js';
import { codeOf } from '../../service/codec/status.js';
import { type Fault, REASONS } from '../../service/fault.js';
import { faultToGrpcStatus } from '../../service/grpc/status.js';
import { type Host, startHost } from './typescript-host.js';

type SentStatus = ReturnType<typeof faultToGrpcStatus>;

let next: SentStatus;
let host: Host;
let client: Client;

test.before(async () => {
  host = await startHost({
    getSession: (_, answer) => answer(next),
    openSession: (call) => call.emit('error', next),
  });
  client = connect(host.address);
});
test.after.always(() => {
  client.close();
  host.close();
});

async function refusal(sent: SentStatus): Promise<GatewayError> {
  next = sent;
  const error = await client.sessions.get('a-session').catch((thrown: unknown) => thrown);
  if (!(error instanceof GatewayError)) throw new Error(`not a GatewayError: ${error}`);
  return error;
}

function sent(details: Buffer): SentStatus {
  const metadata = new Metadata();
  metadata.set('grpc-status-details-bin', details);
  return { code: status.ABORTED, details: 'Refused.', metadata };
}

test.serial('every reason of the contract arrives with its code, its message and its metadata', async (t) => {
  for (const reason of REASONS) {
    const error = await refusal(
      faultToGrpcStatus({ reason, message: `About ${reason}.`, metadata: { key: 'ä value' } }),
    );
    t.is(error.reason, reason);
    t.is(error.code, codeOf(reason));
    t.is(error.message, `${reason}: About ${reason}.`);
    t.deepEqual(error.metadata, { key: 'ä value' });
  }
});

test.serial('what Windows said comes with the error', async (t) => {
  const native = {
    function: 'WFDStartOpenSession',
    code: 1062,
    name: 'ERROR_SERVICE_NOT_ACTIVE',
    reasonCode: 0,
    reasonText: '',
  };
  const fault: Fault = { reason: 'WLAN_SERVICE_NOT_RUNNING', message: 'Not running.', native };
  const error = await refusal(faultToGrpcStatus(fault));
  t.deepEqual(error.native, native);
  t.is(error.retryDelayMs, 5000);
});

test.serial('the fields that the host refused are named', async (t) => {
  const fault: Fault = { reason: 'INVALID_FIELD', message: 'session_id is empty', field: 'session_id' };
  t.like((await refusal(faultToGrpcStatus(fault))).fieldViolations[0], {
    field: 'session_id',
    description: 'session_id is empty',
  });
});

test.serial('a stream fails in the same way', async (t) => {
  next = faultToGrpcStatus({ reason: 'DEVICE_NOT_PAIRED', message: 'Not paired.' });
  const stream = lastValueFrom(client.sessions.open({ deviceAddress: '02:11:22:33:44:01' }));
  await t.throwsAsync(stream, { instanceOf: GatewayError, message: 'DEVICE_NOT_PAIRED: Not paired.' });
});

test.serial('a reason that this version does not know is kept', async (t) => {
  const info = ErrorInfo.encode({ reason: 'OUT_OF_COFFEE', domain: 'wifidirect.v1', metadata: { cups: '0' } });
  const details = [{ typeUrl: 'type.googleapis.com/google.rpc.ErrorInfo', value: Buffer.from(info.finish()) }];
  const error = await refusal(sent(Buffer.from(Status.encode({ code: 10, message: '', details }).finish())));
  t.is(error.reason, 'OUT_OF_COFFEE');
  t.is(error.code, status.ABORTED);
  t.deepEqual(error.metadata, { cups: '0' });
});

test.serial('the reason of another domain, as a proxy may add it, is not taken for one', async (t) => {
  const info = ErrorInfo.encode({ reason: 'RATE_LIMITED', domain: 'proxy.example', metadata: {} });
  const details = [{ typeUrl: 'type.googleapis.com/google.rpc.ErrorInfo', value: Buffer.from(info.finish()) }];
  const error = await refusal(sent(Buffer.from(Status.encode({ code: 10, message: '', details }).finish())));
  t.is(error.reason, undefined);
  t.is(error.message, 'ABORTED: Refused.');
});

test.serial('details that can not be read leave the status', async (t) => {
  const error = await refusal(sent(Buffer.from([0xff, 0xff, 0xff])));
  t.like(error, { code: status.ABORTED, reason: undefined, native: undefined, retryDelayMs: undefined });
});

test.serial('a status code that gRPC does not know is UNKNOWN, and is told', async (t) => {
  const error = await refusal({ code: 77 as status, details: 'Odd.', metadata: new Metadata() });
  t.like(error, { code: status.UNKNOWN, message: 'UNKNOWN: Odd. (status code 77)' });
});

for (const [what, seconds, nanos, delayMs] of [
  ['negative', -5n, -1, undefined],
  ['zero', 0n, 0, undefined],
  ['short', 0n, 1_500_000, 1.5],
  ['longest', 315_576_000_000n, 999_999_999, 315_576_000_001_000],
  ['impossible', -(2n ** 63n), 0, undefined],
] as const) {
  test.serial(`a ${what} RetryInfo is ${delayMs ?? 'none'}`, async (t) => {
    const retry = RetryInfo.encode({ retryDelay: { seconds, nanos } });
    const details = [{ typeUrl: 'type.googleapis.com/google.rpc.RetryInfo', value: Buffer.from(retry.finish()) }];
    const error = await refusal(sent(Buffer.from(Status.encode({ code: 10, message: '', details }).finish())));
    if (delayMs === undefined) t.is(error.retryDelayMs, undefined);
    else t.true(Math.abs((error.retryDelayMs ?? 0) - delayMs) < 1);
  });
}

test.serial('a host that is not there is UNAVAILABLE, without a reason', async (t) => {
  const nowhere = connect('127.0.0.1:1');
  const error = await t.throwsAsync(nowhere.host(), { instanceOf: GatewayError });
  t.like(error, { code: status.UNAVAILABLE, reason: undefined });
  nowhere.close();
});
