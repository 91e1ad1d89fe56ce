/** Who may change a file, as Windows itself tells it. */
import { startNode } from './bundle.js';
import { windowsTest } from './windows-test.js';

windowsTest('the permissions of a file are read as text, and judged', async (t) => {
  const node = startNode(
    '--input-type=module',
    '--eval',
    `import { mkdtempSync, writeFileSync, rmSync } from 'node:fs';
     import { tmpdir } from 'node:os';
     import { join } from 'node:path';
     import { loadAclapi } from './dist/native/aclapi.js';
     import { anybodyWith, WRITE } from './dist/service/access/windows-acl.js';
     const aclapi = loadAclapi();
     const folder = mkdtempSync(join(tmpdir(), 'wfdd-acl-'));
     const file = join(folder, 'tokens');
     writeFileSync(file, '[]');
     const judge = (sddl) => {
       aclapi.SetNamedSecurityInfoW(file, sddl);
       const { code, sddl: read } = aclapi.GetDaclOf(file);
       return [code, anybodyWith(WRITE, read).join()].join(' ');
     };
     console.log('closed', judge('D:P(A;;FA;;;SY)(A;;FA;;;BA)'));
     console.log('open', judge('D:P(A;;FA;;;SY)(A;;FA;;;WD)'));
     console.log('missing', aclapi.GetDaclOf(join(folder, 'none')).code);
     rmSync(folder, { recursive: true });
     console.log('done');`,
  );
  t.teardown(() => node.close());
  t.is(await node.line((text) => text.startsWith('closed')), 'closed 0 ');
  t.is(await node.line((text) => text.startsWith('open')), 'open 0 Everyone');
  t.is(await node.line((text) => text.startsWith('missing')), 'missing 2');
  await node.line((text) => text === 'done');
});
