/** The Rust client. */
import { equal, match, ok, rejects } from 'node:assert/strict';
import { copyFile, cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { examples, type Library, lack, root, run, walkthrough } from '../library.js';

const folder = join(root, 'clients/rust');
/** Everything is built here, once. */
const target = join(folder, 'target');
const options = ['--quiet', '--locked', '--target-dir', target];
/**
 * For a program that uses the package: always here, as elsewhere it would be another package, built
 * and kept beside.
 */
const place = join(target, 'example');
const program = (name: string) => join(target, 'debug/examples', name);

export const rust: Library = {
  language: 'Rust',
  lacks: lack('Rust', ['cargo', '--version'], [1, 88]),
  prepare: async () => {
    await run(folder, ['cargo', 'build', ...options, '--examples']);
  },
  apiReports: [{ file: 'clients/rust/api-report.txt', make: () => run(folder, [program('api_report')]) }],
  agents: [{ name: 'Rust', command: [program('conformance')] }],
  checks: [
    {
      name: 'rustfmt, clippy and rustdoc have nothing to say',
      run: async () => {
        equal(await run(folder, ['cargo', 'fmt', '--check']), '');
        const clippy = ['cargo', 'clippy', ...options];
        await run(folder, [...clippy, '--lib', '--', '--deny', 'warnings']);
        await run(folder, [...clippy, '--all-targets', '--all-features', '--', '--deny', 'warnings']);
        // The examples with it, or all that it depends on would be looked at again, with other
        // features.
        const doc = ['cargo', 'doc', ...options, '--no-deps', '--all-features', '--lib', '--examples'];
        await run(folder, [...doc, '--config', 'build.rustdocflags=["--deny", "warnings"]']);
      },
    },
    {
      name: 'its own tests pass',
      run: async () => match(await run(folder, ['cargo', 'test', ...options]), /^test result: ok\. [1-9]/m),
    },
    {
      name: 'the examples of its README run on the package as it would be published, that of the simulator with its feature',
      run: async ({ address }) => {
        const holds = await publish();
        for (const name of ['LICENSE', 'README.md', 'proto/wifidirect/v1/session.proto', 'examples/walkthrough.rs']) {
          ok(holds.includes(`published/${name}\n`), name);
        }
        ok(!/conformance|target/.test(holds), holds);
        const [example = '', simulated = ''] = await examples(folder, 'rust', address);
        const told = await runProgram(example);
        match(told, /^02:11:22:33:44:01 Meeting Room Display$/m);
        match(told, /^open on the interface [0-9a-f-]{36}\nclosed, as seen by [A-Z]\w+$/m);
        match(told, /Closed\n$/);
        await rejects(runProgram(simulated), /gated behind the `simulator` feature/);
        match(await runProgram(simulated, 'simulator'), /^simulated 02:11:22:33:44:01$/m);
      },
    },
    {
      name: 'its walkthrough ends with "ok"',
      run: async ({ address }) => match(await run(folder, [program('walkthrough'), address]), walkthrough),
    },
  ],
};

/** Makes the package, and puts what is in it beside the example; its files. */
async function publish(): Promise<string> {
  await rm(place, { recursive: true, force: true });
  await mkdir(join(place, 'src'), { recursive: true });
  // A package must hold the contract itself; the README says the same to whoever publishes.
  const contract = join(folder, 'proto');
  await cp(join(root, 'proto'), contract, { recursive: true });
  try {
    const packed = ['--quiet', '--locked', '--offline', '--allow-dirty', '--no-verify', '--target-dir', place];
    await run(folder, ['cargo', 'package', ...packed]);
  } finally {
    await rm(contract, { recursive: true });
  }
  // As new files: in a package all are of 2006, and cargo tells by their time whether they have
  // changed.
  await run(place, ['sh', '-c', 'tar -xzmf package/*.crate && mv wifi-direct-gateway-* published']);
  return run(place, ['find', 'published', '-type', 'f']);
}

/**
 * Builds and runs a program of its own, to what it wrote. It has the dependencies that the tests
 * have: with others, all that they depend on would be built again.
 */
async function runProgram(main: string, ...features: readonly string[]): Promise<string> {
  const sections = (await readFile(join(folder, 'Cargo.toml'), 'utf8')).split(/^(?=\[)/m);
  const section = (name: string) => sections.find((text) => text.startsWith(`[${name}]`))?.trim() ?? '';
  const manifest = [
    '[package]\nname = "example"\nedition = "2024"\n',
    section('dev-dependencies').replace('dev-', ''),
    'futures-util = { version = "0.3", default-features = false }',
    `wifi-direct-gateway = { path = "published", features = ${JSON.stringify(features)} }\n`,
    section('profile.dev'),
  ];
  await writeFile(join(place, 'src/main.rs'), main);
  await writeFile(join(place, 'Cargo.toml'), manifest.join('\n'));
  await copyFile(join(folder, 'Cargo.lock'), join(place, 'Cargo.lock'));
  equal(await run(place, ['cargo', 'fmt', '--check', '--package', 'example']), '');
  return run(place, ['cargo', 'run', '--quiet', '--target-dir', target]);
}
