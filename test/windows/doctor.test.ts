/**
 * `wfdd doctor` of the bundle under Wine: with the simulator, with Wine's own libraries, and as the
 * service does.
 */
import test from 'ava';
import type { Report } from '../../service/doctor/doctor.js';
import { startNode } from './bundle.js';
import { lacks } from './machine.js';
import { closeServices, openServices, type Ran, service, serviceName, simulated } from './service.js';
import { windowsTest } from './windows-test.js';

if (lacks.length === 0) {
  test.before(openServices);
  test.after.always(closeServices);
}

async function doctor(...args: string[]): Promise<Ran> {
  const program = startNode('service/wfdd.cjs', ...args);
  const code = await program.exited;
  await program.close();
  return { code, output: program.output() };
}

const reportIn = ({ output }: Ran): Report => JSON.parse(output.slice(output.indexOf('{')));
const stateOf = (report: Report, id: string) => report.checks.find((check) => check.id === id)?.state;

windowsTest('with the simulator everything but Wine itself is well, and a session opens', async (t) => {
  t.timeout(180_000);
  const flags = ['--driver', 'simulator', '--listen', '127.0.0.1:0'];
  const ran = await doctor(...flags, 'doctor', '--json', '--open', '02:11:22:33:44:01', '--hold', '1');
  const report = reportIn(ran);
  t.log(report.checks.map(({ id, state, seen }) => `${id} ${state}: ${seen}`));
  t.true(report.isSimulated);
  for (const id of ['libraries', 'handle', 'device-query', 'devices', 'notifications', 'ports', 'session']) {
    t.is(stateOf(report, id), 'ok', `${id}: ${JSON.stringify(report.checks.find((check) => check.id === id))}`);
  }
  // What asks the radio means nothing where there is none.
  t.true(report.notChecked.some(({ id }) => id === 'wlan-service'));
  t.is(ran.code, { ok: 0, warning: 1, failed: 2 }[report.state]);
});

windowsTest("with Wine's own libraries it says what Wine lacks, check by check, and ends", async (t) => {
  t.timeout(180_000);
  const report = reportIn(await doctor('--driver', 'wlanapi', '--listen', '127.0.0.1:0', 'doctor', '--json'));
  t.log(report.checks.map(({ id, state, seen }) => `${id} ${state}: ${seen}`));
  t.false(report.isSimulated);
  t.is(stateOf(report, 'system'), 'ok');
  t.is(stateOf(report, 'libraries'), 'failed');
  t.is(stateOf(report, 'handle'), 'failed');
  t.regex(report.checks.find(({ id }) => id === 'libraries')?.seen ?? '', /WFDOpenHandle/);
  // No check broke by itself: each call that it makes exists in Windows.
  for (const { id, seen } of report.checks) t.false(seen.startsWith('The check itself failed'), `${id}: ${seen}`);
});

windowsTest('the service looks as itself, leaves its report, and has stopped', async (t) => {
  t.timeout(180_000);
  const notThere = await doctor('doctor', '--as-service', '--service', serviceName);
  t.regex(notThere.output, /not installed/);
  const installed = await service('install', ...simulated);
  t.is(installed.code, 0, installed.output);
  const ran = await doctor('doctor', '--as-service', '--service', serviceName, '--json');
  const report = reportIn(ran);
  t.true(report.asService);
  t.is(stateOf(report, 'libraries'), 'ok');
  t.truthy(stateOf(report, 'account'));
  t.regex((await service('status')).output, /is stopped/);
  const started = await service('start');
  t.is(started.code, 0, started.output);
  t.regex((await doctor('doctor', '--as-service', '--service', serviceName)).output, /is running\. Stop it first/);
});
