/** The records of service/DECISIONS.md, and the citations of them in code and documents. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import test from 'ava';
import { root } from '../service/root.js';

const text = readFileSync(new URL('service/DECISIONS.md', root), 'utf8');
const ids = [...text.matchAll(/^### D-(\d+): /gm)].map(([, id]) => Number(id));

test('each decision has an id of its own, a date and a status', (t) => {
  t.true(ids.length > 100);
  t.is(new Set(ids).size, ids.length);
  for (const section of text.split(/^### /m).slice(1)) {
    t.regex(section, /^D-\d+: .+\n\n\*\d{4}-\d\d-\d\d, (accepted|superseded by D-\d+)\.\* /);
  }
  t.notRegex(text, /^- \*\*/m, 'an entry without an id');
});

test('each decision that a file cites exists', (t) => {
  const files = ['*.ts', '*.cjs', '*.c', '*.md', ':!**/gen/**'];
  const found = execFileSync('git', ['grep', '-ohE', '\\bD-[0-9]+\\b', '--', ...files], {
    cwd: root,
    encoding: 'utf8',
  });
  const cited = [...new Set(found.split('\n').filter(Boolean))].map((id) => Number(id.slice(2)));
  t.true(cited.length > 10);
  t.deepEqual(
    cited.filter((id) => !ids.includes(id)),
    [],
  );
});
