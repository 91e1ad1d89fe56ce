/** The Go client. */
import { deepEqual, equal, match } from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stale } from '../generated.js';
import { examples, type Library, lack, root, run, walkthrough } from '../library.js';

const folder = join(root, 'clients/go');
const agent = join(root, 'dist/test/conformance/agents/go');
const module = 'github.com/wifi-direct-gateway/wifi-direct-gateway/clients/go';
/** All that is written by hand. */
const packages = ['./wifidirect', './internal/...', './examples/...'];

export const go: Library = {
  language: 'Go',
  lacks: lack('Go', ['go', 'version', '-C', folder], [1, 26]),
  prepare: async () => {
    await run(folder, ['go', 'build', '-o', agent, './internal/conformance']);
  },
  apiReports: [
    {
      file: 'clients/go/api-report.txt',
      make: async () => declarations(await run(folder, ['go', 'doc', '-all', './wifidirect'])),
    },
  ],
  agents: [{ name: 'Go', command: [agent] }],
  checks: [
    {
      name: 'generated code is fresh',
      run: async () => {
        deepEqual(await stale('clients/go/gen'), []);
        deepEqual(await stale('clients/go/simulator'), []);
      },
    },
    {
      name: 'the stubs of the simulator are a package that nothing else needs',
      run: async () => {
        await run(folder, ['go', 'build', './simulator']);
        const needed = (await run(folder, ['go', 'list', '-deps', ...packages])).split('\n');
        deepEqual(
          needed.filter((path) => path.startsWith(module) && path.includes('simulator')),
          [],
        );
      },
    },
    {
      name: 'gofmt, vet and staticcheck have nothing to say',
      run: async () => {
        equal(await run(folder, ['gofmt', '-l', 'wifidirect', 'internal', 'examples']), '');
        equal(await run(folder, ['go', 'vet', ...packages]), '');
        equal(await run(folder, ['go', 'tool', '-modfile=tools/go.mod', 'staticcheck', ...packages]), '');
      },
    },
    {
      name: 'its own tests pass',
      run: async () => match(await run(folder, ['go', 'test', './wifidirect']), /^ok/),
    },
    {
      name: 'its own tests pass with the oldest Go that it allows',
      run: async () => {
        const [, oldest = ''] = /^go (\d+\.\d+\.\d+)$/m.exec(await readFile(join(folder, 'go.mod'), 'utf8')) ?? [];
        // Simulated time is an experiment of this version.
        const inIt = ['env', `GOTOOLCHAIN=go${oldest}`, 'GOEXPERIMENT=synctest', 'go'];
        match(await run(folder, [...inIt, 'version']), new RegExp(` go${oldest.replaceAll('.', '\\.')} `));
        await run(folder, [...inIt, 'build', './...']);
        match(await run(folder, [...inIt, 'test', './wifidirect']), /^ok/);
      },
    },
    {
      name: 'the example of its README runs in a module of its own',
      run: async ({ address, scratch }) => {
        const [example = ''] = await examples(folder, 'go', address);
        const own = (await readFile(join(folder, 'go.mod'), 'utf8')).replace(module, 'example');
        await writeFile(
          join(scratch, 'go.mod'),
          `${own}\nrequire ${module} v0.0.0\n\nreplace ${module} => ${folder}\n`,
        );
        await writeFile(join(scratch, 'go.sum'), await readFile(join(folder, 'go.sum')));
        await writeFile(join(scratch, 'main.go'), example);
        equal(await run(scratch, ['gofmt', '-l', '.']), '');
        const told = await run(scratch, ['go', 'run', '.']);
        match(told, /^02:11:22:33:44:01 Meeting Room Display$/m);
        match(told, /^open on the interface [0-9a-f-]{36}\nclosed, as seen by (DEVICE|INTERFACE)_[A-Z_]+$/m);
        match(told, /^CLOSED\n$/m);
      },
    },
    {
      name: 'its walkthrough ends with "ok"',
      run: async ({ address }) =>
        match(await run(folder, ['go', 'run', './examples/walkthrough', address]), walkthrough),
    },
  ],
};

/** What `go doc -all` tells, without the documentation. */
function declarations(documentation: string): string {
  const lines = documentation.split('\n');
  const first = lines.findIndex((line) => /^(CONSTANTS|VARIABLES|FUNCTIONS|TYPES)$/.test(line));
  // Documentation is indented by four spaces, and what a type has by tabs.
  const isComment = (line: string) => /^ {4}/.test(line) || /^\t+\/\/ (?!Has unexported)/.test(line);
  const kept = lines.slice(first).filter((line) => !isComment(line));
  return `${kept
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim()}\n`;
}
