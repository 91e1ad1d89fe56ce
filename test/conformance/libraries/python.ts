/** The Python client. */
import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stale } from '../generated.js';
import { examples, type Library, lack, root, run, walkthrough } from '../library.js';

const folder = join(root, 'clients/python');
const environment = join(folder, '.venv');
const program = join(environment, 'bin/python');

/** The oldest of each dependency that the package allows, by its name. */
async function floors(): Promise<Map<string, string>> {
  const project = await readFile(join(folder, 'pyproject.toml'), 'utf8');
  const [, list = ''] = /^dependencies = \[([^\]]*)\]/m.exec(project) ?? [];
  return new Map([...list.matchAll(/"([\w-]+)>=([\d.]+),<\d+"/g)].map(([, name = '', least = '']) => [name, least]));
}

export const python: Library = {
  language: 'Python',
  lacks: lack('Python (with venv)', ['python3', '-c', 'import ensurepip, sys; print(sys.version)'], [3, 11]),
  prepare: async () => {
    await run(folder, ['python3', 'tools/environments.py']);
  },
  apiReports: [{ file: 'clients/python/api-report.txt', make: () => run(folder, [program, 'tools/api_report.py']) }],
  agents: [
    { name: 'Python', command: [program, join(folder, 'conformance/blocking.py')] },
    { name: 'Python, asyncio', command: [program, join(folder, 'conformance/asynchronous.py')] },
  ],
  checks: [
    {
      name: 'generated code is fresh',
      run: async () => {
        deepEqual(await stale('clients/python/gen'), []);
        deepEqual(await stale('clients/python/simulator/gen'), []);
      },
    },
    {
      name: 'ruff and mypy have nothing to say',
      run: async () => {
        for (const tool of [['ruff', 'check'], ['ruff', 'format', '--check'], ['mypy']]) {
          await run(folder, [program, '-m', ...tool]);
        }
      },
    },
    {
      name: 'its own tests pass',
      run: async () => match(await run(folder, [program, '-m', 'pytest', '--quiet']), / passed in /),
    },
    {
      name: 'its own tests pass with the oldest dependencies that it allows, beside a common neighbour',
      run: async () => {
        const python = [join(folder, '.venv-floor/bin/python'), '-m'];
        const installed = await run(folder, [...python, 'pip', 'freeze']);
        const least = await floors();
        equal(least.size, 4);
        for (const [name, version] of least) ok(installed.includes(`${name}==${version}\n`), `${name} ${version}`);
        match(installed, /^opentelemetry-exporter-otlp-proto-grpc==/m);
        await run(folder, [...python, 'pip', 'check']);
        match(await run(folder, [...python, 'pytest', '--quiet']), / passed in /);
      },
    },
    {
      name: 'its wheel has both packages, typed, and nothing else',
      run: async ({ scratch }) => {
        const wheel = ['wheel', '--quiet', '--no-deps', '--no-build-isolation', '--wheel-dir', scratch, '.'];
        await run(folder, [program, '-m', 'pip', ...wheel]);
        const names = await run(scratch, ['sh', '-c', `"${program}" -m zipfile --list *.whl`]);
        for (const name of ['wifidirect_gateway/aio/client.py', 'wifidirect_gateway/py.typed', 'wifidirect/py.typed']) {
          ok(names.includes(name), name);
        }
        match(names, /^wifidirect\/v1\/session_pb2\.py /m);
        const rooms = new Set([...names.matchAll(/^(\w+)\//gm)].map(([, room]) => room));
        deepEqual(rooms, new Set(['wifidirect', 'wifidirect_gateway']));
        equal(names.includes('wifidirect/simulator'), false);
      },
    },
    {
      name: 'the stubs of the simulator are a wheel of their own, typed',
      run: async ({ scratch }) => {
        const wheel = ['wheel', '--quiet', '--no-deps', '--no-build-isolation', '--wheel-dir', scratch, './simulator'];
        await run(folder, [program, '-m', 'pip', ...wheel]);
        const names = await run(scratch, ['sh', '-c', `"${program}" -m zipfile --list *.whl`]);
        match(names, /^wifidirect\/simulator\/py\.typed /m);
        const modules = new Set([...names.matchAll(/^([\w/]+)\/[^/\n]+\.(?:py|pyi) /gm)].map(([, room]) => room));
        deepEqual(modules, new Set(['wifidirect/simulator/v1']));
        const stub = 'from wifidirect.simulator.v1 import simulator_service_pb2_grpc as g; g.SimulatorServiceStub';
        await run(scratch, ['sh', '-c', `"${program}" -m zipfile --extract *.whl . && "${program}" -c "${stub}"`]);
      },
    },
    {
      name: 'the examples of its README run',
      run: async ({ address, scratch }) => {
        const [blocking = '', asyncio = ''] = await examples(folder, 'python', address);
        const told = await run(scratch, [program, '-c', blocking]);
        match(told, /^02:11:22:33:44:01 Meeting Room Display$/m);
        match(told, /^open on the interface [0-9a-f-]{36}\nclosed, as seen by (DEVICE|INTERFACE)_[A-Z_]+$/m);
        match(told, /^CLOSED\n$/m);
        match(await run(scratch, [program, '-c', asyncio]), /^open on the interface [0-9a-f-]{36}\nevent \d+\n/);
      },
    },
    {
      name: 'its walkthrough ends with "ok"',
      run: async ({ address }) => match(await run(folder, [program, 'examples/walkthrough.py', address]), walkthrough),
    },
  ],
};
