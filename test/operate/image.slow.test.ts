/** The folder of the OCI image, run as the image would run it: no engine is needed for that. */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import test from 'ava';
import { writeFolder } from '../../service/bundle/contents.js';
import { imageContext } from '../../service/release/image.js';

const linuxTest = process.platform === 'linux' && process.arch === 'x64' ? test : test.skip;
const contents = process.platform === 'linux' ? imageContext() : new Map<string, Uint8Array>();

linuxTest('it holds the recipe and few files, none of which is of development or of another system', (t) => {
  const paths = [...contents.keys()];
  t.true(paths.includes('Containerfile'));
  t.true(paths.length < 40);
  t.deepEqual(
    paths.filter((path) => /\.(ts|exe|dll)$|win32|\.env|test/.test(path)),
    [],
  );
  t.regex(Buffer.from(contents.get('wfdd/THIRD-PARTY-LICENSES.txt') ?? []).toString(), /koffi 3/);
});

linuxTest('every file that the recipe copies is there, and the user of the image is not root', (t) => {
  const recipe = Buffer.from(contents.get('Containerfile') ?? []).toString();
  for (const [, from = ''] of recipe.matchAll(/^COPY (\S+) /gm)) {
    t.true(
      [...contents.keys()].some((path) => path.startsWith(from)),
      from,
    );
  }
  t.regex(recipe, /^USER [1-9]\d*:[1-9]\d*$/m);
  const [, entry = '[]'] = /^ENTRYPOINT (.*)$/m.exec(recipe) ?? [];
  const [, script] = JSON.parse(entry);
  t.true(contents.has(`wfdd/${script}`));
});

linuxTest('the daemon and wfdctl run from the folder alone, and the probes of Kubernetes answer', async (t) => {
  t.timeout(60_000);
  const folder = mkdtempSync(join(tmpdir(), 'wfdd-image-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  writeFolder(folder, contents);
  const cwd = join(folder, 'wfdd');
  const env = { PATH: process.env['PATH'] };
  const daemon = spawn(process.execPath, ['service/wfdd.cjs', '--listen', '127.0.0.1:0'], { cwd, env });
  t.teardown(() => daemon.kill('SIGKILL'));
  const ended = new Promise<number | null>((resolve) => daemon.once('exit', resolve));
  let address = '';
  for await (const line of createInterface(daemon.stdout)) {
    const { event, addresses } = JSON.parse(line);
    if (event !== 'serving') continue;
    [address] = addresses;
    break;
  }
  for (const probe of ['host', 'health']) {
    const args = ['clients/ctl/wfdctl.mjs', '--address', address, probe];
    t.notThrows(() => execFileSync(process.execPath, args, { cwd, env, stdio: 'pipe' }), probe);
  }
  daemon.stdout.resume();
  daemon.kill('SIGTERM');
  t.is(await ended, 0);
});
