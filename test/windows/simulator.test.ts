/**
 * The simulator as a DLL: its own tests, in C, on the Windows side of platform.c; and calls of it
 * through koffi.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { compilerFlags, sourceFolder, sources } from '../../native/simulator/build.js';
import { mingw } from '../native/compiler.js';
import { simulatorLibrary, startModule } from './bundle.js';
import { windowsTest } from './windows-test.js';
import { startUnderWine } from './wine.js';

const folder = mkdtempSync(join(tmpdir(), 'wfd-simulator-'));
test.after.always(() => rmSync(folder, { recursive: true }));

windowsTest('the C tests of the simulator pass', async (t) => {
  t.timeout(180_000);
  const testFolder = join(sourceFolder, 'test');
  const testSources = readdirSync(testFolder)
    .filter((name) => name.endsWith('.c'))
    .map((name) => join(testFolder, name));
  const exe = join(folder, 'test.exe');
  const build = spawnSync(mingw, [...compilerFlags, '-O1', ...sources(), ...testSources, '-o', exe]);
  t.is(build.status, 0, String(build.stderr));
  const program = startUnderWine({ exe });
  t.teardown(() => program.close());
  t.is(await program.exited, 0, program.output());
  t.regex(program.output(), /^done/m);
});

windowsTest('a call that wakes a thread of the simulator returns', async (t) => {
  const node = await startModule(
    `import { devQueryResultCallbacks } from './native/cfgmgr32.js';
     import { loadLibraries } from './native/load.js';
     import { openSimulatorControl } from './native/simulator-control.js';
     const path = ${JSON.stringify(simulatorLibrary)};
     const { cfgmgr32 } = loadLibraries({ wlanapi: path, iphlpapi: path, cfgmgr32: path });
     const control = openSimulatorControl(path);
     // Each reset changes devices under the lock, for which the thread of the query then waits.
     const context = devQueryResultCallbacks.registerContext(() => {});
     const { hDevQuery } = await cfgmgr32.DevCreateObjectQuery(3, 1, [], [], context);
     for (let round = 0; round < 100; round++) {
       control.reset();
       await control.waitIdle(10_000);
     }
     await cfgmgr32.DevCloseObjectQuery(hDevQuery);
     console.log('misuse', control.misuse().total);
     process.exit();`,
  );
  t.teardown(() => node.close());
  t.is(await node.line((text) => text.startsWith('misuse')), 'misuse 0');
});
