/** Checks of Windows: version, services, adapters, policies and permissions. */

import { winerror } from '../../native/constants.js';
import { wlan_interface_state_not_ready } from '../../native/host-facts.js';
import * as svc from '../../native/winsvc.js';
import { exposedPorts, firewallNote } from '../commands/firewall.js';
import { serviceEnvironment, serviceSid } from '../windows-service/installation.js';
import {
  type Check,
  codeText,
  type Finding,
  failed,
  ok,
  onWindowsOnly,
  together,
  warning,
  withRadioOnly,
} from './check.js';
import { configOf } from './daemon-checks.js';
import type { DoctorHost, WindowsFacts } from './host.js';

const CURRENT_VERSION = 'SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion';
/** The first build of Windows 10. WFD* came with Windows 8, which Microsoft no longer supports. */
const WINDOWS_10_BUILD = 10_240;
const WINDOWS_11_BUILD = 22_000;
/** Slower starts come close to 30 s, after which Windows gives up on a service. */
const START_MS_GOOD = 10_000;

/** Makes a check that receives WindowsFacts. */
function windowsCheck(
  check: Omit<Check, 'run'> & { readonly run: (windows: WindowsFacts, host: DoctorHost) => Promise<Finding> },
): Check {
  const run = (host: DoctorHost) =>
    host.windows === undefined ? Promise.resolve(ok('This is not Windows.')) : check.run(host.windows, host);
  return { ...check, run };
}

export const system: Check = {
  id: 'system',
  title: 'System',
  run: async ({ windows, platform, startMs }) => {
    const start = `The program took ${startMs} ms to start.`;
    if (windows === undefined) {
      const seen = `${platform} ${process.arch}: devices can only be simulated here. ${start}`;
      return ok(seen, { platform, arch: process.arch, startMs });
    }
    const read = (value: string) => windows.registry(CURRENT_VERSION, value);
    const [product, edition, display, build, revision] = await Promise.all(
      ['ProductName', 'EditionID', 'DisplayVersion', 'CurrentBuild', 'UBR'].map(read),
    );
    const environment = 'SYSTEM\\CurrentControlSet\\Control\\Session Manager\\Environment';
    const arch = await windows.registry(environment, 'PROCESSOR_ARCHITECTURE');
    const facts = { product, edition, display, build, revision, arch, startMs };
    const seen = `Windows build ${build}.${revision ?? 0} (${edition}, ${arch}). ${start}`;
    const number = Number(build);
    if (!(number >= WINDOWS_10_BUILD)) return failed(seen, 'Use Windows 10 or 11, or Server 2016 or newer.', facts);
    if (arch === 'ARM64' && number < WINDOWS_11_BUILD) {
      return failed(seen, 'Use Windows 11. The program is for x64, which Windows 10 on Arm does not support.', facts);
    }
    if (startMs <= START_MS_GOOD) return ok(seen, facts);
    return warning(seen, 'Exclude its folder from virus scans. A service must respond within 30 s.', facts);
  },
};

const POLICY_CI = 'SYSTEM\\CurrentControlSet\\Control\\CI\\Policy';

