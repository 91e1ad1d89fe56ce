/**
 * Every client library: its package by the measure of its ecosystem, and its agents through every
 * scenario against the same daemons; and the table in clients/README.md that says how it went.
 * `WFD_WRITE_TABLE=1` writes it. Where the toolchain of a language is lacking its tests are
 * skipped; with `CI=true` no column that the table claims may be lacking.
 *
 * `WFD_LANGUAGES=Go,Python` runs these alone.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { Agent } from './agent.js';
import { Hosts } from './hosts.js';
import { libraries as all } from './libraries.js';
import { root } from './library.js';
import { chapters, patientChapters } from './scenarios.js';
import { FAILS, HOLDS, keyOf, readTable, writeTable } from './table.js';

const { WFD_LANGUAGES } = process.env;
const libraries = all.filter(({ language }) => WFD_LANGUAGES?.split(',').includes(language) ?? true);

/** Longer than fetching and building for the first time takes. */
const TIME_MAX_MS = 15 * 60_000;

/** What takes time in the simulated world, in milliseconds. */
const QUICK = { open: 20, close: 10, cancel: 10, visibility: 10, address: 0 };

const results = new Map<string, Map<string, string>>();
let hosts: Hosts;
let scratch = '';

test.before(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'conformance-'));
  hosts = await Hosts.start();
});
test.after.always(async () => {
  await hosts?.[Symbol.asyncDispose]();
  await rm(scratch, { recursive: true, force: true });
});

for (const { language, lacks, prepare, checks, apiReports, agents } of libraries) {
  const run = lacks === undefined ? test.serial : test.serial.skip;

  run(`${language} is made ready`, async (t) => {
    t.timeout(TIME_MAX_MS);
    await prepare();
    t.pass();
  });

  for (const check of checks) {
    run(`${language}: ${check.name}`, async (t) => {
      t.timeout(TIME_MAX_MS);
      await hosts.usual.settle();
      await check.run({ address: hosts.usual.daemon.address, scratch: await mkdtemp(join(scratch, '_')) });
      t.pass();
    });
  }

  for (const { file, make } of apiReports) {
    run(`${language}: ${file} is the public API`, async (t) => {
      t.timeout(TIME_MAX_MS);
      const remedy = 'If you mean to change the public API, run `npm run api-reports` and commit this file.';
      t.is(await make(), await readFile(join(root, file), 'utf8'), `${file} is not the public API. ${remedy}`);
    });
  }

  for (const { name: column, command } of agents) {
    const found = new Map<string, string>();
    if (lacks === undefined) results.set(column, found);
    let client: Agent | undefined;

    run(`${column}: the agent starts`, async (t) => {
      client = new Agent(command);
      await client.connect(hosts.usual.daemon.address);
      t.pass();
    });

    for (const chapter of chapters) {
      for (const { name, play } of chapter.scenarios) {
        run(`${column}: ${chapter.title.toLowerCase()} ${name}`, async (t) => {
          if (client === undefined) return t.fail('there is no agent');
          const host = hosts.usual;
          found.set(keyOf(chapter, name), FAILS);
          await host.settle();
          await host.world.setDefaults(QUICK);
          await client.connect(host.daemon.address);
          try {
            await play({ client, host, hosts });
            t.deepEqual(await host.world.misuse(), {});
            host.checkStreams();
            found.set(keyOf(chapter, name), HOLDS);
          } finally {
            client.forget();
          }
        });
      }
    }

    run(`${column}: the agent ends`, async (t) => {
      await client?.stop();
      t.pass();
    });
  }
}

/**
 * What became of each scenario of the patient chapters, column by column; begun by the first test
 * that asks.
 */
const patient = new Map<string, Map<string, Promise<void>>>();

/** Plays them one after another, with an agent of its own. */
function playPatiently(command: readonly string[]): Map<string, Promise<void>> {
  const client = new Agent(command);
  const outcomes = new Map<string, Promise<void>>();
  let before: Promise<unknown> = Promise.resolve();
  for (const chapter of patientChapters) {
    for (const scenario of chapter.scenarios) {
      const outcome = before.then(() => scenario.play({ client, host: hosts.usual, hosts }));
      before = outcome.catch(() => {}).then(() => client.forget());
      outcomes.set(keyOf(chapter, scenario.name), outcome);
    }
  }
  void before.then(() => client.stop());
  return outcomes;
}

const ready = libraries.filter(({ lacks }) => lacks === undefined).flatMap(({ agents }) => agents);
for (const { name: column } of ready) {
  for (const chapter of patientChapters) {
    for (const scenario of chapter.scenarios) {
      test.serial(`${column}: ${chapter.title.toLowerCase()} ${scenario.name}`, async (t) => {
        t.timeout(TIME_MAX_MS);
        const key = keyOf(chapter, scenario.name);
        results.get(column)?.set(key, FAILS);
        if (patient.size === 0) for (const { name, command } of ready) patient.set(name, playPatiently(command));
        await patient.get(column)?.get(key);
        results.get(column)?.set(key, HOLDS);
        t.pass();
      });
    }
  }
}

test.serial('the table of clients/README.md is what was found', (t) => {
  if (process.env['WFD_WRITE_TABLE'] === '1') writeTable([...chapters, ...patientChapters], results);
  const claimed = readTable();
  for (const [column, cells] of claimed) {
    const found = results.get(column);
    if (found !== undefined) t.deepEqual(cells, found, `${column}: WFD_WRITE_TABLE=1 writes the table anew`);
    else if (process.env['CI'] === 'true') t.fail(`the table claims ${column}, and this machine lacks what it needs`);
    else t.log(`${column} was not run`);
  }
  for (const column of results.keys()) t.true(claimed.has(column), `${column} is not in the table`);
  for (const { language, lacks } of libraries) if (lacks !== undefined) t.log(`${language} needs ${lacks.what}`);
});

test.serial('the daemons end in good order, and have misused nothing', async (t) => {
  for (const end of await hosts.stop()) t.deepEqual(end, { exitCode: 0, misuse: {} });
});
