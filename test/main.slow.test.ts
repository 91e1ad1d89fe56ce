/** A signal that comes before the daemon serves, at whatever moment of its start. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import test from 'ava';
import { launcher } from './harness/daemon.js';

const onPosix = process.platform === 'win32' ? test.skip : test.serial;

for (let afterMs = 0; afterMs <= 20; afterMs += 2) {
  onPosix(`SIGTERM ${afterMs} ms after the driver was chosen is no failure of the start`, async (t) => {
    const flags = ['--driver', 'simulator', '--listen', '127.0.0.1:0', '--log-format', 'json'];
    const daemon = spawn(process.execPath, [launcher, ...flags], { stdio: ['ignore', 'pipe', 'inherit'] });
    const exited = once(daemon, 'exit');
    const events: string[] = [];
    for await (const line of createInterface({ input: daemon.stdout })) {
      const { event } = JSON.parse(line) as { event: string };
      events.push(event);
      if (event === 'simulated') setTimeout(() => daemon.kill('SIGTERM'), afterMs);
    }
    const isHeard = events.includes('stopping');
    // Before that nothing is begun that would have to be ended.
    t.deepEqual(await exited, isHeard ? [0, null] : [null, 'SIGTERM'], events.join(' '));
    t.is(events.at(-1), isHeard ? 'stopped' : 'simulated', events.join(' '));
  });
}
