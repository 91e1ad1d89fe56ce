/**
 * Hosts for the doctor: a healthy one, of the simulator below and a played Windows above, to be
 * made ill in one place.
 */
import { fileURLToPath } from 'node:url';
import { loadLibraries } from '../../native/load.js';
import { openSimulatorControl } from '../../native/simulator-control.js';
import { SERVICE_AUTO_START } from '../../native/winsvc.js';
import type { LoadedConfig } from '../../service/config/load.js';
import { makeConfig } from '../../service/config/schema.js';
import type { DoctorHost, ServiceFacts, SessionWish, WindowsFacts } from '../../service/doctor/host.js';
import { serviceEnvironment } from '../../service/windows-service/installation.js';
import { display } from '../harness/gateway.js';

const library = fileURLToPath(new URL('../../native/simulator/libwfdsim.so', import.meta.url));
export const native = loadLibraries({ wlanapi: library, iphlpapi: library, cfgmgr32: library });
export const world = openSimulatorControl(library);

/** A configuration as the daemon has it. Nothing is served where nothing else is said. */
export function loadedWith(values: Parameters<typeof makeConfig>[0] = {}): LoadedConfig {
  const config = makeConfig({ listen: ['127.0.0.1:0'], ...values });
  return { config, file: undefined, sources: new Map(), warnings: [] };
}

export const running: ServiceFacts = {
  state: 'running',
  startType: SERVICE_AUTO_START,
  account: 'NT AUTHORITY\\LocalService',
  command: 'wfdd',
};

const adapterKey = 'SYSTEM\\CurrentControlSet\\Control\\Class\\{4d36e972-e325-11ce-bfc1-08002be10318}';
const guid = '5f1d0001-77d1-4c52-9b1e-02004c4f4f50';

/** The registry of a healthy Windows 11. */
const registry: Readonly<Record<string, string | number>> = {
  'SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\CurrentBuild': '26100',
  'SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\EditionID': 'Professional',
  'SYSTEM\\CurrentControlSet\\Control\\Session Manager\\Environment\\PROCESSOR_ARCHITECTURE': 'AMD64',
  [`${adapterKey}\\0001\\DriverVersion`]: '23.40.0.4',
  [`${adapterKey}\\0001\\NetCfgInstanceId`]: `{${guid.toUpperCase()}}`,
  [`${adapterKey}\\0002\\MatchingDeviceId`]: '{5d624f94-8850-40c3-a3fa-a4fd2080baf3}\\vwifimp_wfd',
  'SYSTEM\\CurrentControlSet\\Services\\wfdd\\Environment': serviceEnvironment().join('\n'),
  'SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\wfdd\\EventMessageFile': 'EventCreate.exe',
  'SYSTEM\\CurrentControlSet\\Services\\W32Time\\Parameters\\Type': 'NTP',
};

export interface Ills extends Partial<Omit<WindowsFacts, 'registry' | 'service'>> {
  readonly registry?: Readonly<Record<string, string | number | undefined>>;
  readonly services?: Readonly<Record<string, ServiceFacts | undefined>>;
}

/** Windows as it should be, but for this. */
export function windowsWith({ registry: changed = {}, services: other = {}, ...ills }: Ills = {}): WindowsFacts {
  const values = { ...registry, ...changed };
  const services = { WlanSvc: running, WFDSConMgrSvc: running, wfdd: running, ...other };
  return {
    registry: async (key, value) => values[`${key}\\${value}`],
    service: async (name) => services[name as keyof typeof services],
    serviceSetting: async () => 1,
    wlan: async () => ({
      openCode: 0,
      interfaces: [{ guid, description: 'Some Wi-Fi 7 Adapter', isState: 1 }],
      security: { code: 0, sddl: 'D:(A;;CC;;;WD)', granted: 0x20001 },
    }),
    signature: async () => 0,
    power: async () => ({ code: 0, modernStandby: true, s3: false, fastStartup: false }),
    run: async () => ({ exitCode: 0, text: '' }),
    hasSid: () => true,
    descriptorOf: () => 'D:P(A;;FA;;;SY)',
    isDownloaded: () => false,
    programs: ['C:\\Program Files\\wfdd\\node.exe', 'C:\\Program Files\\wfdd\\koffi.node'],
    ...ills,
  };
}

/** A host on which nothing is wrong, but for this. */
export function hostWith(ills: Partial<DoctorHost> = {}): DoctorHost {
  return {
    version: '1.2.3',
    platform: 'win32',
    environment: { UV_THREADPOOL_SIZE: '16' },
    loaded: loadedWith(),
    native,
    isSimulated: false,
    service: 'wfdd',
    isService: false,
    windows: windowsWith(),
    nowMs: Date.now,
    startMs: 300,
    builtMs: 0,
    session: undefined,
    endpoints: false,
    blockThread: async () => {},
    ...ills,
  };
}

/** A session that is held for a moment, beside a child that opens with this code. */
export function wish(changes: Partial<SessionWish> = {}, childCode = 0): SessionWish {
  const startChild = () => ({ opened: Promise.resolve(childCode), kill: async () => {} });
  return { address: display, holdMs: 50, watchMs: 3000, startChild, ...changes };
}
