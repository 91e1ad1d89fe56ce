/**
 * "Expose it" of service/README.md, command by command, as somebody does it who has just cloned the
 * repository.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import test from 'ava';

const onPosix = process.platform === 'win32' ? test.skip : test;
const root = fileURLToPath(new URL('../../../', import.meta.url));
const manual = readFileSync(join(root, 'service/README.md'), 'utf8');
const [, section = ''] = /\n## Expose it\n([\s\S]*?)\n### Who is who/.exec(manual) ?? [];

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

/** The commands, each with what the manual shows below it. */
function commands(): { command: string; shown: string[] }[] {
  const blocks = [...section.matchAll(/```console\n([\s\S]*?)```/g)].map(([, block = '']) => block);
  return blocks.flatMap((block) =>
    block.split(/^\$ /m).flatMap((part) => {
      const [command = '', ...shown] = part.trimEnd().split('\n');
      return command === '' ? [] : [{ command, shown }];
    }),
  );
}

/** Times, dates, the names of this machine and its folders differ. */
function form(line: string): string {
  return line
    .replace(/\/(?:home\/me|tmp\/[\w-]+)\//g, '/HOME/')
    .replace(/\d{4}-\d\d-\d\d/g, 'DATE')
    .replace(/DNS:(?!gateway|localhost)\S+ /g, 'DNS:OWN ')
    .replace(/\b\d+[sm]\b/g, 'TIME')
    .replace(/ +/g, ' ');
}

onPosix('every command does what the manual shows', async (t) => {
  t.timeout(180_000);
  const home = mkdtempSync(join(tmpdir(), 'wfdd-home-'));
  const ports = new Map<string, number>();
  for (const told of ['50051', '50052', '9464']) ports.set(told, await freePort());
  const here = (text: string) => text.replace(/\b(50051|50052|9464)\b/g, (told) => String(ports.get(told)));
  const daemons: ChildProcess[] = [];
  t.teardown(async () => {
    for (const daemon of daemons) {
      daemon.kill();
      await once(daemon, 'exit');
    }
    rmSync(home, { recursive: true });
  });
  const [, fleet = ''] = /```yaml\n([\s\S]*?)```/.exec(section) ?? [];
  const env = { ...process.env, HOME: home };
  let alias = '';
  let checked = 0;
  for (const { command, shown } of commands()) {
    if (command.startsWith('alias ')) {
      alias = `shopt -s expand_aliases; ${command}\n`;
      continue;
    }
    if (command.includes('config check')) writeFileSync(join(home, 'wfdd/fleet.yaml'), here(fleet), { mode: 0o600 });
    const script = alias + here(command);
    if (/^wfdd --config/.test(command)) {
      const args = command
        .split(' ')
        .slice(1)
        .map((word) => here(word).replace('~', home));
      const daemon = spawn(process.execPath, ['service/wfdd.cjs', ...args], {
        cwd: root,
        env,
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      daemons.push(daemon);
      for await (const line of createInterface({ input: daemon.stdout })) {
        if (/Serving on|"event":"serving"/.test(line)) break;
      }
      daemon.stdout?.resume();
      continue;
    }
    const { stdout, stderr } = spawnSync('bash', ['-c', script], { cwd: root, env, encoding: 'utf8' });
    const written = `${stderr}${stdout}`.split('\n').map(form);
    for (const line of shown.filter((line) => line !== '[...]')) {
      t.true(written.includes(form(line)), `${command}\n${line}\n${stdout}${stderr}`);
      checked += 1;
    }
  }
  t.true(checked > 8);
  t.is(daemons.length, 2);
});

test('no secret is on a command line of the manual, and none is in the folder of the build', (t) => {
  for (const { command } of commands()) {
    t.notRegex(command, /--token\s/);
    t.notRegex(command, /\bdist\//);
  }
});
