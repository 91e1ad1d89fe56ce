/** The whole service process but for Windows and the daemon, which are played. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import * as svc from '../../native/winsvc.js';
import { EXIT } from '../../service/commands/command-line.js';
import type { LoadedConfig } from '../../service/config/load.js';
import { ConfigError } from '../../service/config/problem.js';
import { makeConfig } from '../../service/config/schema.js';
import { type Hosted, runAsService } from '../../service/windows-service/run.js';
import { fakeEventLog } from './fake-event-log.js';
import { fakeManager } from './fake-manager.js';

const loaded: LoadedConfig = {
  config: makeConfig({ shutdown: { graceMs: 0 } }),
  file: undefined,
  sources: new Map(),
  warnings: [],
};

/** Runs a service that hosts this, until it ends its process. */
function run(
  t: ExecutionContext,
  hosted: Partial<Hosted>,
  configuration: LoadedConfig | ConfigError = loaded,
  hasSid: boolean | undefined = true,
  journalFolder = join(tmpdir(), 'wfdd-run-has-no-journal'),
) {
  const logFolder = mkdtempSync(join(tmpdir(), 'wfdd-run-'));
  t.teardown(() => rmSync(logFolder, { recursive: true }));
  const manager = fakeManager();
  const { advapi32, reported } = fakeEventLog();
  const whole: Hosted = { start: async () => {}, stop: async () => true, resume: () => {}, ...hosted };
  let keeps: string | null | undefined;
  let end = (_code: number): void => {};
  const ended = new Promise<number>((resolve) => {
    end = resolve;
  });
  const runs = runAsService(
    { name: 'wfdd', loaded: configuration },
    {
      host: async ({ config }, logs) => {
        keeps = config.journal.folder;
        logs.audit.info('audit', 'agent called a.B/C: OK.', { principal: 'agent' });
        return whole;
      },
      end: (code) => end(code),
      diagnose: async () => {},
    },
    { advapi32: { ...manager.functions, ...advapi32 }, logFolder, journalFolder, hasSid: () => hasSid },
  );
  const states = () => manager.reports.map(({ dwCurrentState }) => dwCurrentState);
  const log = () => readFileSync(join(logFolder, 'wfdd.1.log'), 'utf8');
  const audit = () => readFileSync(join(logFolder, 'wfdd-audit.1.log'), 'utf8');
  return {
    ...manager,
    keeps: () => keeps,
    audit,
    events: () => reported.map(({ id }) => id),
    states,
    log,
    runs,
    ended,
  };
}

test.serial('it runs once the daemon serves, and stops when the daemon has', async (t) => {
  const did: string[] = [];
  const service = run(t, {
    start: async () => void did.push(`start while ${service.states()}`),
    stop: async () => did.push(`stop while ${service.states().at(-1)}`) > 0,
  });
  await service.runs;
  t.is(service.states().at(-1), svc.SERVICE_RUNNING);
  service.send(svc.SERVICE_CONTROL_STOP);
  service.send(svc.SERVICE_CONTROL_SHUTDOWN);
  t.is(await service.ended, EXIT.ok);
  t.deepEqual(did, [`start while ${svc.SERVICE_START_PENDING}`, `stop while ${svc.SERVICE_STOP_PENDING}`]);
  t.is(service.reports.at(-1)?.dwCurrentState, svc.SERVICE_STOPPED);
  t.is(service.reports.at(-1)?.dwWin32ExitCode, 0);
  t.regex(service.log(), /"event":"stopping"/);
  t.deepEqual(service.events(), [101]);
  // The audit has files of its own, which no other line can fill.
  t.regex(service.audit(), /^\{[^\n]*"event":"audit"[^\n]*\}\n$/);
  t.notRegex(service.log(), /"event":"audit"/);
});

