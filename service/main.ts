/** `wfdd`: reads the config, loads the native library, composes the rooms, serves, drains on a signal. It decides nothing. */
import { readFileSync } from 'node:fs';
import { nativeCallsUnderWay } from '../native/library.js';
import { EXIT, readCommandLine } from './config/command-line.js';
import type { LoadedConfig } from './config/load.js';
import { tellStartFailure } from './config/start-failure.js';
import type { TokenChoice } from './config/token-command.js';
import { root } from './root.js';
import { createLog, type Log } from './telemetry/log.js';

async function main(): Promise<void> {
  const { version } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as {
    version: string;
  };
  const plan = await readCommandLine(process.argv.slice(2), {
    environment: process.env,
    platform: process.platform,
    folder: process.cwd(),
    version,
    examineFiles: async (config, file) => (await import('./named-files.js')).examineFiles(config, file),
  });
  if (plan.kind === 'answer') return answer(plan);
  if (plan.kind === 'token') return createToken(plan.choice);
  if (plan.kind === 'service') {
    const { controlService } = await import('./windows-service/commands.js');
    return answer(await controlService(plan.command, (text) => process.stderr.write(text)));
  }
  if (plan.kind === 'service-run') {
    const { runAsService } = await import('./windows-service/run.js');
    const host = async (loaded: LoadedConfig, log: Log) => {
      announce(log, loaded, version);
      const { Daemon } = await import('./daemon.js');
      return Daemon.compose(loaded.config, version, log);
    };
    return runAsService(plan.run, { host, end });
  }
  const log = await createLog(plan.loaded.config.log);
  announce(log, plan.loaded, version);
  process.on('uncaughtException', (error) => {
    log.error('crashed', 'An error that nothing caught; the process ends.', { err: error });
    end(EXIT.internal);
  });

  let signals = 0;
  try {
    const { Daemon } = await import('./daemon.js');
    const daemon = await Daemon.compose(plan.loaded.config, version, log);
    const stop = (signal: NodeJS.Signals) => {
      signals += 1;
      if (signals > 1) {
        log.warn('stop-forced', 'A second signal: the process ends at once.', { signal });
        end(EXIT.internal);
      }
      log.info('stopping', `${signal} received: sessions are closed, then the process ends.`, { signal });
      daemon.stop().then((isClean) => end(isClean ? 0 : EXIT.internal));
    };
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGBREAK', 'SIGHUP'] as const) process.on(signal, stop);
    await daemon.start();
  } catch (error) {
    end(tellStartFailure(log, error));
  }
}

function answer({ text, to, exitCode }: { text: string; to: 'stdout' | 'stderr'; exitCode: number }): void {
  process[to].write(text);
  process.exitCode = exitCode;
}

/** What may be kept to the standard output, what may not to the standard error: `>> tokens.yaml` then keeps no secret. */
async function createToken({ principal, expires, json }: TokenChoice): Promise<void> {
  const { newToken, tokenEntry } = await import('./access/new-token.js');
  const now = Date.now();
  const expireTimeMs = expires === undefined || 'atMs' in expires ? expires?.atMs : now + expires.inMs;
  try {
    const made = newToken(principal, expireTimeMs, now);
    if (json) return answer({ text: `${JSON.stringify(made, null, 2)}\n`, to: 'stdout', exitCode: EXIT.ok });
    process.stderr.write(`The token of ${principal}, shown this once:\n${made.token}\n`);
    answer({ text: tokenEntry(made), to: 'stdout', exitCode: EXIT.ok });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    answer({ text: `error: ${error.message}\n`, to: 'stderr', exitCode: EXIT.usage });
  }
}

function announce(log: Log, { file, warnings }: LoadedConfig, version: string): void {
  log.info('starting', `wfdd ${version} on Node ${process.version}.`, { version, node: process.version, config: file });
  for (const { path, message, remedy } of warnings)
    log.warn('config-warning', `${path}: ${message} ${remedy}`, { path });
}

/** `process.exit` would wait for a native call that hangs; killing oneself does not. */
function end(code: number): void {
  if (nativeCallsUnderWay() === 0) process.exit(code);
  process.kill(process.pid, 'SIGKILL');
}

await main();
