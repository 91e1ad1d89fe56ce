/** Checks of the daemon itself: configuration, files, ports, process. */
import type { X509Certificate } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { createServer } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { addressFailure, readExcludedPorts } from '../commands/start-failure.js';
import { chooseDriver } from '../config/driver.js';
import { type ListenAddress, parseListenAddress } from '../config/listen.js';
import { ConfigError, describeProblem } from '../config/problem.js';
import { type Config, makeConfig } from '../config/schema.js';
import { examineProtection } from '../files/file-protection.js';
import { expiryOf } from '../tls/certificate-time.js';
import { certificatesIn } from '../tls/pem.js';
import { foldersOf } from '../windows-service/folders.js';
import { serviceSid } from '../windows-service/installation.js';
import { type Check, type Finding, failed, ok, timed, together, warning } from './check.js';
import type { DoctorHost } from './host.js';

/** The configuration, or the defaults if it is invalid. */
export function configOf({ loaded }: DoctorHost): Config {
  return loaded instanceof ConfigError ? makeConfig() : loaded.config;
}

export const configuration: Check = {
  id: 'configuration',
  title: 'Configuration',
  run: async ({ loaded }) => {
    if (loaded instanceof ConfigError) {
      return failed(loaded.message.trim(), 'Fix the configuration. wfdd config check reports the same problems.');
    }
    const file = loaded.file ?? 'no file, defaults';
    const [first, ...others] = loaded.warnings;
    if (first === undefined) return ok(`Valid (${file}).`);
    const seen = `Valid (${file}), with warnings: ${[first, ...others].map(describeProblem).join(' ')}`;
    return warning(seen, 'Each warning names its remedy.');
  },
};

export const certificates: Check = {
  id: 'certificates',
  title: 'Certificates',
  run: async (host) => {
    const { certFile, clientCaFile } = configOf(host).tls;
    if (certFile === null) return ok('TLS is off.');
    const named = [['tls.certFile', certFile] as const, ['tls.clientCaFile', clientCaFile] as const];
    return together(
      named.flatMap(([key, file]) => (file === null ? [] : examineCertificates(key, file, host.nowMs()))),
    );
  },
};

function examineCertificates(key: string, file: string, nowMs: number): Finding[] {
  let found: readonly X509Certificate[];
  try {
    found = certificatesIn(readFileSync(file, 'latin1'));
  } catch (error) {
    return [failed(`${key}: ${(error as Error).message}`, `Set ${key} to a readable file with certificates.`)];
  }
  return found.map((certificate) => {
    const name = certificate.subject?.replaceAll('\n', ', ') || 'a certificate without a name';
    const { state, text } = expiryOf(certificate, nowMs);
    const seen = `${key}: ${name} ${text}.`;
    if (state === 'good') return ok(seen);
    if (state === 'soon') return warning(seen, 'Renew it and replace the file. The daemon reloads it.');
    const help =
      state === 'early' ? 'Check the clock of this host.' : 'Renew it. Until then nobody can connect with it.';
    return failed(seen, help);
  });
}

export const ports: Check = {
  id: 'ports',
  title: 'Listen addresses',
  run: async (host) => {
    const { listen, metrics } = configOf(host);
    const addresses = [...listen, ...(metrics.listen === null ? [] : [metrics.listen])];
    const isRunning = (await host.windows?.service(host.service))?.state === 'running';
    return together(await Promise.all(addresses.map((address) => examineAddress(address, host, isRunning))));
  },
};

async function examineAddress(address: string, host: DoctorHost, isRunning: boolean): Promise<Finding> {
  const error = await bindError(parseListenAddress(address));
  if (error === undefined) return ok(`${address} is available.`);
  if (error.code === 'EADDRINUSE' && isRunning)
    return ok(`${address} is in use, because the service ${host.service} is running.`);
  const ranges = () => (host.platform === 'win32' ? readExcludedPorts() : Promise.resolve([]));
  const { message } = await addressFailure(address, error, { platform: host.platform, excludedPorts: ranges });
  if (error.code !== 'EADDRINUSE') return failed(message, 'Change listen, or free the address.');
  return warning(message, 'If that program is wfdd itself, nothing is wrong.');
}

function bindError(address: ListenAddress): Promise<NodeJS.ErrnoException | undefined> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', resolve);
    const done = () => server.close(() => resolve(undefined));
    if (address.kind === 'tcp') server.listen(address.port, address.host, done);
    else server.listen(address.kind === 'unix' ? address.path : `\\\\.\\pipe\\${address.name}`, done);
  });
}

export const clock: Check = {
  id: 'clock',
  title: 'Clock',
  run: async ({ nowMs, builtMs, windows }) => {
    const now = new Date(nowMs()).toISOString();
    if (nowMs() < builtMs) {
      const seen = `The clock shows ${now}, which is before this program was built.`;
      return failed(seen, 'Set the clock. The validity of certificates and tokens depends on it.');
    }
    const key = 'SYSTEM\\CurrentControlSet\\Services\\W32Time\\Parameters';
    const type = await windows?.registry(key, 'Type');
    if (type !== 'NoSync') return ok(`The clock shows ${now}.`, { synchronised: type });
    const help = 'Enable time synchronization: w32tm /config /syncfromflags:manual /manualpeerlist:SERVER /update';
    return warning(`The clock shows ${now}, and is not synchronized (W32Time Type is NoSync).`, help);
  },
};

/** How many pool threads are blocked, and for how long. */
const POOL_TRIED = 8;
const POOL_HELD_MS = 200;

