/**
 * The service's side of the service control manager, called through the real callbacks as Windows
 * would.
 */
import test from 'ava';
import { winerror } from '../../native/constants.js';
import * as svc from '../../native/winsvc.js';
import { type Demand, ServiceConnection } from '../../service/windows-service/connection.js';
import { fakeManager } from './fake-manager.js';

async function connect(told: (demand: Demand) => void = () => {}, checkpointMs = 1000) {
  const manager = fakeManager();
  const connection = await ServiceConnection.open(manager.functions, 'wfdd', told, checkpointMs);
  if (connection === undefined) throw new Error('it did not connect');
  return { ...manager, connection };
}

test.serial('a process that Windows did not start as a service is told so', async (t) => {
  const { functions } = fakeManager(svc.ERROR_FAILED_SERVICE_CONTROLLER_CONNECT);
  t.is(await ServiceConnection.open(functions, 'wfdd', () => t.fail()), undefined);
});

test.serial('it starts, runs, stops, and is released', async (t) => {
  const { connection, reports } = await connect();
  connection.running();
  connection.stopPending();
  connection.stopped(0);
  await connection.released;
  t.deepEqual(
    reports.map(({ dwCurrentState, dwWin32ExitCode }) => [dwCurrentState, dwWin32ExitCode]),
    [
      [svc.SERVICE_START_PENDING, 0],
      [svc.SERVICE_RUNNING, 0],
      [svc.SERVICE_STOP_PENDING, 0],
      [svc.SERVICE_STOPPED, 0],
    ],
  );
});

test.serial(
  'only while it runs does it take controls: a stop while it starts would find nothing to stop',
  async (t) => {
    const { connection, reports } = await connect();
    connection.running();
    connection.stopPending();
    connection.stopped(0);
    const takes = (flag: number) => reports.map(({ dwControlsAccepted }) => (dwControlsAccepted & flag) !== 0);
    for (const flag of [
      svc.SERVICE_ACCEPT_STOP,
      svc.SERVICE_ACCEPT_SHUTDOWN,
      svc.SERVICE_ACCEPT_PRESHUTDOWN,
      svc.SERVICE_ACCEPT_POWEREVENT,
    ]) {
      t.deepEqual(takes(flag), [false, true, false, false]);
    }
  },
);

test.serial('a pending state reports progress, each time within the wait hint of the last report', async (t) => {
  const { connection, reports, reported } = await connect(() => {}, 5);
  await reported(4);
  const [first, second, third] = reports;
  t.deepEqual(
    [first, second, third].map((report) => report?.dwCheckPoint),
    [1, 2, 3],
  );
  t.true(reports.every(({ dwWaitHint }) => dwWaitHint > 5));
  connection.running();
  t.deepEqual([reports.at(-1)?.dwCheckPoint, reports.at(-1)?.dwWaitHint], [0, 0]);
  connection.stopped(0);
});

test.serial('a failure is reported with the exit code', async (t) => {
  const { connection, reports } = await connect();
  connection.stopped(78);
  t.is(reports.at(-1)?.dwWin32ExitCode, svc.ERROR_SERVICE_SPECIFIC_ERROR);
  t.is(reports.at(-1)?.dwServiceSpecificExitCode, 78);
});

test.serial('controls are answered at once, and those that demand something are told', async (t) => {
  const demands: Demand[] = [];
  const { connection, send } = await connect((demand) => demands.push(demand));
  connection.running();
  const { ERROR_SUCCESS, ERROR_CALL_NOT_IMPLEMENTED } = winerror;
  t.is(send(svc.SERVICE_CONTROL_INTERROGATE), ERROR_SUCCESS);
  t.is(send(svc.SERVICE_CONTROL_POWEREVENT, svc.PBT_APMSUSPEND), ERROR_SUCCESS);
  t.is(send(svc.SERVICE_CONTROL_POWEREVENT, svc.PBT_APMRESUMEAUTOMATIC), ERROR_SUCCESS);
  t.is(send(svc.SERVICE_CONTROL_POWEREVENT, svc.PBT_APMRESUMESUSPEND), ERROR_SUCCESS);
  t.is(send(svc.SERVICE_CONTROL_PRESHUTDOWN), ERROR_SUCCESS);
  t.is(send(svc.SERVICE_CONTROL_STOP), ERROR_SUCCESS);
  t.is(send(2), ERROR_CALL_NOT_IMPLEMENTED, 'SERVICE_CONTROL_PAUSE');
  t.deepEqual(demands, [], 'nothing is done before Windows has its answer');
  await Promise.resolve();
  t.deepEqual(demands, ['suspend', 'resume', 'shutdown', 'stop']);
  connection.stopped(0);
});
