/**
 * Each check of the doctor on a host where it finds nothing, and on one where it finds something:
 * none is left out.
 */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { winerror } from '../../native/constants.js';
import { loadLibraries } from '../../native/load.js';
import { SERVICE_DISABLED } from '../../native/winsvc.js';
import { ConfigError } from '../../service/config/problem.js';
import type { State } from '../../service/doctor/check.js';
import { judgeDisk } from '../../service/doctor/daemon-checks.js';
import { CHECKS, diagnose } from '../../service/doctor/doctor.js';
import type { DoctorHost } from '../../service/doctor/host.js';
import { judgeSession } from '../../service/doctor/session-check.js';
import { makeAuthority } from '../access/authority.js';
import { display } from '../harness/gateway.js';
import { simulatorWithout } from '../harness/reduced-simulator.js';
import { hostWith, type Ills, loadedWith, running, windowsWith, wish, world } from './hosts.js';

const DAY_MS = 86_400_000;
const folder = mkdtempSync(join(tmpdir(), 'wfdd-doctor-'));
test.after.always(() => rmSync(folder, { recursive: true }));

test.beforeEach(() => world.reset());
test.afterEach.always('nothing of the native API is misused or left open', async (t) => {
  await world.waitIdle(10_000);
  world.checkLeaks();
  t.is(world.misuse().total, 0, JSON.stringify(world.misuse()));
});

/** The checks for which some test here scripts that they find something. */
const scripted = new Set<string>();

async function checked(id: string, host: DoctorHost) {
  const checks = CHECKS.filter((check) => check.id === id);
  const { checks: done, notChecked } = await diagnose(host, { checks, showAddresses: true });
  const [only] = done;
  if (only === undefined) throw new Error(`${id} was not checked: ${notChecked[0]?.why}`);
  return only;
}

/** A host on which a check finds something: how bad, what it says of it, and what helps. */
function finds(
  id: string,
  state: State,
  seen: RegExp,
  help: RegExp,
  make: () => DoctorHost | Promise<DoctorHost>,
): void {
  scripted.add(id);
  test.serial(`${id}: ${seen.source}`, async (t) => {
    const finding = await checked(id, await make());
    t.regex(finding.seen, seen);
    t.regex(finding.help ?? '', help);
    t.is(finding.state, state);
  });
}

const onWindows = (ills: Ills, rest: Partial<DoctorHost> = {}) => hostWith({ windows: windowsWith(ills), ...rest });
const key = (path: string, value: string | number | undefined): Ills => ({ registry: { [path]: value } });

for (const { id, notHere } of CHECKS) {
  test.serial(`${id}: nothing is found on a healthy host`, async (t) => {
    const host = hostWith({ session: wish() });
    t.is(notHere?.(host), undefined);
    const finding = await checked(id, host);
    // The simulator's devices are of this process, so nothing is seen of the child's.
    t.is(finding.state, 'ok', `${finding.seen} ${finding.help}`);
    t.is(finding.help, undefined);
  });
}

const version = 'SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\CurrentBuild';
const arch = 'SYSTEM\\CurrentControlSet\\Control\\Session Manager\\Environment\\PROCESSOR_ARCHITECTURE';
finds('system', 'failed', /build 9600/, /Windows 10/, () => onWindows(key(version, '9600')));
finds('system', 'failed', /ARM64/, /Windows 11/, () =>
  onWindows({ registry: { [version]: '19045', [arch]: 'ARM64' } }),
);
finds('system', 'warning', /took 20000 ms/, /virus/, () => hostWith({ startMs: 20_000 }));

finds('runtime', 'warning', /wait for each other/, /UV_THREADPOOL_SIZE/, () =>
  hostWith({ blockThread: () => new Promise((resolve) => setTimeout(resolve, 450)) }),
);

const ci = 'SYSTEM\\CurrentControlSet\\Control\\CI\\Policy\\VerifiedAndReputablePolicyState';
finds('modules', 'failed', /Smart App Control.*koffi\.node/, /--sign/, () =>
  onWindows({ ...key(ci, 1), signature: async (file) => (file.endsWith('.node') ? 0x800b0100 : 0) }),
);
finds('modules', 'warning', /may be blocked/, /Unblock-File/, () => onWindows({ isDownloaded: () => true }));