export const runtime: Check = {
  id: 'runtime',
  title: 'Node and its thread pool',
  run: async (host) => {
    const held = () => Promise.all(Array.from({ length: POOL_TRIED }, () => host.blockThread(POOL_HELD_MS)));
    const { ms } = await timed(held);
    const { UV_THREADPOOL_SIZE: size } = host.environment;
    const facts = { node: process.version, libuv: process.versions.uv, UV_THREADPOOL_SIZE: size, poolMs: ms };
    const seen = `Node ${process.version}, libuv ${process.versions.uv}; ${POOL_TRIED} calls of ${POOL_HELD_MS} ms took ${ms} ms.`;
    // If it took twice as long, half of the calls had to wait for a thread.
    if (ms < 2 * POOL_HELD_MS) return ok(seen, facts);
    const help = 'Start wfdd with wfdd.cmd, set UV_THREADPOOL_SIZE=16 before it starts, or reduce the processor load.';
    return warning(`${seen} Native calls have to wait for each other.`, help, facts);
  },
};

export const account: Check = {
  id: 'account',
  title: 'Account',
  run: async (host) => {
    const { windows, service, isService, loaded } = host;
    const { username } = userInfo();
    if (windows === undefined) return ok(`The process runs as ${username}.`);
    const sids = { administrators: 'S-1-5-32-544', LocalService: 'S-1-5-19', LocalSystem: 'S-1-5-18' };
    const has = Object.entries(sids).filter(([, sid]) => windows.hasSid(sid) === true);
    const facts = { username, has: has.map(([name]) => name), serviceSid: windows.hasSid(serviceSid(service)) };
    const who = `The process runs as ${username}${has.length > 0 ? ` (${has.map(([name]) => name).join(', ')})` : ''}`;
    if (!isService) return ok(`${who}, in a console. Use --as-service to check as the service.`, facts);
    if (facts.serviceSid !== true) {
      const help = `Restart Windows, or install with --account "NT SERVICE\\${service}".`;
      return failed(`${who}, without the SID of the service ${service}.`, help, facts);
    }
    const file = loaded instanceof ConfigError ? undefined : loaded.file;
    const { logs } = foldersOf(service, host.environment);
    const wrong = [...whyNot(() => probe(logs)), ...(file === undefined ? [] : whyNot(() => readFileSync(file)))];
    if (wrong.length === 0) return ok(`${who}. It has the SID of the service and can write its log.`, facts);
    return failed(
      `${who}: ${wrong.join(' ')}`,
      'Run wfdd service install again. It resets the permissions of the folder.',
      facts,
    );
  },
};

function probe(folder: string): void {
  const file = join(folder, `doctor-${process.pid}.tmp`);
  closeSync(openSync(file, 'w'));
  rmSync(file);
}

function whyNot(act: () => unknown): string[] {
  try {
    act();
    return [];
  } catch (error) {
    return [(error as Error).message];
  }
}

const FREE_BYTES_MIN = 64 * 2 ** 20;
const FREE_BYTES_GOOD = 2 ** 30;
const FLUSH_MS_GOOD = 100;
const FLUSHES = 8;

export const journal: Check = {
  id: 'journal',
  title: 'Journal',
  run: async (host) => {
    const configured = configOf(host).journal.folder;
    const { journal: ofService } = foldersOf(host.service, host.environment);
    const folder = configured ?? (host.windows !== undefined && host.isService ? ofService : null);
    if (folder === null) return ok('No journal is configured, so events are lost at a restart.');
    let measured: { readonly freeBytes: number; readonly flushMs: number };
    try {
      const { bavail, bsize } = statfsSync(folder);
      measured = { freeBytes: bavail * bsize, flushMs: slowestFlushMs(folder) };
    } catch (error) {
      const help = 'Create the folder, and give the account of the daemon write access.';
      return failed(`Cannot write to ${folder}: ${(error as Error).message}`, help);
    }
    return together([...judgeDisk(folder, measured), ...exposures(folder, host)], measured);
  },
};

/** Whether a disk is suitable for the journal. */
export function judgeDisk(folder: string, { freeBytes, flushMs }: { freeBytes: number; flushMs: number }): Finding[] {
  const freeMib = Math.floor(freeBytes / 2 ** 20);
  const seen = `${folder} has ${freeMib} MiB free; the slowest of ${FLUSHES} flushes took ${flushMs} ms.`;
  if (freeBytes < FREE_BYTES_MIN) return [failed(seen, 'Free disk space, or move journal.folder.')];
  if (freeBytes < FREE_BYTES_GOOD) return [warning(seen, 'Free disk space. The journal stops when the disk is full.')];
  if (flushMs <= FLUSH_MS_GOOD) return [ok(seen)];
  return [warning(seen, 'Exclude the folder from virus scans, or move it to a faster disk.')];
}

function exposures(folder: string, { windows }: DoctorHost): Finding[] {
  const found = examineProtection(folder, false, windows && ((path) => windows.descriptorOf(path)));
  return [...found].map(({ severity, message, remedy }) =>
    severity === 'error' ? failed(message, remedy) : warning(message, remedy),
  );
}

function slowestFlushMs(folder: string): number {
  const file = join(folder, `doctor-${process.pid}.tmp`);
  const descriptor = openSync(file, 'w');
  try {
    const each = Array.from({ length: FLUSHES }, () => {
      const startMs = performance.now();
      writeSync(descriptor, Buffer.alloc(4096));
      fsyncSync(descriptor);
      return performance.now() - startMs;
    });
    return Math.round(Math.max(...each));
  } finally {
    closeSync(descriptor);
    rmSync(file);
  }
}

/** Whether the configuration selects simulated devices. */
export function isSimulated(config: Config, platform: NodeJS.Platform): boolean {
  return chooseDriver(config, platform).kind !== 'wlanapi';
}
