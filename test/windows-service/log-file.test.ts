import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { LogFile, type LogFileLimits } from '../../service/windows-service/log-file.js';

const limits: LogFileLimits = { fileBytesMax: 100, filesMax: 3 };
const line = `${'x'.repeat(39)}\n`;

function folderFor(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'wfdd-log-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function logIn(t: ExecutionContext, folder: string, failed: (error: Error) => void = (error) => t.fail(String(error))) {
  const file = new LogFile(folder, 'wfdd', failed, limits);
  t.teardown(() => file.close());
  return file;
}

test('a line is in the file when write() has returned', (t) => {
  const folder = join(folderFor(t), 'made', 'as needed');
  const log = logIn(t, folder);
  log.write('one\n');
  log.write('two\n');
  t.is(readFileSync(join(folder, 'wfdd.1.log'), 'utf8'), 'one\ntwo\n');
});

test('a full file gets a successor, and only the newest are kept', (t) => {
  const folder = folderFor(t);
  const log = logIn(t, folder);
  for (let count = 0; count < 30; count++) log.write(line);
  t.deepEqual(readdirSync(folder).sort(), ['wfdd.10.log', 'wfdd.8.log', 'wfdd.9.log']);
  for (const name of readdirSync(folder))
    t.true(statSync(join(folder, name)).size <= limits.fileBytesMax + line.length);
});

test('after a restart the newest file is filled up first', (t) => {
  const folder = folderFor(t);
  logIn(t, folder).write(line);
  logIn(t, folder).write(line);
  t.is(readFileSync(join(folder, 'wfdd.1.log'), 'utf8'), line + line);
});

test('files of others are left alone', (t) => {
  const folder = folderFor(t);
  const others = ['wfdd.log', 'wfdd.yaml', 'other.7.log', 'wfdd.x.log', 'wfdd.0.log'];
  for (const name of others) writeFileSync(join(folder, name), '');
  const log = logIn(t, folder);
  for (let count = 0; count < 12; count++) log.write(line);
  t.deepEqual(readdirSync(folder).sort(), [...others, 'wfdd.2.log', 'wfdd.3.log', 'wfdd.4.log'].sort());
});

test('what cannot be written is dropped and told once, until it can be again', (t) => {
  const folder = join(folderFor(t), 'logs');
  writeFileSync(folder, 'a file where the folder should be');
  const failures: Error[] = [];
  const log = logIn(t, folder, (error) => failures.push(error));
  log.write('lost\n');
  log.write('lost\n');
  t.is(failures.length, 1);
  rmSync(folder);
  log.write('kept\n');
  t.is(readFileSync(join(folder, 'wfdd.1.log'), 'utf8'), 'kept\n');
});
