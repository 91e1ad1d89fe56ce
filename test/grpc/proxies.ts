/**
 * Proxies as processes, with the very configurations that the manual shows: only addresses and
 * timeouts are a test's own.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RawPeer } from '../harness/raw-peer.js';
import type { Lack } from '../windows/machine.js';

export interface ProxyKind {
  readonly name: string;
  readonly file: string;
  /** Of Debian. */
  readonly packageName: string;
  readonly isThere: boolean;
  readonly command: (file: string, folder: string) => readonly [string, ...string[]];
}

const configurations = new URL('../../../service/proxies/', import.meta.url);

export const proxyKinds: readonly ProxyKind[] = [
  {
    name: 'HAProxy',
    file: 'haproxy.cfg',
    packageName: 'haproxy',
    isThere: runs('haproxy', '-v'),
    command: (file) => ['haproxy', '-db', '-f', file],
  },
  {
    name: 'nginx',
    file: 'nginx.conf',
    packageName: 'nginx-light',
    isThere: runs('nginx', '-v'),
    command: (file, folder) => ['nginx', '-p', folder, '-c', file, '-e', 'stderr', '-g', 'daemon off;'],
  },
];

/** What is lacking of them, as `machine.ts` has it for the rest. */
export const lackingProxies: readonly Lack[] = proxyKinds.flatMap(({ name, isThere, packageName }) =>
  isThere ? [] : [{ what: `${name}, for the tests behind a proxy`, remedy: `apt-get install ${packageName}` }],
);

export class RunningProxy implements AsyncDisposable {
  readonly address: string;
  readonly #child: ChildProcess;
  readonly #folder: string;

  private constructor(address: string, child: ChildProcess, folder: string) {
    this.address = address;
    this.#child = child;
    this.#folder = folder;
  }

  /** Before the daemon at this address, with 60 s of silence shortened to so many seconds. */
  static async start({ file, command }: ProxyKind, upstream: string, silenceSeconds: number): Promise<RunningProxy> {
    const folder = mkdtempSync(join(tmpdir(), 'wfdd-proxy-'));
    const address = `127.0.0.1:${await freePort()}`;
    const text = readFileSync(new URL(file, configurations), 'utf8')
      .replaceAll('127.0.0.1:50050', address)
      .replaceAll('127.0.0.1:50051', upstream)
      .replaceAll('60s', `${silenceSeconds}s`);
    const path = join(folder, file);
    writeFileSync(path, text);
    const [program, ...args] = command(path, folder);
    const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr?.on('data', (chunk) => {
      said += chunk;
    });
    const killed = () => child.kill('SIGKILL');
    process.once('exit', killed);
    child.once('exit', () => process.removeListener('exit', killed));
    for (let peer = await RawPeer.connect(address); peer.isClosed; peer = await RawPeer.connect(address)) {
      if (child.exitCode !== null) throw new Error(`${program} ended with ${child.exitCode}: ${said}`);
    }
    return new RunningProxy(address, child, folder);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await ended;
    rmSync(this.#folder, { recursive: true });
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

function runs(command: string, flag: string): boolean {
  return spawnSync(command, [flag]).status === 0;
}