const asService = { isService: true, environment: { ProgramData: 'C:\\nowhere' } };
finds('account', 'failed', /without the SID/, /Restart Windows/, () => onWindows({ hasSid: () => false }, asService));
finds('account', 'failed', /no such file/, /service install again/, () => hostWith(asService));

finds('configuration', 'failed', /1 problem/, /config check/, () => {
  const problem = { path: 'listen', source: 'x.yaml', message: 'No.', remedy: 'Yes.', severity: 'error' };
  return hostWith({ loaded: new ConfigError([problem as never]) });
});
finds('configuration', 'warning', /Hm\./, /names its remedy/, () => {
  const warning = { path: 'listen', source: 'x.yaml', message: 'Hm.', remedy: 'Do.', severity: 'warning' };
  return hostWith({ loaded: { ...loadedWith(), warnings: [warning as never] } });
});

function withCertificate(days: number): DoctorHost {
  const [certFile, keyFile] = [join(folder, `${days}.pem`), join(folder, `${days}.key`)];
  const from = Math.min(days, 0) - 365;
  const times = {
    notBefore: new Date(Date.now() + from * DAY_MS),
    notAfter: new Date(Date.now() + days * DAY_MS + 60_000),
  };
  const { cert, key } = makeAuthority('doctors').issue({ commonName: 'host', ...times, isServer: true });
  writeFileSync(certFile, cert);
  writeFileSync(keyFile, key);
  return hostWith({ loaded: loadedWith({ tls: { certFile, keyFile } as never }) });
}
finds('certificates', 'warning', /in 29 days/, /Renew it/, () => withCertificate(29));
finds('certificates', 'failed', /expired/, /Renew it/, () => withCertificate(-2));
finds('certificates', 'failed', /ENOENT|no such file/, /readable/, () =>
  hostWith({ loaded: loadedWith({ tls: { certFile: '/nowhere.pem', keyFile: '/nowhere.key' } as never }) }),
);
test.serial('certificates: 30 days are enough', async (t) => {
  t.is((await checked('certificates', withCertificate(30))).state, 'ok');
});

finds('clock', 'failed', /before this program was built/, /Set the clock/, () =>
  hostWith({ builtMs: Date.now() + DAY_MS }),
);
const time = 'SYSTEM\\CurrentControlSet\\Services\\W32Time\\Parameters\\Type';
finds('clock', 'warning', /not synchronized/, /w32tm/, () => onWindows(key(time, 'NoSync')));

finds('libraries', 'failed', /WFDCancelOpenSession/, /Install-WindowsFeature/, async () => {
  const library = await simulatorWithout('WFDCancelOpenSession');
  return hostWith({ native: loadLibraries({ wlanapi: library, iphlpapi: library, cfgmgr32: library }) });
});
finds('libraries', 'failed', /nowhere\.so/, /Install-WindowsFeature/, () => {
  const library = '/nowhere.so';
  return hostWith({ native: loadLibraries({ wlanapi: library, iphlpapi: library, cfgmgr32: library }) });
});

const service = (name: string, facts: typeof running | undefined): Ills => ({ services: { [name]: facts } });
finds('wlan-service', 'failed', /not installed/, /Install-WindowsFeature/, () =>
  onWindows(service('WlanSvc', undefined)),
);
finds('wlan-service', 'failed', /stopped/, /net start WlanSvc/, () =>
  onWindows(service('WlanSvc', { ...running, state: 'stopped' })),
);
finds('wlan-service', 'warning', /WFDSConMgrSvc is disabled/, /sc config/, () =>
  onWindows(service('WFDSConMgrSvc', { ...running, startType: SERVICE_DISABLED })),
);

const wlan = (changes: object): Ills => ({
  wlan: async () => ({ ...(await windowsWith().wlan()), ...changes }),
});
finds('adapters', 'failed', /no Wi-Fi adapter/, /driver/, () => onWindows(wlan({ interfaces: [] })));
finds('adapters', 'failed', /None is ready/, /airplane/, () =>
  onWindows(wlan({ interfaces: [{ guid: '', description: 'Old', isState: 0 }] })),
);
const virtual = 'SYSTEM\\CurrentControlSet\\Control\\Class\\{4d36e972-e325-11ce-bfc1-08002be10318}\\0002';
finds('adapters', 'warning', /not created a Wi-Fi Direct adapter/, /wirelesscapabilities/, () =>
  onWindows(key(`${virtual}\\MatchingDeviceId`, undefined)),
);

