/** `wfdd doctor` as somebody types it: text, JSON, a report, and exit codes. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { EXIT } from '../../service/commands/command-line.js';
import { reportMarkdown } from '../../service/doctor/report.js';
import { launcher } from '../harness/daemon.js';
import { display } from '../harness/gateway.js';

const folder = mkdtempSync(join(tmpdir(), 'wfdd-doctor-command-'));
test.after.always(() => rmSync(folder, { recursive: true }));
const config = join(folder, 'wfdd.yaml');
writeFileSync(config, 'listen: ["127.0.0.1:0"]\ndriver: { kind: simulator }\n', { mode: 0o600 });

function doctor(...args: string[]) {
  return spawnSync(process.execPath, [launcher, '--config', config, 'doctor', ...args], { encoding: 'utf8' });
}

test('a host without trouble: what was seen, what was not checked, and exit code 0', (t) => {
  const { stdout, stderr, status } = doctor();
  t.is(status, 0, stderr);
  t.regex(stdout, /^ok {7}Native libraries$/m);
  t.regex(stdout, /Not checked: .*Test session \(needs --open ADDRESS\)/);
  t.regex(stdout, /simulated: no radio was used\.\nOK: 13 ok, 0 warnings, 0 failed\.\n$/);
});

test('a session is opened, held, closed, cancelled, and killed with its process; the report tells no address', (t) => {
  const report = join(folder, 'report.md');
  const { stdout, status } = doctor('--open', display, '--hold', '1', '--report', report);
  t.is(status, 0, stdout);
  t.regex(stdout, /held for 1000 ms; closed: the device disconnected after \d+ ms/);
  t.regex(stdout, /A cancelled open ended with 1223 ERROR_CANCELLED\./);
  t.regex(stdout, /A process with a session was killed/);
  const markdown = readFileSync(report, 'utf8');
  t.regex(markdown, /\| Test session \| ok \|/);
  for (const text of [stdout, markdown]) {
    t.false(text.includes(display));
    t.false(text.includes('Meeting Room'));
    t.false(text.includes(folder) && folder.includes('/home/'));
  }
});

test('as JSON, for fleets', (t) => {
  const { stdout, status } = doctor('--json');
  t.is(status, 0);
  const report = JSON.parse(stdout);
  t.is(report.state, 'ok');
  t.true(report.isSimulated);
  const [first] = report.checks;
  t.deepEqual(Object.keys(first).slice(0, 4), ['id', 'title', 'state', 'seen']);
});

test('a wrong configuration is one finding of many, and exit code 2', (t) => {
  const wrong = join(folder, 'wrong.yaml');
  writeFileSync(wrong, 'sessions: 7\n', { mode: 0o600 });
  const { stdout, status } = spawnSync(process.execPath, [launcher, '--config', wrong, 'doctor'], { encoding: 'utf8' });
  t.is(status, 2);
  t.regex(stdout, /^failed {3}Configuration$/m);
  t.regex(stdout, /^ok {7}Notifications$/m);
});

test('a device that is not paired fails', (t) => {
  const { status, stdout } = doctor('--open', '02:00:00:00:00:99');
  t.is(status, 2);
  t.regex(stdout, /The session did not open: /);
});

test('a warning alone is exit code 1', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const args = ['--listen', `127.0.0.1:${port}`, '--driver', 'simulator', 'doctor'];
  const { status, stdout } = spawnSync(process.execPath, [launcher, ...args], { encoding: 'utf8' });
  t.is(status, 1, stdout);
  t.regex(stdout, /^warning {2}Listen addresses$/m);
  t.regex(stdout, /WARNING: 12 ok, 1 warnings, 0 failed/);
});

test('works on Windows only', (t) => {
  const { status, stderr } = doctor('--as-service');
  t.is(status, EXIT.service);
  t.regex(stderr, /works on Windows only/);
});

test('what is wrong on the command line is told', (t) => {
  t.is(doctor('--open', 'nonsense').status, EXIT.usage);
  t.is(doctor('--hold', 'long').status, EXIT.usage);
});

test('a report that can not be written is told', (t) => {
  const { stderr, status } = doctor('--report', join(folder, 'no', 'where.md'));
  t.is(status, EXIT.denied);
  t.regex(stderr, /cannot write the report/);
});

test('the child of a doctor that dies ends with it', async (t) => {
  const child = spawn(process.execPath, [launcher, '--config', config, 'doctor', '--is-child', '--open', display], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [line] = await once(child.stdout, 'data');
  t.is(String(line), 'opened 0\n');
  child.stdin.end();
  t.deepEqual(await once(child, 'exit'), [null, 'SIGKILL']);
});

test('nothing that a host says breaks the table or the fold of a report', (t) => {
  const seen = 'a | b\n``` <script>';
  const check = { id: 'x', title: 'X', state: 'ok', seen, ms: 1 } as const;
  const base = { version: '1', time: 't', platform: 'p', isSimulated: false, asService: true, state: 'ok' } as const;
  const markdown = reportMarkdown({ ...base, checks: [check], notChecked: [] });
  t.true(markdown.includes('a \\| b ``` &lt;script>'));
  t.is(markdown.match(/^```/gm)?.length, 2);
  t.false(existsSync('x'));
});
