/**
 * A daemon whose standard output is not read: a pipe, a terminal after Ctrl+S, a full disk. It
 * serves on, and stops in good order; a second signal ends it at once.
 */

import { type ChildProcess, execFileSync, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentials, type StatusObject, status } from '@grpc/grpc-js';
import test, { type ExecutionContext } from 'ava';
import { OpenSessionRequest } from '../../proto/gen/wifidirect/v1/session_service.js';
import { call } from '../harness/calls.js';
import { launcher } from '../harness/daemon.js';
import { HostServiceClient, SessionServiceClient } from '../harness/grpc-services.js';

const notPaired = '02:11:22:33:44:99';

interface Frozen {
  /** How the daemon is started with these arguments, so that its output is such a one. */
  start(args: readonly string[]): ChildProcess;
}

function folderFor(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'wfdd-frozen-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function startNode(t: ExecutionContext, args: readonly string[], stdio: StdioOptions): ChildProcess {
  const child = spawn(process.execPath, [launcher, ...args], { stdio });
  t.teardown(() => child.kill('SIGKILL'));
  return child;
}

const kinds: Readonly<Record<string, (t: ExecutionContext) => Frozen>> = {
  pipe: (t) => {
    const path = join(folderFor(t), 'fifo');
    execFileSync('mkfifo', [path]);
    const reading = openSync(path, constants.O_RDWR);
    const writing = openSync(path, 'w');
    t.teardown(() => {
      closeSync(reading);
      closeSync(writing);
    });
    return { start: (args) => startNode(t, args, ['ignore', writing, 'inherit']) };
  },
  socket: (t) => ({ start: (args) => startNode(t, args, ['ignore', 'pipe', 'inherit']) }),
  'full disk': (t) => {
    const full = openSync('/dev/full', 'a');
    t.teardown(() => closeSync(full));
    return { start: (args) => startNode(t, args, ['ignore', full, 'inherit']) };
  },
  terminal: (t) => ({
    start: (args) => {
      const command = [process.execPath, launcher, ...args].map((word) => `'${word}'`).join(' ');
      const stdio: StdioOptions = ['ignore', 'pipe', 'inherit'];
      const child = spawn('script', ['--quiet', '--flush', '--return', '--command', `exec ${command}`, '/dev/null'], {
        stdio,
      });
      t.teardown(() => child.kill('SIGKILL'));
      return child;
    },
  }),
};

/**
 * Opens that fail, each with some lines: 600 KB of log, more than the pipes and terminals of Linux
 * take.
 */
const OPENS = 400;

async function useIt(t: ExecutionContext, socket: string): Promise<void> {
  const sessions = new SessionServiceClient(`unix:${socket}`, credentials.createInsecure());
  t.teardown(() => sessions.close());
  const request = OpenSessionRequest.fromPartial({ deviceAddress: notPaired });
  const fail = async () => {
    const stream = sessions.openSession(request, { deadline: Date.now() + 30_000 });
    stream.on('error', () => {}).resume();
    const { code } = await new Promise<StatusObject>((resolve) => stream.once('status', resolve));
    return code === status.FAILED_PRECONDITION;
  };
  for (let failed = 0; failed < OPENS; ) {
    const outcomes = await Promise.all(Array.from({ length: 20 }, fail));
    failed += outcomes.filter(Boolean).length;
  }
}

/** The process itself, where something else started it. */
function pidOf(child: ChildProcess, kind: string): number {
  if (kind !== 'terminal') return child.pid ?? 0;
  const [pid = ''] = execFileSync('pgrep', ['--parent', String(child.pid)], { encoding: 'utf8' }).split('\n');
  return Number(pid);
}

