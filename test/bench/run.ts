/**
 * `npm run bench`: runs the cases one after another, prints each figure when it is known, and
 * writes all of them as JSON.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { Bench, type Case, full, quick } from './bench.js';
import { attacks } from './cases/attacks.js';
import { busyConsole } from './cases/console.js';
import { callback, cycles } from './cases/cycles.js';
import { burst, fanOut, idleWatchers } from './cases/fan-out.js';
import { held } from './cases/held.js';
import { journal } from './cases/journal.js';
import { security } from './cases/security.js';
import { simulator } from './cases/simulator.js';
import { start } from './cases/start.js';
import { unary } from './cases/unary.js';
import type { Figure } from './figure.js';
import { outputFolder } from './output.js';
import { describeMachine, type Report, tableHead, tableRow } from './report.js';

const cases: readonly Case[] = [
  start,
  unary,
  cycles,
  callback,
  fanOut,
  burst,
  idleWatchers,
  held,
  journal,
  security,
  attacks,
  busyConsole,
  simulator,
];

const help = `Usage: npm run bench [-- options]

  --only CASE     only this case; may be given more than once
  --quick         a short run that shows that all works; its figures say nothing
  --output FILE   where the JSON goes (default: dist/bench/DATE.json)
  --help          this text

Cases:
${cases.map(({ name, title }) => `  ${name.padEnd(14)}  ${title}`).join('\n')}

"against" is a bare grpc-js server with messages of the same sizes and no logic, unless the line says otherwise.
Medians of several rounds; the ratio is the median of the rounds' ratios. Aims are reported, never asserted.
The shape of the JSON is the type Report in test/bench/report.ts.`;

async function run(chosen: readonly Case[], isQuick: boolean, output: string | undefined): Promise<number> {
  const startTime = new Date().toISOString();
  const startMs = performance.now();
  const seconds = () => Math.round((performance.now() - startMs) / 1000);
  const machine = describeMachine();
  const { processor, processors, node, load } = machine;
  console.log(`${processor}, ${processors} processors, Node ${node}, load ${load.toFixed(1)}`);

  const bench = await Bench.prepare(isQuick ? quick : full);
  const figures: Figure[] = [];
  const failures: { case: string; message: string }[] = [];
  for (const { name, title, figures: measure } of chosen) {
    console.log(`\n${name}: ${title} (at ${seconds()} s)\n${tableHead}`);
    try {
      for await (const figure of measure(bench)) {
        figures.push(figure);
        console.log(tableRow(figure));
      }
    } catch (error) {
      failures.push({ case: name, message: error instanceof Error ? error.message : String(error) });
      console.log(`  could not be measured: ${error instanceof Error ? error.stack : error}`);
    }
  }

  const durationMs = Math.round(performance.now() - startMs);
  const report: Report = { format: 1, startTime, durationMs, isQuick, machine, figures, failures };
  const file = output ?? join(outputFolder, `${startTime.replaceAll(':', '-')}.json`);
  writeFileSync(file, `${JSON.stringify(report, undefined, 2)}\n`);
  const missed = figures.filter(({ isMet }) => isMet === false).length;
  const aims = figures.filter(({ aim }) => aim !== undefined).length;
  console.log(`\n${aims - missed} of ${aims} aims met, in ${seconds()} s; all figures are in ${file}`);
  return failures.length === 0 ? 0 : 1;
}

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: [] },
    quick: { type: 'boolean', default: false },
    output: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
const unknown = values.only.filter((name) => !cases.some((each) => each.name === name));
if (values.help) console.log(help);
else if (unknown.length > 0) {
  console.error(`There is no case ${unknown.join(', ')}. Cases: ${cases.map(({ name }) => name).join(', ')}.`);
  process.exitCode = 64;
} else {
  const chosen = values.only.length === 0 ? cases : cases.filter(({ name }) => values.only.includes(name));
  process.exitCode = await run(chosen, values.quick, values.output);
}
