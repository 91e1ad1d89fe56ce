/**
 * Lines on their way out of a process, whatever is at the other end: nothing, a reader that stands
 * still, a full disk.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import test, { type ExecutionContext } from 'ava';
import { createLog } from '../../service/telemetry/log.js';
import { Output, type Sink } from '../../service/telemetry/output.js';

/** A sink that takes texts when it is told to. */
class Gate implements Sink {
  readonly taken: string[] = [];
  readonly holdsThread = true;
  isOpen = true;
  #waiting: { text: string; ended: (error?: Error) => void } | undefined;

  get isBusy(): boolean {
    return this.#waiting !== undefined;
  }

  write(text: string, ended: (error?: Error) => void): void {
    this.#waiting = { text, ended };
    if (this.isOpen) this.take();
  }

  take(error?: Error): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (error === undefined && waiting !== undefined) this.taken.push(waiting.text);
    waiting?.ended(error);
  }

  takeAll(): void {
    while (this.isBusy) this.take();
  }
}

function outputOf(bytesMax: number) {
  const gate = new Gate();
  const output = new Output(gate, bytesMax);
  output.tellDropped = (lines) => output.write(`(${lines} dropped)\n`);
  return { gate, output, text: () => gate.taken.join('') };
}

test('a line is handed over at once', (t) => {
  const { gate, output } = outputOf(100);
  output.write('one\n');
  output.write('two\n');
  t.deepEqual(gate.taken, ['one\n', 'two\n']);
});

test('what finds no room is dropped, counted, and told once, in its place', (t) => {
  const { gate, output, text } = outputOf(40);
  gate.isOpen = false;
  for (let n = 0; n < 10; n += 1) output.write(`line ${n}\n`);
  t.is(output.dropped, 5);
  gate.take();
  output.write('a gap is one gap: this is in it\n');
  gate.isOpen = true;
  gate.takeAll();
  output.write('later\n');
  t.is(text(), 'line 0\nline 1\nline 2\nline 3\nline 4\n(6 dropped)\nlater\n');
  t.is(output.dropped, 6);
});

test('lines that matter more still have room', (t) => {
  const { gate, output, text } = outputOf(20);
  gate.isOpen = false;
  const audit = output.withReserve(20);
  for (let n = 0; n < 5; n += 1) output.write(`line ${n}\n`);
  for (let n = 0; n < 5; n += 1) audit.write(`kept ${n}\n`);
  gate.takeAll();
  t.is(text(), 'line 0\nline 1\nkept 0\nkept 1\nkept 2\n(5 dropped)\n');
});

test('while every write fails nothing waits; the first that succeeds is followed by what was dropped', (t) => {
  const { gate, output, text } = outputOf(1000);
  gate.isOpen = false;
  for (let n = 0; n < 100; n += 1) {
    output.write(`line ${n}\n`);
    gate.take(new Error('ENOSPC'));
  }
  t.is(output.dropped, 100);
  gate.isOpen = true;
  output.write('room again\n');
  t.is(text(), 'room again\n(100 dropped)\n');
});

test('what could not be told is told the next time', (t) => {
  const { gate, output, text } = outputOf(20);
  gate.isOpen = false;
  output.write('123456789012345\n');
  output.write('lost\n');
  gate.take();
  // The sink has the notice now, and it fails.
  gate.take(new Error('EPIPE'));
  gate.isOpen = true;
  output.write('x\n');
  t.is(text(), '123456789012345\nx\n(1 dropped)\n');
  t.is(output.dropped, 1);
});

test('a flush ends with the last line, or when nothing is taken any more', async (t) => {
  const { gate, output } = outputOf(100);
  await output.flush(60_000);
  gate.isOpen = false;
  output.write('one\n');
  const flushed = output.flush(60_000);
  gate.take();
  await flushed;
  output.write('two\n');
  await output.flush(60_000);
  t.true(gate.isBusy);
  t.true(output.isStuck);
  await output.flush(1);
});

test('a log says what was dropped whatever its level', async (t) => {
  const gate = new Gate();
  const output = new Output(gate, 300);
  const log = await createLog({ level: 'error', format: 'json', addresses: false }, output);
  gate.isOpen = false;
  for (let n = 0; n < 10; n += 1) log.error('counted', 'A number was counted.', { n });
  gate.takeAll();
  const last = JSON.parse(gate.taken.join('').trimEnd().split('\n').at(-1) ?? '') as Record<string, unknown>;
  t.like(last, { level: 'warn', event: 'log-lines-dropped', lines: output.dropped });
  t.true(output.dropped > 0);
});

/**
 * A program that writes lines, tells how that went, and ends when it is told to, by a flush and its
 * exit code.
 */
const program = `
  const { createLog } = await import(${JSON.stringify(new URL('../../service/telemetry/log.js', import.meta.url).href)});
  const { Output, standardOutput } = await import(${JSON.stringify(new URL('../../service/telemetry/output.js', import.meta.url).href)});
  const [format, count] = process.argv.slice(1);
  const output = new Output(standardOutput());
  const log = await createLog({ level: 'info', format, addresses: false }, output);
  for (let n = 1; n <= Number(count); n++) {
    log.info('counted', 'A number was counted.', { n });
    if (n % 100 === 0) await new Promise(setImmediate);
  }
  process.on('message', async (word) => {
    if (word === 'one more') log.info('counted', 'A number was counted.', { n: 'one more' });
    else {
      await output.flush(20_000);
      process.exit(7);
    }
  });
  process.send({ dropped: output.dropped, kilobytes: Math.round(process.memoryUsage().rss / 1024) });
`;