export const modules = windowsCheck({
  id: 'modules',
  title: 'Programs and app control',
  notHere: onWindowsOnly,
  run: async (windows) => {
    const state = await windows.registry(POLICY_CI, 'VerifiedAndReputablePolicyState');
    const isEnforced = state === 1;
    const each = await Promise.all(
      windows.programs.map(async (file) => {
        const code = await windows.signature(file);
        return { file, code, isSigned: code === 0, isDownloaded: windows.isDownloaded(file) };
      }),
    );
    const unsigned = each.filter(({ isSigned }) => !isSigned);
    const downloaded = each.filter(({ isDownloaded }) => isDownloaded);
    const facts = { smartAppControl: state ?? 'absent', signatures: each };
    const findings: Finding[] = [];
    const names = (files: typeof each) => files.map(({ file }) => file.replace(/.*[\\/]/, '')).join(', ');
    if (unsigned.length > 0 && isEnforced) {
      const seen = `Smart App Control is on, but these files have no trusted signature: ${names(unsigned)}.`;
      findings.push(
        failed(seen, 'Sign them (npm run bundle:windows -- --sign PROGRAM), or turn Smart App Control off.'),
      );
    }
    if (downloaded.length > 0) {
      const seen = `${names(downloaded)} may be blocked, because Windows marked the file as downloaded.`;
      findings.push(warning(seen, 'In PowerShell: Get-ChildItem -Recurse | Unblock-File'));
    }
    const signatures =
      unsigned.length === 0 ? 'All are signed.' : `Unsigned, but no policy blocks them: ${names(unsigned)}.`;
    return together(findings.length > 0 ? findings : [ok(`The native modules load. ${signatures}`)], facts);
  },
});

export const wlanService = windowsCheck({
  id: 'wlan-service',
  title: 'WLAN AutoConfig and related services',
  notHere: withRadioOnly,
  run: async (windows) => {
    const [wlan, connection] = await Promise.all([windows.service('WlanSvc'), windows.service('WFDSConMgrSvc')]);
    const facts = { WlanSvc: wlan ?? 'not installed', WFDSConMgrSvc: connection ?? 'not installed' };
    if (wlan === undefined) {
      return failed('The service WLAN AutoConfig is not installed.', INSTALL_WLAN, facts);
    }
    if (wlan.state !== 'running') {
      const help = 'As administrator: sc config WlanSvc start= auto, then net start WlanSvc';
      return failed(`WLAN AutoConfig is ${wlan.state} (start type ${wlan.startType}).`, help, facts);
    }
    const disabled = svc.SERVICE_DISABLED;
    if (wlan.startType === disabled || connection?.startType === disabled) {
      const which = wlan.startType === disabled ? 'WlanSvc' : 'WFDSConMgrSvc';
      const help = `As administrator: sc config ${which} start= demand`;
      return warning(`WLAN AutoConfig is running, but ${which} is disabled.`, help, facts);
    }
    return ok('WLAN AutoConfig is running.', facts);
  },
});

const INSTALL_WLAN = 'On Windows Server: Install-WindowsFeature Wireless-Networking, then restart.';

/** Each network adapter has a numbered key below the key of the class. */
const CLASS_NET = 'SYSTEM\\CurrentControlSet\\Control\\Class\\{4d36e972-e325-11ce-bfc1-08002be10318}';
const ADAPTER_KEYS = 64;
/** The virtual adapter that Windows creates for a radio that supports Wi-Fi Direct. */
const WIFI_DIRECT_ADAPTER = /vwifimp_wfd/i;

export const adapters = windowsCheck({
  id: 'adapters',
  title: 'Adapters and drivers',
  notHere: withRadioOnly,
  run: async (windows) => {
    const numbers = Array.from({ length: ADAPTER_KEYS }, (_, index) => String(index).padStart(4, '0'));
    const all = await Promise.all(
      numbers.map(async (number) => {
        const read = (value: string) => windows.registry(`${CLASS_NET}\\${number}`, value);
        const names = ['DriverDesc', 'DriverVersion', 'DriverDate', 'MatchingDeviceId', 'NetCfgInstanceId'];
        const [description, version, date, device, guid] = (await Promise.all(names.map(read))).map(String);
        return { description, version, date, device, guid: guid?.toLowerCase().replace(/[{}]/g, '') };
      }),
    );
    const { interfaces } = await windows.wlan();
    const radios = interfaces.map((each) => ({ ...each, driver: all.find(({ guid }) => guid === each.guid) }));
    const virtual = all.filter(({ device = '' }) => WIFI_DIRECT_ADAPTER.test(device));
    const capabilities = await windows.run('netsh.exe', ['wlan', 'show', 'wirelesscapabilities']);
    const facts = { radios, virtualAdapters: virtual, wirelesscapabilities: capabilities.text };
    if (radios.length === 0) {
      const help = 'Install a Wi-Fi adapter and its driver, and enable it in Device Manager.';
      return failed('There is no Wi-Fi adapter.', help, facts);
    }
    const names = radios.map(({ description, driver }) => `${description} (driver ${driver?.version ?? 'unknown'})`);
    const seen = `${names.join(', ')}.`;
    if (radios.every(({ isState }) => isState === wlan_interface_state_not_ready)) {
      return failed(`${seen} None is ready.`, 'Turn Wi-Fi on (Settings, airplane mode, a hardware switch).', facts);
    }
    if (virtual.length > 0) return ok(`${seen} Windows has created a Wi-Fi Direct adapter.`, facts);
    const help = 'See "netsh wlan show wirelesscapabilities". Try a newer driver or another adapter.';
    return warning(`${seen} Windows has not created a Wi-Fi Direct adapter for it.`, help, facts);
  },
});