/** Not one that has ended and is not yet reaped. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

async function untilServing(t: ExecutionContext, socket: string): Promise<void> {
  const host = new HostServiceClient(`unix:${socket}`, credentials.createInsecure());
  t.teardown(() => host.close());
  await call((...args: Parameters<typeof host.getHost>) => host.getHost(...args), {}, 60_000);
}

const posix = process.platform === 'win32' || !existsSync('/dev/full') ? test.skip : test.serial;

for (const [kind, make] of Object.entries(kinds)) {
  posix(`a ${kind} that takes nothing: calls are answered, SIGTERM stops in good order`, async (t) => {
    t.timeout(180_000);
    const socket = join(folderFor(t), 'wfdd.sock');
    const child = make(t).start(argumentsFor(socket));
    await untilThere(socket);
    await untilServing(t, socket);
    const pid = pidOf(child, kind);
    // As Ctrl+S does, this keeps the terminal from being read.
    if (kind === 'terminal') child.kill('SIGSTOP');
    await useIt(t, socket);
    const ended = once(child, 'exit') as Promise<[number | null, string | null]>;
    process.kill(pid, 'SIGTERM');
    while (isRunning(pid)) await new Promise((resolve) => setTimeout(resolve, 50));
    child.kill('SIGCONT');
    t.deepEqual(await ended, [0, null]);
  });
}

posix('a second signal ends it at once, whatever hangs', async (t) => {
  t.timeout(120_000);
  const socket = join(folderFor(t), 'wfdd.sock');
  const child = kinds['pipe']?.(t).start(argumentsFor(socket)) ?? t.fail();
  await untilThere(socket);
  await useIt(t, socket);
  const ended = once(child, 'exit') as Promise<[number | null, string | null]>;
  const startMs = performance.now();
  child.kill('SIGTERM');
  child.kill('SIGTERM');
  // The second may come before the first is seen; then another one is the second.
  const again = setInterval(() => child.kill('SIGTERM'), 50);
  t.teardown(() => clearInterval(again));
  const [code, signal] = await ended;
  // It kills itself where a native call is under way, which process.exit would wait for.
  t.true(code === 70 || signal === 'SIGKILL', `${code} ${signal}`);
  t.true(performance.now() - startMs < 30_000);
});

/** In a session of its own, with no terminal, as nohup and services start programs. */
posix('SIGHUP ends a daemon with no terminal no more than nohup wants', async (t) => {
  t.timeout(60_000);
  const folder = folderFor(t);
  const [socket, out] = [join(folder, 'wfdd.sock'), join(folder, 'nohup.out')];
  const writing = openSync(out, 'a');
  t.teardown(() => closeSync(writing));
  const child = startNode(t, argumentsFor(socket), ['ignore', writing, writing]);
  await untilThere(socket);
  child.kill('SIGHUP');
  await untilIn(out, 'hangup-ignored');
  await untilServing(t, socket);
  child.kill('SIGTERM');
  t.deepEqual(await once(child, 'exit'), [0, null]);
  t.regex(readFileSync(out, 'utf8'), /"event":"stopped"[^\n]*\n$/);
});

posix('SIGHUP of a terminal stops a daemon in good order', async (t) => {
  t.timeout(60_000);
  const socket = join(folderFor(t), 'wfdd.sock');
  const child = kinds['terminal']?.(t).start(argumentsFor(socket)) ?? t.fail();
  let shown = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    shown += chunk;
  });
  await untilThere(socket);
  await untilServing(t, socket);
  process.kill(pidOf(child, 'terminal'), 'SIGHUP');
  await once(child, 'close');
  t.regex(shown, /Received SIGHUP; closing all sessions[\s\S]*Stopped cleanly/);
});

function argumentsFor(socket: string): string[] {
  return ['--driver', 'simulator', '--listen', `unix:${socket}`, '--log-level', 'debug', '--log-format', 'json'];
}

async function untilThere(path: string): Promise<void> {
  while (!existsSync(path)) await new Promise((resolve) => setTimeout(resolve, 20));
}

async function untilIn(path: string, text: string): Promise<void> {
  while (!readFileSync(path, 'utf8').includes(text)) await new Promise((resolve) => setTimeout(resolve, 20));
}
