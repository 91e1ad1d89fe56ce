import { readFileSync } from 'node:fs';
import test from 'ava';
import { readme, withMetrics } from './metrics-manual.js';

test('the list of metrics in the manual is that of the daemon: `npm run generate` makes it', (t) => {
  const text = readFileSync(readme, 'utf8');
  t.is(text, withMetrics(text));
  t.true(text.includes('| `wfdd_log_lines_dropped_total` | counter | `output` |'));
});

test('what only grows is a counter and says so in its name', (t) => {
  const rows = withMetrics(readFileSync(readme, 'utf8')).matchAll(/^\| `(wfdd_\w+)` \| (\w+) \|/gm);
  for (const [, name = '', kind] of rows) t.is(name.endsWith('_total'), kind === 'counter', name);
});