export const policy = windowsCheck({
  id: 'policy',
  title: 'Policy, hotspot, location',
  notHere: withRadioOnly,
  run: async (windows) => {
    const allow = await windows.registry(
      'SOFTWARE\\Microsoft\\PolicyManager\\current\\device\\Wifi',
      'AllowWiFiDirect',
    );
    const hotspot = await windows.service('icssvc');
    const consent = 'SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\CapabilityAccessManager\\ConsentStore\\location';
    const location = await windows.registry(consent, 'Value');
    const facts = { AllowWiFiDirect: allow ?? 'absent', hotspot: hotspot?.state ?? 'absent', location };
    const findings: Finding[] = [];
    if (allow === 0) {
      findings.push(
        failed('A policy disables Wi-Fi Direct (AllowWiFiDirect is 0).', 'Set it to 1, or remove the policy.'),
      );
    }
    if (hotspot?.state === 'running') {
      const help = 'Turn Mobile hotspot off. Many radios do not support both at once.';
      findings.push(warning('Mobile hotspot may be using the radio (icssvc is running).', help));
    }
    if (location === 'Deny') {
      const help = 'If calls fail with error 5, turn it on in Settings, Privacy & security, Location.';
      findings.push(warning('Location access is off. Since Windows 11 24H2 some WLAN calls need it.', help));
    }
    return together(findings.length > 0 ? findings : [ok('No policy disables Wi-Fi Direct.')], facts);
  },
});

export const rights = windowsCheck({
  id: 'rights',
  title: 'Access to WLAN',
  notHere: withRadioOnly,
  run: async (windows) => {
    const { openCode, security } = await windows.wlan();
    const facts = { openCode, security };
    const account = 'Install the service with --account LocalSystem (from a protected folder), or use another account.';
    if (openCode === winerror.ERROR_ACCESS_DENIED)
      return failed('WlanOpenHandle failed with access denied (5).', account, facts);
    if (openCode !== 0) {
      return failed(`WlanOpenHandle failed: ${codeText(openCode)}.`, 'Start WLAN AutoConfig: net start WlanSvc', facts);
    }
    if (security === undefined) return ok('WLAN can be opened. Access to Wi-Fi Direct could not be checked.', facts);
    const { code, granted } = security;
    if (code === 0 && granted !== 0)
      return ok(`WLAN can be opened. Access to Wi-Fi Direct: 0x${granted.toString(16)}.`, facts);
    const seen = `WLAN can be opened, but not its Wi-Fi Direct settings: ${code === 0 ? 'access denied' : codeText(code)}.`;
    return warning(seen, `If sessions fail with error 5: ${account}`, facts);
  },
});

