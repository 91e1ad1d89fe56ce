/**
 * `wfdd service` of the bundle, under Wine's own service control manager.
 *
 * The rule that must not be broken: Wine ends its services with the last other process of the
 * prefix, so one is kept running; and what is installed starts with every later Wine, so it is
 * uninstalled whatever happens.
 */

import { createHash } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { credentials } from '@grpc/grpc-js';
import type { ExecutionContext } from 'ava';
import type { GetHostResponse } from '../../proto/gen/wifidirect/v1/host_service.js';
import { OpenSessionRequest, WatchSessionsRequest } from '../../proto/gen/wifidirect/v1/session_service.js';
import { call } from '../harness/calls.js';
import { display, Opened, type OpenFields, Watcher } from '../harness/gateway.js';
import { HostServiceClient, SessionServiceClient } from '../harness/grpc-services.js';
import { World } from '../harness/world.js';
import { startModule, startNode } from './bundle.js';
import { hostPath, startUnderWine, type WindowsProcess } from './wine.js';

export interface Ran {
  readonly code: number;
  /** Both outputs together. */
  readonly output: string;
}

/** What `wfdd service status --json` says. */
export interface ServiceStatus {
  readonly isInstalled: boolean;
  readonly state: string;
  readonly processId?: number;
  readonly exitCode: number;
  readonly serviceExitCode: number;
  readonly checkPoint: number;
  readonly command: string;
}

export interface LogLine {
  readonly event: string;
  readonly [field: string]: unknown;
}

/**
 * What the service is installed with, so that a client can open a session and script how it goes.
 */
export const simulated = ['--listen', '127.0.0.1:0', '--driver', 'simulator', '--simulator-service'] as const;

/** A service of its own for each checkout, so that two of them can be tested on one machine. */
export const serviceName = `wfdd-test-${createHash('sha256')
  .update(import.meta.url)
  .digest('hex')
  .slice(0, 8)}`;

/** Where the service has its configuration and its log, as this machine sees it. */
const folder = hostPath(`C:\\ProgramData\\${serviceName}`);

let keeper: WindowsProcess | undefined;

/** Keeps Wine's services running, and takes away what a run that was broken off has left. */
export async function openServices(): Promise<void> {
  keeper = startNode('-e', "setInterval(() => {}, 60_000); console.log('ready')");
  await keeper.line((text) => text === 'ready');
  await uninstall();
}

export async function closeServices(): Promise<void> {
  await uninstall();
  await keeper?.close();
}

/** Takes the service away, with its folder. */
async function uninstall(): Promise<void> {
  await service('uninstall');
  rmSync(folder, { recursive: true, force: true });
}

/** Runs `wfdd service <verb>` to its end. */
export function service(verb: string, ...flags: string[]): Promise<Ran> {
  // The bundle under test is in no protected folder.
  const allowed = verb === 'install' ? ['--allow-unprotected'] : [];
  return serviceAsTyped(verb, ...allowed, ...flags);
}

/** The same, with nothing added. */
export function serviceAsTyped(verb: string, ...flags: string[]): Promise<Ran> {
  return ended(startNode('service/wfdd.cjs', 'service', verb, '--name', serviceName, ...flags));
}

/** `wfdd` of the bundle, run to its end. */
export function wfdd(...args: string[]): Promise<Ran> {
  return ended(startNode('service/wfdd.cjs', ...args));
}

/** Runs a program of Windows to its end. */
export function run(exe: string, ...args: string[]): Promise<Ran> {
  return ended(startUnderWine({ exe, args }));
}

export async function status(): Promise<ServiceStatus> {
  return JSON.parse((await service('status', '--json')).output);
}

/** Ends a process as the task manager does. */
export async function kill(processId: string): Promise<void> {
  await run('taskkill.exe', '/f', '/pid', processId);
}

/** Sends the service a control, from a program of its own; gives the code that came back. */
export async function control(dwControl: number): Promise<number> {
  const script = `
    import { loadAdvapi32 } from './native/advapi32.js';
    const advapi32 = loadAdvapi32();
    const { hSCManager } = await advapi32.OpenSCManagerW(1);
    const { hService } = await advapi32.OpenServiceW(hSCManager, '${serviceName}', 0x80);
    console.log((await advapi32.ControlService(hService, ${dwControl})).code);`;
  return Number((await ended(await startModule(script))).output);
}

/** The log of the service. */
export function log(): LogLine[] {
  const text = readFileSync(join(folder, 'logs', `${serviceName}.1.log`), 'utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

/** A remote client of the service that runs, with a session that is open. */
export async function openSession(
  t: ExecutionContext,
  fields: OpenFields = {},
): Promise<{ session: Opened; world: World }> {
  const address = addressServed();
  const client = new SessionServiceClient(address, credentials.createInsecure());
  const world = new World(address);
  const request = OpenSessionRequest.fromPartial({ deviceAddress: display, ...fields });
  const session = new Opened(client.openSession(request));
  t.teardown(() => {
    session.cancel();
    client.close();
    world.disconnect();
  });
  await session.event('OPENED');
  return { session, world };
}

/** What the service that runs says of its host. */
export async function getHost(t: ExecutionContext): Promise<GetHostResponse> {
  const client = new HostServiceClient(addressServed(), credentials.createInsecure());
  t.teardown(() => client.close());
  return call(client.getHost.bind(client), {});
}

/** A watch of the service that runs, from this cursor on. */
export function watchFrom(t: ExecutionContext, cursor: string): Watcher {
  const client = new SessionServiceClient(addressServed(), credentials.createInsecure());
  const watch = new Watcher(client.watchSessions(WatchSessionsRequest.fromPartial({ cursor })), { cursor });
  t.teardown(() => {
    watch.cancel();
    client.close();
  });
  return watch;
}

/** Where the service serves that was started last. */
function addressServed(): string {
  const serving = log().findLast(({ event }) => event === 'serving');
  const [address = ''] = (serving?.['addresses'] ?? []) as readonly string[];
  return address;
}

async function ended(program: WindowsProcess): Promise<Ran> {
  const code = await program.exited;
  await program.close();
  return { code, output: program.output() };
}
