/**
 * Tools that nobody here wrote, as the tests run them: `buf curl`, and those of the Go modules in
 * `tools/`, built once.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { root, run } from '../conformance/library.js';

const built = join(root, 'dist/test/contract/tools');

interface Told {
  readonly code: number;
  readonly output: string;
  readonly errors: string;
}

/** Minutes where the modules have never been built on this machine, a second afterwards. */
export async function buildTools(): Promise<void> {
  await run(join(root, 'test/contract/tools'), ['go', 'build', '-o', `${built}/`, 'tool']);
}

export const buf = tool(join(root, 'node_modules/.bin/buf'));
export const grpcurl = tool(join(built, 'grpcurl'));
export const ghz = tool(join(built, 'ghz'));
/** As its module is named; releases call it grpc_health_probe. */
export const probe = tool(join(built, 'grpc-health-probe'));

function tool(program: string): (...args: readonly string[]) => Promise<Told> {
  return async (...args) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const [output, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
    return { code, output, errors };
  };
}

/** JSON objects one after another, each begun by a brace in the first column. */
export function objects(told: string): Record<string, unknown>[] {
  return told
    .split(/\n(?=\{)/)
    .filter((one) => one.trim() !== '')
    .map((one) => JSON.parse(one));
}

/** The types of the events of an OpenSession stream, without their prefix. */
export function eventTypes(told: string): string[] {
  const events = objects(told).map(({ event }) => event as { readonly type: string });
  return events.map(({ type }) => type.replace('SESSION_EVENT_TYPE_', ''));
}
