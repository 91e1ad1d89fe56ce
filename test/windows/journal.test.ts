/** The tests of the journal, in a Windows process: files behave differently there. */
import { join } from 'node:path';
import { bundle } from './bundle.js';
import { windowsTest } from './windows-test.js';
import { startUnderWine } from './wine.js';

const tests = ['frames', 'journal', 'peek'].map((name) => `dist/test/journal/${name}.test.js`);

windowsTest('the tests of the journal pass', async (t) => {
  t.timeout(300_000);
  const ava = ['node_modules/ava/entrypoints/cli.mjs', '--concurrency', '1', '--timeout', '3m'];
  const program = startUnderWine({ exe: join(bundle, 'node.exe'), args: [...ava, ...tests] });
  t.teardown(() => program.close());
  t.is(await program.exited, 0, program.output());
  t.regex(program.output(), /\d+ tests passed/);
});
