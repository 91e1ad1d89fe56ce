/**
 * The manual that is made from the comments of the contract: fresh, whole, and without a link that
 * leads nowhere.
 */
import { readFile } from 'node:fs/promises';
import test from 'ava';
import { ownFiles } from './descriptors.js';
import { manuals } from './manual.js';
import { anchor, Links } from './manual-links.js';

let made: Map<string, string>;
test.before(async () => {
  made = await manuals();
});

test('the manuals in the repository are those that the contract makes', async (t) => {
  t.is(made.size, 2);
  for (const [path, text] of made) {
    t.true((await readFile(path, 'utf8')) === text, `${path} is stale: npm run generate`);
  }
});

test('every link within a manual leads to a heading or a value of it', (t) => {
  for (const text of made.values()) {
    const headings = [...text.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) => anchor(title));
    const values = [...text.matchAll(/<a id="(\w+)">/g)].map(([, id = '']) => id);
    const targets = new Set([...headings, ...values]);
    t.is(targets.size, headings.length + values.length, 'no two of the same name');
    const links = [...text.matchAll(/\]\(#([^)]+)\)/g)].map(([, target = '']) => target);
    t.true(links.length > 100);
    t.deepEqual(
      links.filter((target) => !targets.has(target)),
      [],
    );
  }
});

test('every RPC, field and enum value is in a manual', async (t) => {
  const text = [...made.values()].join();
  for (const { messages, enums, services } of await ownFiles()) {
    for (const { name } of services.flatMap(({ methods }) => methods)) t.true(text.includes(`\n### ${name}\n`), name);
    const named = [...messages.flatMap(({ fields }) => fields), ...enums.flatMap(({ values }) => values)];
    for (const { name } of named) t.true(text.includes(`\`${name}\` |`), name);
  }
});

test('words become links where they are names, once in a text, and not in code', async (t) => {
  const links = new Links(await ownFiles());
  t.is(
    links.into('A Session ends by CloseSession, `CloseSession` or CloseSession; see SessionEnd.error.', 'Session'),
    'A Session ends by [CloseSession](#closesession), `CloseSession` or CloseSession; see [SessionEnd.error](#sessionend).',
  );
  t.is(links.into('    CloseSession', ''), '    CloseSession');
  t.is(
    links.into('INTERNAL (NATIVE_HANDLE_LOST), AIP-155', ''),
    'INTERNAL ([NATIVE_HANDLE_LOST](#error_reason_native_handle_lost)), [AIP-155](https://google.aip.dev/155)',
  );
});
