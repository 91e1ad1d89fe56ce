/** A client that nobody here wrote: `buf curl`, which knows the contract through reflection alone. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { ErrorInfo } from '../../clients/typescript/src/gen/google/rpc/error_details.js';
import { type DaemonProcess, startSimulated } from '../harness/daemon.js';

const buf = fileURLToPath(new URL('../../../node_modules/.bin/buf', import.meta.url));
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

async function curl(rpc: string, request: object): Promise<{ messages: unknown[]; error?: CurlError }> {
  const url = `http://${daemon.address}/wifidirect.v1.${rpc}`;
  const args = ['curl', '--protocol', 'grpc', '--http2-prior-knowledge', '-d', JSON.stringify(request), url];
  const child = spawn(buf, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  await once(child, 'close');
  // One JSON object after another, each begun by a brace in the first column.
  const messages = stdout
    .split(/\n(?=\{)/)
    .filter((text) => text.trim() !== '')
    .map((text) => JSON.parse(text));
  return stderr === '' ? { messages } : { messages, error: JSON.parse(stderr) as CurlError };
}

test('buf curl asks the host about itself', async (t) => {
  const { messages, error } = await curl('HostService/GetHost', {});
  t.is(error, undefined);
  t.like(messages[0], { state: 'HOST_STATE_READY', driver: { kind: 'DRIVER_KIND_SIMULATOR', negotiatedVersion: 1 } });
});

test('buf curl follows a stream to the failure of its open, and reads the decoded error', async (t) => {
  const { messages, error } = await curl('SessionService/OpenSession', { deviceAddress: '02:11:22:33:44:04' });
  t.deepEqual(
    messages.map((message) => (message as { event: { type: string } }).event.type),
    ['SESSION_EVENT_TYPE_OPENING', 'SESSION_EVENT_TYPE_FAILED'],
  );
  t.is(error?.code, 'aborted');
  const info = error?.details.find(({ type }) => type === 'google.rpc.ErrorInfo');
  t.like(ErrorInfo.decode(Buffer.from(info?.value ?? '', 'base64')), {
    reason: 'OPEN_FAILED',
    domain: 'wifidirect.v1',
    metadata: { win32_code: '1460', win32_name: 'ERROR_TIMEOUT', reason_code: '163851' },
  });
});

test('buf curl is told which field is wrong', async (t) => {
  const { error } = await curl('SessionService/GetSession', { sessionId: 'NO' });
  t.is(error?.code, 'invalid_argument');
  t.regex(error?.message ?? '', /session_id is "NO" but must be 4 to 63/);
});
