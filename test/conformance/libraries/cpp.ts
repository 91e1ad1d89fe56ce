/** The C++ client. */
import { doesNotMatch, equal, match, rejects } from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { examples, type Library, lack, root, run, walkthrough } from '../library.js';

const folder = join(root, 'clients/cpp');
const build = join(folder, 'build');
const jobs = String(availableParallelism());

/** All that is written by hand. */
const sources = ['sh', '-c', 'find include src tests examples conformance -name "*.h" -o -name "*.cc"'];

/** A project of somebody who has installed the package, and these components of it. */
const project = (components: readonly string[]) => `cmake_minimum_required(VERSION 3.25)
project(example CXX)
find_package(wifi_direct_gateway 0.1 REQUIRED COMPONENTS ${components.join(' ')})
add_executable(example main.cc)
target_link_libraries(example PRIVATE wifi_direct_gateway::wifi_direct_gateway)
${components.map((name) => `target_link_libraries(example PRIVATE wifi_direct_gateway::${name})`).join('\n')}
`;

const installed = (name: string) => lack(name, ['pkg-config', '--modversion', name], [0, 0]);

export const cpp: Library = {
  language: 'C++',
  lacks:
    lack('g++', ['g++', '-dumpfullversion'], [12, 0]) ??
    lack('CMake', ['cmake', '--version'], [3, 25]) ??
    lack('clang-format', ['clang-format', '--version'], [14, 0]) ??
    lack('clang-tidy', ['clang-tidy', '--version'], [14, 0]) ??
    lack('grpc_cpp_plugin of gRPC', ['sh', '-c', 'command -v grpc_cpp_plugin && echo 1.0'], [1, 0]) ??
    lack('gRPC for C++', ['pkg-config', '--modversion', 'grpc++'], [1, 51]) ??
    installed('gmock') ??
    installed('nlohmann_json'),
  prepare: async () => {
    await run(folder, ['cmake', '--preset', 'development']);
    await run(folder, ['cmake', '--build', '--preset', 'development', '--parallel', jobs]);
  },
  apiReports: [{ file: 'clients/cpp/api-report.txt', make: declarations }],
  agents: [{ name: 'C++', command: [join(build, 'conformance')] }],
  checks: [
    {
      name: 'clang-format and clang-tidy have nothing to say',
      run: async () => {
        const files = (await run(folder, sources)).trim().split('\n');
        await run(folder, ['clang-format', '--dry-run', '--Werror', ...files]);
        const linted = `${folder}/(src|examples|conformance)/.*`;
        await run(folder, ['run-clang-tidy', '-quiet', '-j', jobs, '-p', build, linted]);
      },
    },
    {
      name: 'its own tests pass',
      run: async () => match(await run(folder, ['ctest', '--preset', 'development']), /^100% tests passed/m),
    },
    {
      name: 'the example of its README is built against the installed package, and runs',
      run: async ({ address, scratch }) => {
        const [example = ''] = await examples(folder, 'cpp', address);
        await install(scratch, 'wifi_direct_gateway');
        const told = await runProgram(scratch, example);
        match(told, /^02:11:22:33:44:01 Meeting Room Display$/m);
        match(told, /^open on the interface [0-9a-f-]{36}\nclosed, as seen by DISCONNECT_EVIDENCE_[A-Z_]+$/m);
        match(told, /SESSION_EVENT_TYPE_CLOSED\n$/);
      },
    },
    {
      name: 'the stubs of the simulator are a component of their own, made and installed only where it is asked for',
      run: async ({ address, scratch }) => {
        await run(folder, ['cmake', '-S', '.', '-B', join(scratch, 'usual')]);
        const targets = await run(scratch, ['cmake', '--build', 'usual', '--target', 'help']);
        match(targets, /\bwifi_direct_gateway\b/);
        doesNotMatch(targets, /simulator/);
        const [, example = ''] = await examples(folder, 'cpp', address);
        await install(scratch, 'wifi_direct_gateway');
        equal(await run(scratch, ['find', 'installed', '-name', '*simulator*']), '');
        await rejects(runProgram(scratch, example, 'simulator'), /The component simulator is not installed/);
        await install(scratch, 'simulator');
        match(await runProgram(scratch, example, 'simulator'), /^simulated 02:11:22:33:44:01$/m);
      },
    },
    {
      name: 'its walkthrough ends with "ok"',
      run: async ({ address }) => match(await run(build, ['./walkthrough', address]), walkthrough),
    },
  ],
};

/**
 * The public headers without comments. Private members are in it: they decide the layout, and with
 * it the ABI.
 */
async function declarations(): Promise<string> {
  const headers = (await readdir(join(folder, 'include/wifidirect'))).filter((name) => name.endsWith('.h')).sort();
  // As already preprocessed, so that nothing is included and only the comments go.
  const bare = ['g++', '-fpreprocessed', '-dD', '-E', '-P', '-w', '-x', 'c++'];
  const parts = headers.map(async (name) => {
    const text = await run(folder, [...bare, `include/wifidirect/${name}`]);
    return `// wifidirect/${name}\n${text.trim()}\n`;
  });
  return (await Promise.all(parts)).join('\n');
}

/** Installs a component of what was built into a folder of the scratch. */
async function install(scratch: string, component: string): Promise<void> {
  const prefix = ['--prefix', join(scratch, 'installed')];
  await run(folder, ['cmake', '--install', build, '--component', component, ...prefix]);
}

/** Builds and runs a program on what is installed, to what it wrote. */
async function runProgram(scratch: string, main: string, ...components: readonly string[]): Promise<string> {
  await writeFile(join(scratch, 'CMakeLists.txt'), project(components));
  await writeFile(join(scratch, 'main.cc'), main);
  const style = `--style=file:${join(folder, '.clang-format')}`;
  equal(await run(scratch, ['clang-format', style, '--dry-run', '--Werror', 'main.cc']), '');
  await run(scratch, ['cmake', '-S', '.', '-B', 'build', `-DCMAKE_PREFIX_PATH=${join(scratch, 'installed')}`]);
  await run(scratch, ['cmake', '--build', 'build']);
  return run(scratch, ['build/example']);
}
