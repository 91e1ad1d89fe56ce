/** The demo end to end: what a newcomer sees is what happened. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import test from 'ava';

const guid = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/;

async function run(script: string, ...args: readonly string[]) {
  const path = fileURLToPath(new URL(`${script}.js`, import.meta.url));
  const child = spawn(process.execPath, [path, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const [output, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { output, errors, code };
}

test('the demo tells three sessions from their opening to their end, a watch that is cut, and exits 0', async (t) => {
  const { output, errors, code } = await run('demo');
  t.is(errors, '');
  t.is(code, 0);
  t.regex(output, /SIMULATOR: no radio is used/);
  const [, opened, failed, cancelled, watched] = output.split(/^\d\. /m).map(timeLine);
  t.deepEqual(
    opened?.map(({ label }) => label),
    ['> OpenSession', 'OPENING', 'OPEN', '> CloseSession', 'CLOSING', 'CLOSED'],
  );
  t.regex(said(opened, 'OPEN'), guid);
  t.regex(said(opened, 'CLOSED'), /^evidence (DEVICE_DISCONNECTED|INTERFACE_GONE|INTERFACE_DOWN)$/);
  t.deepEqual(
    failed?.map(({ label }) => label),
    ['> OpenSession', 'OPENING', 'FAILED'],
  );
  t.regex(
    output,
    /the stream ends ABORTED, OPEN_FAILED\n.* WFD_OPEN_SESSION_COMPLETE_CALLBACK: 1460 ERROR_TIMEOUT\n.* reason 163851: \S/,
  );
  t.deepEqual(
    cancelled?.map(({ label }) => label),
    ['> OpenSession', 'OPENING', '> CancelOpenSession', 'CANCELLING', 'CANCELLED'],
  );
  t.deepEqual(
    watched?.map(({ label }) => label),
    ['snapshot', 'disconnected', 'OPENING', 'OPEN', 'CLOSING', 'CLOSED'],
  );
  for (const story of [opened, failed, cancelled, watched]) {
    const times = story?.map(({ seconds }) => seconds) ?? [];
    t.deepEqual(
      times,
      [...times].sort((a, b) => a - b),
      'time only goes on',
    );
  }
  t.regex(output, /^ok\n\nThe daemon was asked to stop, and ended with exit code 0\.\n$/m);
});

test('the demo says how it is used', async (t) => {
  const { output, code } = await run('demo', '--help');
  t.regex(output, /^Usage: npm run demo\n/);
  t.is(code, 0);
  const wrong = await run('demo', '--speed');
  t.regex(wrong.errors, /--speed[\s\S]*Usage: npm run demo/);
  t.is(wrong.code, 64);
});

test('a walk that can not reach its host says so and fails', async (t) => {
  const { errors, code } = await run('walkthrough', await freeAddress());
  t.regex(errors, /The walk ended early: UNAVAILABLE: /);
  t.is(code, 1);
});

/** The lines of a chapter that have a label; those without one add to the line before. */
function timeLine(chapter: string) {
  return [...chapter.matchAll(/^ {3}\+(\d+\.\d{3}) s {2}(\S.*?)(?: {2,}(.*))?$/gm)].map(
    ([, seconds, label, words = '']) => ({ seconds: Number(seconds), label, words }),
  );
}

function said(chapter: ReturnType<typeof timeLine> | undefined, label: string): string {
  return chapter?.find((line) => line.label === label)?.words ?? '';
}

/** Where nobody listens. */
async function freeAddress(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  return `127.0.0.1:${typeof address === 'object' ? address?.port : 1}`;
}
