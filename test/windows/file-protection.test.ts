/** Who may change a file, as Windows itself tells it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { anybodyWith, WRITE } from '../../service/files/windows-acl.js';
import { startDaemon, startModule } from './bundle.js';
import { windowsTest } from './windows-test.js';
import { windowsPath } from './wine.js';

windowsTest('the permissions of a file are read as text, and judged', async (t) => {
  const node = await startModule(
    `import { mkdtempSync, writeFileSync, rmSync } from 'node:fs';
     import { tmpdir } from 'node:os';
     import { join } from 'node:path';
     import { loadAclapi } from './native/aclapi.js';
     const aclapi = loadAclapi();
     const folder = mkdtempSync(join(tmpdir(), 'wfdd-acl-'));
     const file = join(folder, 'tokens');
     writeFileSync(file, '[]');
     const daclAfter = (sddl) => {
       aclapi.SetNamedSecurityInfoW(file, sddl);
       return aclapi.GetDaclOf(file).sddl;
     };
     console.log('closed', daclAfter('D:P(A;;FA;;;SY)(A;;FA;;;BA)'));
     console.log('open', daclAfter('D:P(A;;FA;;;SY)(A;;FA;;;WD)'));
     console.log('missing', aclapi.GetDaclOf(join(folder, 'none')).code);
     rmSync(folder, { recursive: true });
     console.log('done');`,
  );
  t.teardown(() => node.close());
  const daclOf = async (what: string) => (await node.line((text) => text.startsWith(what))).slice(what.length + 1);
  t.deepEqual(anybodyWith(WRITE, await daclOf('closed')), []);
  t.deepEqual(anybodyWith(WRITE, await daclOf('open')), ['Everyone']);
  t.is(await node.line((text) => text.startsWith('missing')), 'missing 2');
  await node.line((text) => text === 'done');
});

windowsTest('a daemon whose files nobody else may write starts, and nothing is refused', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'wfdd-files-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const tokens = join(folder, 'tokens.yaml');
  writeFileSync(tokens, '[]', { mode: 0o644 });
  const config = join(folder, 'wfdd.yaml');
  const access = {
    mode: 'authenticated',
    roles: [{ role: 'admin', principals: ['*'] }],
    tokensFile: windowsPath(tokens),
  };
  writeFileSync(config, JSON.stringify({ access }), { mode: 0o644 });
  const daemon = startDaemon('--driver', 'simulator', '--listen', '127.0.0.1:0', '--config', windowsPath(config));
  t.teardown(() => daemon.close());
  t.regex(await daemon.line((text) => /"event":"(serving|start-failed)"/.test(text)), /"serving"/);
});
