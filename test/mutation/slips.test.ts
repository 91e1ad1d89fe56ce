import { readdirSync } from 'node:fs';
import test from 'ava';
import { leftOut, rooms } from './rooms.js';
import { SWITCH, sample, withSlips } from './slips.js';

const source = {
  path: 'service/quota.ts',
  text: `export function take(free: number): boolean {
  return free > 0;
}
`,
};

test('a slip has its place, its kind, and what it changes', async (t) => {
  const { slips } = await withSlips([source]);
  t.like(
    slips.find(({ after }) => after === 'free >= 0'),
    { path: 'service/quota.ts', line: 2, column: 10, kind: 'EqualityOperator', before: 'free > 0' },
  );
});

test('only the slip whose switch is set is in force', async (t) => {
  const { sources, slips } = await withSlips([{ ...source, text: source.text.replaceAll(/: (number|boolean)/g, '') }]);
  const slip = slips.find(({ after }) => after === 'free >= 0');
  t.truthy(slip);
  const module = async (name: string): Promise<boolean> => {
    // A module of its own for each, and no other knows the switch: it is read once a process.
    Reflect.deleteProperty(globalThis, '__stryker__');
    const code = `${sources[0]?.text}\n// ${name}`;
    const { take } = (await import(`data:text/javascript,${encodeURIComponent(code)}`)) as { take(n: number): boolean };
    return take(0);
  };
  t.false(await module('none'));
  process.env[SWITCH] = slip?.id;
  t.teardown(() => {
    delete process.env[SWITCH];
    Reflect.deleteProperty(globalThis, '__stryker__');
  });
  t.true(await module('one'));
});

test('the same seed chooses the same slips, another seed others', async (t) => {
  const { slips } = await withSlips(
    Array.from({ length: 20 }, (_, i) => ({ ...source, path: `service/quota-${i}.ts` })),
  );
  t.is(sample(slips, 5, 1).length, 5);
  t.deepEqual(sample(slips, 5, 1), sample(slips, 5, 1));
  t.notDeepEqual(sample(slips, 5, 1), sample(slips, 5, 2));
  t.is(sample(slips, Number.POSITIVE_INFINITY, 1).length, slips.length);
});

test('every room of the daemon is in the table, or left out for a reason', (t) => {
  const folders = readdirSync(new URL('../../../service', import.meta.url), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
  const known = [...Object.values(rooms).map(({ source: at }) => at.replace('service/', '')), ...Object.keys(leftOut)];
  for (const folder of folders) t.true(known.includes(folder), folder);
});
