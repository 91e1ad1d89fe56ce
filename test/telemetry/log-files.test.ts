import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { type LogFileLimits, LogFiles } from '../../service/telemetry/log-files.js';
import { Output } from '../../service/telemetry/output.js';

const limits: LogFileLimits = { fileBytesMax: 100, filesMax: 3 };
const line = `${'x'.repeat(39)}\n`;

function folderFor(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'wfdd-log-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes each line by itself, and waits for it. */
function logIn(t: ExecutionContext, folder: string, failed: (error: Error) => void = (error) => t.fail(String(error))) {
  const files = new LogFiles(folder, 'wfdd', failed, limits);
  t.teardown(() => files.close());
  const output = new Output(files);
  return {
    output,
    write: async (text: string) => {
      output.write(text);
      await output.flush(10_000);
    },
  };
}

test('lines are in the file when they are flushed, in order', async (t) => {
  const folder = join(folderFor(t), 'made', 'as needed');
  const { output } = logIn(t, folder);
  output.write('one\n');
  output.write('two\n');
  output.write('three\n');
  await output.flush(10_000);
  t.is(readFileSync(join(folder, 'wfdd.1.log'), 'utf8'), 'one\ntwo\nthree\n');
  t.is(output.dropped, 0);
});

test('a full file gets a successor, and only the newest are kept', async (t) => {
  const folder = folderFor(t);
  const { write } = logIn(t, folder);
  for (let count = 0; count < 30; count++) await write(line);
  t.deepEqual(readdirSync(folder).sort(), ['wfdd.10.log', 'wfdd.8.log', 'wfdd.9.log']);
  for (const name of readdirSync(folder))
    t.true(statSync(join(folder, name)).size <= limits.fileBytesMax + line.length);
});

test('after a restart the newest file is filled up first', async (t) => {
  const folder = folderFor(t);
  await logIn(t, folder).write(line);
  await logIn(t, folder).write(line);
  t.is(readFileSync(join(folder, 'wfdd.1.log'), 'utf8'), line + line);
});

test('files of others are left alone', async (t) => {
  const folder = folderFor(t);
  const others = ['wfdd.log', 'wfdd.yaml', 'other.7.log', 'wfdd.x.log', 'wfdd.0.log', 'wfdd-audit.1.log'];
  for (const name of others) writeFileSync(join(folder, name), '');
  const { write } = logIn(t, folder);
  for (let count = 0; count < 12; count++) await write(line);
  t.deepEqual(readdirSync(folder).sort(), [...others, 'wfdd.2.log', 'wfdd.3.log', 'wfdd.4.log'].sort());
});

test('what cannot be written is dropped, counted and told once, until it can be again', async (t) => {
  const folder = join(folderFor(t), 'logs');
  writeFileSync(folder, 'a file where the folder should be');
  const failures: Error[] = [];
  const { output, write } = logIn(t, folder, (error) => failures.push(error));
  await write('lost\n');
  await write('lost\n');
  t.is(failures.length, 1);
  t.is(output.dropped, 2);
  rmSync(folder);
  await write('kept\n');
  t.is(readFileSync(join(folder, 'wfdd.1.log'), 'utf8'), 'kept\n');
  t.is(output.dropped, 2);
});