finds('policy', 'failed', /AllowWiFiDirect is 0/, /Set it to 1/, () =>
  onWindows(key('SOFTWARE\\Microsoft\\PolicyManager\\current\\device\\Wifi\\AllowWiFiDirect', 0)),
);
finds('policy', 'warning', /Mobile hotspot/, /off/, () => onWindows(service('icssvc', running)));
const consent = 'SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\CapabilityAccessManager\\ConsentStore\\location\\Value';
finds('policy', 'warning', /Location access is off/, /Settings/, () => onWindows(key(consent, 'Deny')));

finds('rights', 'failed', /access denied/, /LocalSystem/, () =>
  onWindows(wlan({ openCode: winerror.ERROR_ACCESS_DENIED })),
);
finds('rights', 'failed', /1062 ERROR_SERVICE_NOT_ACTIVE/, /net start/, () => onWindows(wlan({ openCode: 1062 })));
finds('rights', 'warning', /settings: access denied/, /LocalSystem/, () =>
  onWindows(wlan({ security: { code: 0, sddl: '', granted: 0 } })),
);

for (const [code, help] of [
  [winerror.ERROR_ACCESS_DENIED, /LocalSystem/],
  [winerror.ERROR_SERVICE_NOT_ACTIVE, /net start WlanSvc/],
  [winerror.ERROR_NOT_FOUND, /driver/],
  [winerror.ERROR_INVALID_STATE, /policy/],
  [winerror.ERROR_MOD_NOT_FOUND, /feature/],
] as const) {
  finds('handle', 'failed', new RegExp(`WFDOpenHandle failed after \\d+ ms: ${code} `), help, () => {
    world.scriptCall({ function: 'WFDOpenHandle', code });
    return hostWith();
  });
}
finds('handle', 'warning', /That is slow/, /Restart WLAN AutoConfig/, () => {
  world.scriptCall({ function: 'WFDOpenHandle', blockMs: 1100 });
  return hostWith();
});
finds('device-query', 'failed', /query for device nodes failed: 0x80070057/, /report/, () => {
  world.scriptCall({ function: 'DevGetObjects', code: 0x80070057 });
  return hostWith();
});
finds('devices', 'warning', /No Wi-Fi Direct device is paired/, /Settings/, () => {
  for (const { deviceAddress } of world.listDevices()) world.removeDevice(deviceAddress);
  return hostWith();
});
finds('notifications', 'failed', /NotifyIpInterfaceChange failed: 8 /, /report/, () => {
  world.scriptCall({ function: 'NotifyIpInterfaceChange', code: winerror.ERROR_NOT_ENOUGH_MEMORY });
  return hostWith();
});

finds('ports', 'warning', /another program uses this port/, /wfdd itself/, async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  server.unref();
  const { port } = server.address() as { port: number };
  const windows = windowsWith(service('wfdd', undefined));
  return hostWith({ windows, loaded: loadedWith({ listen: [`127.0.0.1:${port}`] }) });
});
finds('ports', 'failed', /does not have this address/, /./, () =>
  hostWith({ loaded: loadedWith({ listen: ['192.0.2.1:50051'] }) }),
);

const others = loadedWith({ listen: ['0.0.0.0:50051'] });
finds('firewall', 'warning', /no rule/, /netsh advfirewall.*50051/s, () =>
  onWindows({ run: async () => ({ exitCode: 1, text: '' }) }, { loaded: others }),
);

finds('journal', 'failed', /Cannot write to/, /Create the folder/, () =>
  hostWith({ loaded: loadedWith({ journal: { folder: '/nowhere/at/all' } as never }) }),
);
finds('journal', 'warning', /can write|can replace/, /icacls/, () => {
  chmodSync(folder, 0o700);
  const windows = windowsWith({ descriptorOf: () => 'D:(A;;FA;;;BU)' });
  return hostWith({ windows, loaded: loadedWith({ journal: { folder } as never }) });
});
test('journal: a disk that is full, nearly full, or slow', (t) => {
  const states = [
    { freeBytes: 1 << 20, flushMs: 1 },
    { freeBytes: 500 << 20, flushMs: 1 },
    { freeBytes: 2 ** 31, flushMs: 101 },
    { freeBytes: 2 ** 31, flushMs: 100 },
  ].map((disk) => judgeDisk('j', disk).map(({ state }) => state));
  t.deepEqual(states, [['failed'], ['warning'], ['warning'], ['ok']]);
});

