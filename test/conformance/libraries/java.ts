/** The Java client. */
import { deepEqual, match, ok } from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { examples, type Library, lack, root, run, walkthrough } from '../library.js';

const folder = join(root, 'clients/java');
const target = join(folder, 'client/target');
const jar = join(target, 'wifi-direct-gateway-client-0.1.0.jar');
const simulatorJar = join(folder, 'simulator/target/wifi-direct-gateway-simulator-0.1.0.jar');
const agent = join(target, 'agent.args');

/** Maven colours the end of its output even where nobody sees colours. */
const maven = async (...args: readonly string[]): Promise<string> =>
  stripVTControlCharacters(await run(folder, ['mvn', '--batch-mode', '--no-transfer-progress', ...args]));

/** What the jar needs to run, by its own POM. */
const dependencies = () => readFile(join(target, 'classpath'), 'utf8');

export const java: Library = {
  language: 'Java',
  lacks: lack('a JDK', ['javac', '--full-version'], [17, 0]) ?? lack('Maven', ['mvn', '--version'], [3, 8]),
  prepare: async () => {
    const classpath = ['dependency:build-classpath', '-DincludeScope=runtime', '-Dmdep.outputFile=target/classpath'];
    await maven('--quiet', '-DskipTests', 'package', ...classpath);
    const all = [jar, join(target, 'test-classes'), await dependencies()].join(delimiter);
    await writeFile(
      agent,
      `-XX:TieredStopAtLevel=1 -XX:+UseSerialGC\n-cp "${all}"\nio.github.wifidirectgateway.conformance.Agent\n`,
    );
  },
  apiReports: [{ file: 'clients/java/api-report.txt', make: declarations }],
  agents: [{ name: 'Java', command: ['java', `@${agent}`] }],
  checks: [
    {
      name: 'its format is that of palantir-java-format, and javac has nothing to say',
      run: async () => {
        await maven('--quiet', 'spotless:check', 'test-compile');
      },
    },
    {
      name: 'its own tests pass',
      run: async () => match(await maven('test'), /Tests run: \d+, Failures: 0, Errors: 0, Skipped: 0/),
    },
    {
      name: 'its jar has the library, the messages and the licence, and nothing else',
      run: () =>
        hasOnly(jar, /^([A-Z]|package-info\.class$|v1\/)/, 'GatewayClient', 'v1/Session', 'v1/SessionServiceGrpc'),
    },
    {
      name: 'the stubs of the simulator are a jar of their own',
      run: async ({ address, scratch }) => {
        await hasOnly(simulatorJar, /^simulator\/v1\//, 'simulator/v1/SimulatorServiceGrpc');
        const [, example = ''] = await examples(folder, 'java', address);
        match(await runProgram(scratch, example, jar, simulatorJar), /^simulated 02:11:22:33:44:01$/m);
      },
    },
    {
      name: 'the example of its README runs on the jar',
      run: async ({ address, scratch }) => {
        const [example = ''] = await examples(folder, 'java', address);
        const told = await runProgram(scratch, example, jar);
        match(told, /^02:11:22:33:44:01 Meeting Room Display$/m);
        match(told, /^open on the interface [0-9a-f-]{36}\nclosed, as seen by DISCONNECT_EVIDENCE_[A-Z_]+$/m);
        match(told, /SESSION_EVENT_TYPE_CLOSED\n$/);
      },
    },
    {
      name: 'its walkthrough ends with "ok"',
      run: async ({ address }) =>
        match(
          await maven('--quiet', '--projects', 'client', 'test-compile', 'exec:java', `-Dexec.args=${address}`),
          walkthrough,
        ),
    },
  ],
};

/**
 * What `javap` tells of the classes that a program can name, without those generated from the
 * contract.
 */
async function declarations(): Promise<string> {
  const classes = [
    ...(await run(folder, ['jar', 'tf', jar])).matchAll(/^(io\/github\/wifidirectgateway\/[A-Z].*)\.class$/gm),
  ]
    .map(([, path = '']) => path.replaceAll('/', '.'))
    .sort();
  const told = await run(folder, ['javap', '-protected', '-constants', '-cp', jar, ...classes]);
  const blocks = told.split(/^Compiled from .*\n/m).slice(1);
  const named = classes.map((name, index) => ({ name, block: blocks[index] ?? '' }));
  const hidden = named.filter(({ block }) => !/^(public|protected) /.test(block)).map(({ name }) => name);
  // A class inside a hidden one is as hidden.
  const isHidden = (name: string) => hidden.some((one) => name === one || name.startsWith(`${one}$`));
  return named
    .filter(({ name }) => !isHidden(name))
    .map(({ block }) => block)
    .join('\n');
}

/**
 * Whether a jar has these classes and the licence, and of the library's packages only what matches.
 */
async function hasOnly(archive: string, allowed: RegExp, ...classes: readonly string[]): Promise<void> {
  const names = (await run(folder, ['jar', 'tf', archive])).split('\n').filter((name) => /[^/]$/.test(name));
  ok(names.includes('META-INF/LICENSE'));
  const own = 'io/github/wifidirectgateway/';
  for (const name of classes) ok(names.includes(`${own}${name}.class`), name);
  const isAllowed = (name: string) =>
    name.startsWith('META-INF/') || (name.startsWith(own) && allowed.test(name.slice(own.length)));
  deepEqual(
    names.filter((name) => !isAllowed(name)),
    [],
  );
}

/** Runs a program on these jars and what they need, to what it wrote. */
async function runProgram(scratch: string, main: string, ...jars: readonly string[]): Promise<string> {
  await writeFile(join(scratch, 'Main.java'), main);
  return run(scratch, ['java', '-cp', [...jars, await dependencies()].join(delimiter), 'Main.java']);
}