test.serial('a stop that hangs ends the process all the same, and counts as no failure', async (t) => {
  const service = run(t, { stop: () => new Promise(() => {}) });
  await service.runs;
  service.send(svc.SERVICE_CONTROL_STOP);
  t.is(await service.ended, EXIT.ok);
  t.is(service.reports.at(-1)?.dwCurrentState, svc.SERVICE_STOPPED);
  t.is(service.reports.at(-1)?.dwWin32ExitCode, 0);
  t.true(Math.max(...service.reports.map(({ dwCheckPoint }) => dwCheckPoint)) > 3, 'it reported progress');
  t.deepEqual(service.events(), [101, 103]);
});

test.serial('a wrong configuration is told to Windows, the event log and the log', async (t) => {
  const problem = { path: 'listen', source: 'flag --listen', message: 'No.', remedy: 'Yes.' };
  const service = run(t, {}, new ConfigError([problem]));
  t.is(await service.ended, EXIT.config);
  t.is(service.reports.at(-1)?.dwServiceSpecificExitCode, EXIT.config);
  t.false(service.states().includes(svc.SERVICE_RUNNING));
  t.deepEqual(service.events(), [106]);
  t.regex(service.log(), /flag --listen/);
});

test.serial('a daemon that cannot start is a failure, so that Windows starts it again', async (t) => {
  const service = run(t, { start: () => Promise.reject(new Error('The address is taken.')) });
  t.is(await service.ended, EXIT.internal);
  t.is(service.reports.at(-1)?.dwCurrentState, svc.SERVICE_STOPPED);
  t.is(service.reports.at(-1)?.dwServiceSpecificExitCode, EXIT.internal);
  t.deepEqual(service.events(), [104]);
  t.regex(service.log(), /The address is taken/);
});

test.serial('after a sleep the daemon looks at everything anew', async (t) => {
  let resume = () => {};
  const resumed = new Promise<void>((resolve) => {
    resume = resolve;
  });
  const service = run(t, { resume: () => resume() });
  await service.runs;
  service.send(svc.SERVICE_CONTROL_POWEREVENT, svc.PBT_APMSUSPEND);
  service.send(svc.SERVICE_CONTROL_POWEREVENT, svc.PBT_APMRESUMEAUTOMATIC);
  await resumed;
  service.send(svc.SERVICE_CONTROL_STOP);
  await service.ended;
  t.deepEqual(service.events(), [110, 111, 101]);
});

test.serial(
  'a process without the SID of its service says so, with what helps, and runs by what it can read',
  async (t) => {
    const service = run(t, {}, loaded, false);
    await service.runs;
    t.is(service.states().at(-1), svc.SERVICE_RUNNING);
    t.true(service.events().includes(108));
    service.send(svc.SERVICE_CONTROL_STOP);
    await service.ended;
    t.regex(service.log(), /does not have the SID of the service wfdd.*Restart Windows, or install the service with/);
  },
);

test.serial('without the SID and without its configuration it does not run with less: it ends', async (t) => {
  const source = 'C:\\ProgramData\\wfdd\\config.yaml';
  const unreadable = new ConfigError([{ path: '', source, message: 'EACCES', remedy: 'Let it be read.' }]);
  const service = run(t, {}, unreadable, false);
  t.is(await service.ended, EXIT.config);
  t.deepEqual(service.events(), [108, 106]);
});

test.serial('where Windows does not say which SIDs it has, nothing is said of that', async (t) => {
  const service = run(t, {}, loaded, undefined);
  await service.runs;
  t.false(service.events().includes(108));
  service.send(svc.SERVICE_CONTROL_STOP);
  await service.ended;
});

test.serial(
  'it keeps its journal in its own folder, unless told another; without a folder it keeps none',
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'wfdd-run-journal-'));
    t.teardown(() => rmSync(folder, { recursive: true }));
    const other = { ...loaded, config: makeConfig({ journal: { folder: '/elsewhere' } }) };
    for (const [configuration, journalFolder, expected] of [
      [loaded, folder, folder],
      [other, folder, '/elsewhere'],
      [loaded, join(folder, 'none'), null],
    ] as const) {
      const service = run(t, {}, configuration, true, journalFolder);
      await service.runs;
      t.is(service.keeps(), expected);
      service.send(svc.SERVICE_CONTROL_STOP);
      await service.ended;
    }
  },
);