finds('service', 'failed', /disabled/, /install/, () =>
  onWindows(service('wfdd', { ...running, startType: SERVICE_DISABLED })),
);
finds('service', 'warning', /without a service SID/, /install again/, () =>
  onWindows({ serviceSetting: async (_, level) => (level === 5 ? 0 : 1) }),
);
finds('service', 'warning', /UV_THREADPOOL_SIZE/, /install again/, () =>
  onWindows(key('SYSTEM\\CurrentControlSet\\Services\\wfdd\\Environment', 'A=B')),
);

const hiberboot = 'SYSTEM\\CurrentControlSet\\Control\\Session Manager\\Power\\HiberbootEnabled';
finds('power', 'warning', /Fast startup/, /Power Options/, () => onWindows(key(hiberboot, 1)));
finds('power', 'warning', /does not report/, /./, () =>
  onWindows({ power: async () => ({ code: 0xc0000022, modernStandby: false, s3: false, fastStartup: false }) }),
);

finds('session', 'failed', /did not open: 1460 ERROR_TIMEOUT/, /in range/, () => {
  world.scriptOpen({ deviceAddress: display, error: winerror.ERROR_TIMEOUT } as never);
  return hostWith({ session: wish() });
});
finds('session', 'failed', /link went down .* before it was closed/, /WinRT/, () => {
  setTimeout(() => world.dropLink(display), 900);
  return hostWith({ session: wish({ holdMs: 10_000 }) });
});
finds('session', 'warning', /could not open a session: 1167/, /report/, () =>
  hostWith({ session: wish({}, winerror.ERROR_DEVICE_NOT_CONNECTED) }),
);

test('session: what is judged of the evidence', (t) => {
  const held = { luid: 1n, lostAtMs: undefined, connectedAtMs: 10 };
  const gone = { disconnectedMs: 200, downMs: 300 };
  const good = { text: 'opened in 1 ms', held, closeCode: 0, gone, wish: { holdMs: 1, watchMs: 2 } };
  const stateOf = (changes: Partial<typeof good> | object) => judgeSession({ ...good, ...changes } as never, {}).state;
  t.is(stateOf({}), 'ok');
  t.is(stateOf({ held: { ...held, luid: undefined } }), 'warning');
  t.is(stateOf({ held: { ...held, connectedAtMs: undefined } }), 'warning');
  t.is(stateOf({ gone: { disconnectedMs: undefined, downMs: undefined } }), 'warning');
  t.is(stateOf({ gone: { disconnectedMs: 5, downMs: undefined } }), 'ok');
  t.is(stateOf({ closeCode: 6 }), 'failed');
  t.is(stateOf({ held: { ...held, lostAtMs: 120_000 } }), 'failed');
});

test.serial('session: that of a killed process which stays up is told', async (t) => {
  // No more opens of ours come after the child's, so what it is seen by is the node of the device
  // alone.
  const node = { suffix: 'stays', isConnected: true };
  const child = wish({
    startChild: () => ({ opened: Promise.resolve(0), kill: async () => world.setNode(display, node) }),
  });
  const { seen, state } = await checked('session', hostWith({ session: { ...child, watchMs: 1000 } }));
  t.is(state, 'failed', seen);
  t.regex(seen, /session of a killed process stayed up/);
});

test('a check that hangs or breaks is a finding, and the next is made', async (t) => {
  const checks = [
    { id: 'hangs', title: '', limitMs: () => 20, run: () => new Promise<never>(() => {}) },
    { id: 'breaks', title: '', run: () => Promise.reject(new Error('oh')) },
    { id: 'works', title: '', run: async () => ({ state: 'ok', seen: 'yes' }) as const },
  ];
  const report = await diagnose(hostWith(), { checks, showAddresses: false });
  t.deepEqual(
    report.checks.map(({ state, seen }) => [state, seen]),
    [
      ['failed', 'The check did not finish within 0.02 s.'],
      ['failed', 'The check itself failed: oh'],
      ['ok', 'yes'],
    ],
  );
  t.is(report.state, 'failed');
});

test('each check is scripted to find something', (t) => {
  t.deepEqual(
    CHECKS.map(({ id }) => id).filter((id) => !scripted.has(id)),
    [],
  );
});
