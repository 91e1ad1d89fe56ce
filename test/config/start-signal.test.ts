/** A signal that comes before the daemon serves. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import test from 'ava';
import { launcher } from '../harness/daemon.js';

const onPosix = process.platform === 'win32' ? test.skip : test;

onPosix('SIGTERM in the midst of the start ends the daemon in good order', async (t) => {
  const flags = ['--driver', 'simulator', '--listen', '127.0.0.1:0', '--log-format', 'json'];
  const daemon = spawn(process.execPath, [launcher, ...flags], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(daemon, 'exit');
  const events: string[] = [];
  for await (const line of createInterface({ input: daemon.stdout })) {
    const { event } = JSON.parse(line) as { event: string };
    events.push(event);
    if (event === 'ready') daemon.kill('SIGTERM');
  }
  t.deepEqual(await exited, [0, null], events.join(' '));
  t.false(events.includes('start-failed'), events.join(' '));
  t.is(events.at(-1), 'stopped');
});
