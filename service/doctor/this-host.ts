/** The host that this process runs on. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { blockThread } from '../../native/host-facts.js';
import { loadLibraries, type NativeLibraries, windowsLibraryPaths } from '../../native/load.js';
import type { DoctorChoice, DoctorPlan } from '../commands/doctor.js';
import { chooseDriver } from '../config/driver.js';
import { ConfigError } from '../config/problem.js';
import { type Config, makeConfig } from '../config/schema.js';
import { root } from '../root.js';
import type { DoctorHost, SessionChild } from './host.js';

/** How long a link can take to come up or go down. */
const WATCH_MS = 30_000;

/** What the process knows about itself. */
export interface Self {
  readonly loaded: DoctorPlan['loaded'];
  readonly version: string;
  readonly environment: NodeJS.ProcessEnv;
}

export async function thisHost(
  choice: Pick<DoctorChoice, 'service' | 'endpoints' | 'open' | 'holdMs'>,
  { loaded, version, environment }: Self,
  isService: boolean,
): Promise<DoctorHost> {
  const config = loaded instanceof ConfigError ? makeConfig() : loaded.config;
  const { platform } = process;
  const driver = chooseDriver(config, platform);
  const startMs = Math.round(performance.now());
  const facts = platform === 'win32' ? (await import('./windows-host.js')).thisWindows(environment) : undefined;
  return {
    ...{ version, platform, environment, loaded, startMs, blockThread },
    native: librariesOf(driver),
    isSimulated: driver.kind !== 'wlanapi',
    service: choice.service,
    isService,
    windows: facts,
    nowMs: Date.now,
    builtMs: statSync(fileURLToPath(import.meta.url)).mtimeMs,
    endpoints: choice.endpoints,
    session:
      choice.open === undefined
        ? undefined
        : {
            address: choice.open,
            holdMs: choice.holdMs,
            watchMs: WATCH_MS,
            startChild: (address) => startChild(address, config),
          },
  };
}

function librariesOf(driver: ReturnType<typeof chooseDriver>): NativeLibraries {
  if (driver.kind === 'wlanapi') return loadLibraries(windowsLibraryPaths());
  const { library } = driver;
  return loadLibraries({ wlanapi: library, iphlpapi: library, cfgmgr32: library });
}

/** Starts another wfdd with the same driver, which opens the session. */
function startChild(address: string, { driver }: Config): SessionChild {
  const script = fileURLToPath(new URL('service/wfdd.cjs', root));
  const keys = Object.entries(driver).filter(([key, value]) => typeof value === 'string' && isOfLibrary(key));
  const set = keys.flatMap(([key, value]) => ['--set', `driver.${key}=${value}`]);
  const args = [script, ...set, 'doctor', '--is-child', '--open', address];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'], windowsHide: true });
  const exited = once(child, 'exit');
  const said = (async () => {
    for await (const line of createInterface(child.stdout)) {
      const [, code] = /^opened (\d+)$/.exec(line) ?? [];
      if (code !== undefined) return Number(code);
    }
    throw new Error('The child process ended before it opened a session.');
  })();
  return {
    opened: said,
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** The keys that select the library. Other driver settings do not matter to the child. */
function isOfLibrary(key: string): boolean {
  return key === 'kind' || key.endsWith('Library');
}
