/**
 * The life of the service under Wine's service control manager, as an operator and a remote client
 * see it: twice, since once proves little.
 */
import { status as grpcStatus } from '@grpc/grpc-js';
import test from 'ava';
import { SERVICE_CONTROL_INTERROGATE } from '../../native/winsvc.js';
import { Durability, PreviousEnd } from '../../proto/gen/wifidirect/v1/host_service.js';
import { SessionEndReason } from '../../proto/gen/wifidirect/v1/session.js';
import { EXIT } from '../../service/commands/command-line.js';
import { lacks } from './machine.js';
import {
  closeServices,
  control,
  getHost,
  kill,
  log,
  openServices,
  openSession,
  type Ran,
  service,
  serviceName,
  simulated,
  status,
  watchFrom,
  wfdd,
} from './service.js';
import { windowsTest } from './windows-test.js';

if (lacks.length === 0) {
  test.before(openServices);
  test.after.always(closeServices);
}

windowsTest('what is not installed can be asked for and uninstalled, but not started or stopped', async (t) => {
  t.is((await service('status')).code, EXIT.notInstalled);
  t.is((await service('start')).code, EXIT.notInstalled);
  t.is((await service('stop')).code, EXIT.notInstalled);
  t.is((await service('uninstall')).code, EXIT.ok);
});

for (const time of ['first', 'second']) {
  windowsTest(`${time} time: it is installed, and installing it again changes nothing`, async (t) => {
    const first = await service('install', ...simulated);
    t.is(first.code, EXIT.ok, first.output);
    const again = await service('install', ...simulated);
    t.is(again.code, EXIT.ok, again.output);
    t.regex(again.output, /already installed/);
    const { command, state } = await status();
    t.is(state, 'stopped');
    t.regex(command, /^"[^"]+\\node\.exe" "[^"]+\\service\\wfdd\.cjs" "service" "run" /);
  });

  windowsTest(`${time} time: it starts, and starting it again changes nothing`, async (t) => {
    const started = await service('start');
    t.is(started.code, EXIT.ok, started.output);
    const again = await service('start');
    t.is(again.code, EXIT.ok, again.output);
    t.is(processIn(again), processIn(started));
    t.is(await control(SERVICE_CONTROL_INTERROGATE), 0);
  });

  windowsTest(`${time} time: a stop closes the session that a client has open, and tells the client`, async (t) => {
    const { session } = await openSession(t);
    const stopped = await service('stop');
    t.is(stopped.code, EXIT.ok, stopped.output);
    const closed = await session.event('CLOSED');
    t.is(closed.session.end?.reason, SessionEndReason.HOST_STOPPING);
    const end = await session.status();
    t.is(end?.code, grpcStatus.UNAVAILABLE);
    t.is(end?.info?.reason, 'HOST_STOPPING');
    const last = log().slice(-2);
    t.deepEqual(last.find(({ event }) => event === 'simulator-report')?.['misuse'], {});
    t.is(last.at(-1)?.event, 'stopped');
    t.is((await service('stop')).code, EXIT.ok);
    const { state, exitCode } = await status();
    t.deepEqual({ state, exitCode }, { state: 'stopped', exitCode: 0 });
  });

  windowsTest(`${time} time: a crash is seen to be one, and it starts again`, async (t) => {
    const started = await service('start');
    t.is(started.code, EXIT.ok, started.output);
    const { session } = await openSession(t, { leaseTtl: { seconds: 3600n } });
    const { epoch, newestCursor, durability } = await getHost(t);
    t.is(durability, Durability.PROCESS);
    await kill(processIn(started));
    const { state, exitCode } = await status();
    t.deepEqual({ state, exitCode }, { state: 'stopped', exitCode: 1067 }, 'ERROR_PROCESS_ABORTED');
    t.is((await service('start')).code, EXIT.ok);
    // The journal of the service has it all: the numbers go on, and the session is told to be lost.
    t.like(await getHost(t), { epoch, durability: Durability.PROCESS, previousEnd: PreviousEnd.CRASHED });
    const watch = watchFrom(t, newestCursor);
    const { sessionId = '' } = session.events[0]?.session ?? {};
    const lost = await watch.event(sessionId, 'LOST');
    t.is(lost.session?.end?.reason, SessionEndReason.HOST_RESTARTED);
    t.deepEqual(watch.typesOf(sessionId), ['LOST']);
    t.deepEqual(watch.messages[0]?.snapshot, []);
    t.is(log().findLast(({ event }) => event === 'previous-end')?.['level'], 'warn');
    const verified = await wfdd('journal', 'verify', '--journal-folder', `C:\\ProgramData\\${serviceName}\\journal`);
    t.is(verified.code, EXIT.ok, verified.output);
    t.regex(verified.output, /good\.\s*$/);
  });

  windowsTest(`${time} time: it is restarted, uninstalled while it runs, and gone`, async (t) => {
    const before = await service('start');
    const restarted = await service('restart');
    t.is(restarted.code, EXIT.ok, restarted.output);
    t.not(processIn(restarted), processIn(before));
    const uninstalled = await service('uninstall');
    t.is(uninstalled.code, EXIT.ok, uninstalled.output);
    const again = await service('uninstall');
    t.is(again.code, EXIT.ok);
    t.regex(again.output, /is not installed/);
  });
}

/** The process that `wfdd service start` has named. */
function processIn({ output }: Ran): string {
  const [, processId = 'none'] = /is running \(process (\d+)\)/.exec(output) ?? [];
  return processId;
}