export const firewall = windowsCheck({
  id: 'firewall',
  title: 'Windows Firewall',
  notHere: onWindowsOnly,
  run: async (windows, host) => {
    const config = configOf(host);
    const served = exposedPorts(config);
    if (served.length === 0) return ok('Only this host is served, so no rule is needed.');
    const rule = `Wi-Fi Direct Gateway (${host.service})`;
    const { exitCode } = await windows.run('netsh.exe', ['advfirewall', 'firewall', 'show', 'rule', `name=${rule}`]);
    if (exitCode === 0) return ok(`The rule "${rule}" exists for port ${served.join(', ')}.`);
    const note = firewallNote(config, { rule, program: process.execPath, service: host.service }) ?? '';
    return warning(`There is no rule "${rule}" for port ${served.join(', ')}. Another rule may allow it.`, note);
  },
});

/** Settings of `service install` that are one number. */
const SETTINGS = [
  ['restart on failure', svc.SERVICE_CONFIG_FAILURE_ACTIONS, (first: number) => first > 0],
  ['restart after a failed start', svc.SERVICE_CONFIG_FAILURE_ACTIONS_FLAG, (first: number) => first !== 0],
  ['delayed start', svc.SERVICE_CONFIG_DELAYED_AUTO_START_INFO, (first: number) => first !== 0],
  ['a service SID', svc.SERVICE_CONFIG_SERVICE_SID_INFO, (first: number) => first !== 0],
  ['time to close sessions at shutdown', svc.SERVICE_CONFIG_PRESHUTDOWN_INFO, (first: number) => first > 0],
] as const;

export const service = windowsCheck({
  id: 'service',
  title: 'The Windows service',
  notHere: onWindowsOnly,
  run: async (windows, { service: name }) => {
    const found = await windows.service(name);
    if (found === undefined) return ok(`The service ${name} is not installed.`);
    const settings = await Promise.all(
      SETTINGS.map(async ([what, level, isSet]) => {
        const first = await windows.serviceSetting(name, level);
        return { what, first, isSet: first !== undefined && isSet(first) };
      }),
    );
    const key = `SYSTEM\\CurrentControlSet\\Services\\${name}`;
    const [environment, dependencies] = await Promise.all(
      ['Environment', 'DependOnService'].map((value) => windows.registry(key, value)),
    );
    const source = `SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\${name}`;
    const events = await windows.registry(source, 'EventMessageFile');
    const facts = { ...found, settings, environment, dependencies, events, sid: serviceSid(name) };
    const lacking: string[] = settings.flatMap(({ what, isSet }) => (isSet ? [] : [what]));
    if (environment !== serviceEnvironment().join('\n')) lacking.push('UV_THREADPOOL_SIZE in its environment');
    if (events === undefined) lacking.push('its event source');
    const seen = `${name} is ${found.state}, as ${found.account}`;
    if (found.startType === svc.SERVICE_DISABLED) {
      return failed(`${seen}, and disabled.`, 'Run wfdd service install to enable it.', facts);
    }
    if (lacking.length === 0) return ok(`${seen}, with the settings of the installation.`, facts);
    return warning(`${seen}, without ${lacking.join(', ')}.`, 'Run wfdd service install again.', facts);
  },
});

const POWER_KEY = 'SYSTEM\\CurrentControlSet\\Control\\Session Manager\\Power';

export const power = windowsCheck({
  id: 'power',
  title: 'Sleep and fast startup',
  notHere: onWindowsOnly,
  run: async (windows) => {
    const { code, modernStandby } = await windows.power();
    const hiberboot = await windows.registry(POWER_KEY, 'HiberbootEnabled');
    const facts = { code, modernStandby, HiberbootEnabled: hiberboot };
    if (code !== 0) {
      const seen = `Windows does not report its sleep states (${codeText(code)}).`;
      return warning(seen, 'Send us the report. Nothing else depends on it.', facts);
    }
    const kind = modernStandby
      ? 'The computer has Modern Standby, which Windows does not report to services.'
      : 'The computer has no Modern Standby.';
    if (hiberboot !== 1) return ok(kind, facts);
    const help = 'Turn Fast startup off (Control Panel, Power Options), so that "Shut down" closes sessions.';
    return warning(`${kind} Fast startup is on: "Shut down" hibernates services.`, help, facts);
  },
});
