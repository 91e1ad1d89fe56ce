/** `wfdctl devices`, `visibility`, `host`, `health`, on the real daemon. */
import test from 'ava';
import { display, gatewayForThisFile, robot } from '../harness/gateway.js';
import { lines, wfdctl } from './ctl-run.js';

const gateway = gatewayForThisFile();

const environment = { WFDCTL_CONFIG: '/nobody/none.yaml' };
const ctl = (...argv: string[]) => wfdctl([...argv, '--address', gateway().daemon.address], { environment });

test.serial('devices shows who is paired; what Windows does not say is neither yes nor no', async (t) => {
  const { code, stdout } = await ctl('devices');
  t.is(code, 0);
  t.is(
    stdout,
    `DEVICE             NAME                  CONNECTED  VISIBLE  LEGACY  QUALITY
02:11:22:33:44:01  Meeting Room Display  no         yes      no      92
02:11:22:33:44:02  Warehouse Scanner     no         yes      no      74
02:11:22:33:44:03  Label Printer         no         -        yes     61
02:11:22:33:44:04  Delivery Robot        no         no       no      0
02:11:22:33:44:05  Forklift Terminal 1   no         yes      no      58
02:11:22:33:44:06  Forklift Terminal 2   no         yes      no      47
`,
  );
  const { devices, cursor } = JSON.parse((await ctl('devices', '-o', 'json')).stdout);
  t.is(devices.length, 6);
  t.is(devices[0].deviceAddress, display);
  t.regex(cursor, /\S/);
});

test.serial('visibility looks for a device, and its answer is no error', async (t) => {
  t.like(await ctl('visibility', display), { code: 0, stdout: `${display} Meeting Room Display is visible.\n` });
  t.like(await ctl('visibility', robot), { code: 0, stdout: `${robot} Delivery Robot is not visible.\n` });
  const { stdout } = await ctl('visibility', robot, '-o', 'json');
  t.like(JSON.parse(stdout), { device: { deviceAddress: robot, isVisible: false }, discoveryCompleted: true });
  const { code, stderr } = await ctl('visibility', '02:00:00:00:00:01');
  t.is(code, 66);
  t.is(
    stderr,
    'wfdctl: No device 02:00:00:00:00:01 is paired with the host; run wfdctl devices to see the paired devices.\n',
  );
});

test.serial('a discovery that is not through in time ends with 124', async (t) => {
  await gateway().world.scriptVisibility({ deviceAddress: display, delayMs: 'never' });
  const { code, stdout } = await ctl('visibility', display, '--timeout', '1s');
  t.is(code, 124);
  t.is(
    stdout,
    `The search for ${display} Meeting Room Display has not finished; it was visible before. Run this again, or give a longer --timeout.\n`,
  );
  await gateway().world.releaseCalls();
});

test.serial('host shows its state, its driver and its limits', async (t) => {
  const { code, stdout } = await ctl('host');
  t.is(code, 0);
  for (const line of [/^State +READY$/m, /^Driver +SIMULATOR, .*, API version 1$/m, /^ {2}sessionsMax +256$/m])
    t.regex(stdout, line);
  t.regex(stdout, /^ {2}closeTimeout +15s$/m);
  const host = JSON.parse((await ctl('host', '-o', 'json')).stdout);
  t.like(host, { state: 'HOST_STATE_READY', limits: { openTimeoutDefault: '60s', sessionsMax: 256 } });
});

test.serial('health ends with 0 while the host can do its work, else with 69 and the reason', async (t) => {
  t.like(await ctl('health'), { code: 0, stdout: 'SERVING\n', stderr: '' });
  t.like(await ctl('health', 'wifidirect.v1.SessionService', '-o', 'json'), {
    code: 0,
    stdout: '{\n  "status": "SERVING"\n}\n',
  });
  t.like(await ctl('health', 'no.such.Service'), { code: 66 });
  await gateway().world.stopService();
  const { code, stdout, stderr } = await notServing();
  t.is(code, 69);
  t.is(stdout, 'NOT_SERVING\n');
  t.regex(stderr, /^wfdctl: WLAN_SERVICE_NOT_RUNNING: /);
  const [told] = lines((await ctl('health', '-o', 'json')).stderr);
  t.regex((told as { warning: { message: string } }).warning.message, /^WLAN_SERVICE_NOT_RUNNING: /);
  const open = await ctl('open', display);
  t.is(open.code, 69);
  t.regex(open.stderr, /WlanSvc\) is not running on the host; start it there, or try again in 5s\.\n$/);
  await gateway().world.startService();
});

/** The daemon sees it in its own time; each question is a round trip. */
async function notServing() {
  for (;;) {
    const answer = await ctl('health');
    if (answer.code !== 0) return answer;
  }
}