interface Report {
  readonly dropped: number;
  readonly kilobytes: number;
}

function start(t: ExecutionContext, stdout: 'pipe' | number, format: string, count: number): ChildProcess {
  const args = ['--input-type=module', '--eval', program, format, String(count)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', stdout, 'inherit', 'ipc'] });
  t.teardown(() => child.kill('SIGKILL'));
  return child;
}

function folderFor(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'wfdd-output-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** What a program writes to, and the end of it that somebody may read. */
const ends: Readonly<Record<string, (t: ExecutionContext) => { stdout: 'pipe' | number; read?: () => Socket }>> = {
  // Node gives its children a socket where it says pipe.
  socket: () => ({ stdout: 'pipe' }),
  pipe: (t) => {
    const path = join(folderFor(t), 'fifo');
    execFileSync('mkfifo', [path]);
    const reading = openSync(path, constants.O_RDWR);
    const stdout = openSync(path, 'w');
    let reader: Socket | undefined;
    t.teardown(() => {
      closeSync(stdout);
      if (reader === undefined) closeSync(reading);
    });
    const read = () => {
      reader = new Socket({ fd: reading, writable: false });
      return reader;
    };
    return { stdout, read };
  },
};

const posix = process.platform === 'win32' ? test.skip : test;

for (const [kind, make] of Object.entries(ends)) {
  posix(
    `a ${kind} that nobody reads stops nothing, costs little, and is told what it missed when it is read`,
    async (t) => {
      t.timeout(120_000);
      const { stdout, read } = make(t);
      const child = start(t, stdout, 'json', 60_000);
      const [{ dropped, kilobytes }] = (await once(child, 'message')) as [Report];
      t.true(dropped > 10_000, `${dropped} dropped`);
      t.true(kilobytes < 200_000, `${kilobytes} KB`);
      const lines: Record<string, unknown>[] = [];
      const input = read?.() ?? child.stdout ?? t.fail();
      t.teardown(() => input.destroy());
      const reader = createInterface({ input });
      const isTold = new Promise<void>((resolve) => {
        reader.on('line', (text) => {
          const line = JSON.parse(text) as Record<string, unknown>;
          lines.push(line);
          if (line['event'] === 'log-lines-dropped') child.send('one more');
          if (line['n'] === 'one more') resolve();
        });
      });
      await isTold;
      const told = lines.filter(({ event }) => event === 'log-lines-dropped');
      t.deepEqual(
        told.map((line) => line['lines']),
        [dropped],
      );
      t.is(lines.length, 60_000 - dropped + 2);
      reader.close();
      child.send('end');
      t.deepEqual(await once(child, 'exit'), [7, null]);
    },
  );

  posix(`a program ends though nobody reads its ${kind}`, async (t) => {
    t.timeout(60_000);
    const { stdout } = make(t);
    const child = start(t, stdout, 'json', 5000);
    await once(child, 'message');
    child.send('end');
    t.deepEqual(await once(child, 'exit'), [7, null]);
  });
}

for (const format of ['auto', 'pretty']) {
  test(`all lines before an end are there (${format})`, async (t) => {
    t.timeout(60_000);
    const child = start(t, 'pipe', format, 5000);
    let out = '';
    child.stdout?.on('data', (data: Buffer) => {
      out += data;
    });
    child.once('message', () => child.send('end'));
    const [code] = (await once(child, 'close')) as [number];
    t.is(code, 7);
    const lines = out.trimEnd().split('\n');
    t.is(lines.length, 5000);
    t.regex(lines.at(-1) ?? '', format === 'auto' ? /^\{"level":"info".*"n":5000,/ : /INFO.*"n":5000/);
  });
}

test('all lines before an end are in a file', async (t) => {
  t.timeout(60_000);
  const path = join(folderFor(t), 'out.log');
  const stdout = openSync(path, 'a');
  t.teardown(() => closeSync(stdout));
  const child = start(t, stdout, 'json', 5000);
  child.once('message', () => child.send('end'));
  t.deepEqual(await once(child, 'exit'), [7, null]);
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  t.is(lines.length, 5000);
  t.regex(lines.at(-1) ?? '', /"n":5000,/);
});

test('a reader that has gone does not stop the program', async (t) => {
  t.timeout(60_000);
  const child = start(t, 'pipe', 'json', 5000);
  child.stdout?.destroy();
  const [{ dropped }] = (await once(child, 'message')) as [Report];
  t.true(dropped > 4000, `${dropped} dropped`);
  child.send('end');
  t.deepEqual(await once(child, 'exit'), [7, null]);
});

posix('a full disk stops nothing, keeps nothing in memory, and all is counted', async (t) => {
  t.timeout(120_000);
  const stdout = openSync('/dev/full', 'a');
  t.teardown(() => closeSync(stdout));
  const child = start(t, stdout, 'json', 60_000);
  const [{ dropped, kilobytes }] = (await once(child, 'message')) as [Report];
  t.true(dropped > 40_000, `${dropped} dropped`);
  t.true(kilobytes < 200_000, `${kilobytes} KB`);
  child.send('end');
  t.deepEqual(await once(child, 'exit'), [7, null]);
});
