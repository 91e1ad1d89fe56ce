import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { filesIn, sha256 } from '../../service/bundle/contents.js';
import { bundles } from './bundle.js';
import { windowsTest } from './windows-test.js';

windowsTest('a second build of the bundle, in another time zone, gives the same bytes', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'wfdd-again-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  t.timeout(180_000);
  const builder = fileURLToPath(new URL('../../service/bundle/windows.js', import.meta.url));
  execFileSync(process.execPath, [builder, '--output', folder], { env: { ...process.env, TZ: 'Asia/Kathmandu' } });
  const hashes = (of: string): string[] => filesIn(of, () => true).map(([path, bytes]) => `${path} ${sha256(bytes)}`);
  t.deepEqual(hashes(folder).sort(), hashes(bundles).sort());
});
