/** Checks of the native libraries, called as the daemon calls them. */
import { type DevFilter, type DevObject, findProperty } from '../../native/cfgmgr32.js';
import * as c from '../../native/constants.js';
import { ipInterfaceChangeCallbacks } from '../../native/iphlpapi.js';
import { LibraryNotAvailable } from '../../native/library.js';
import { macFromBytes } from '../../native/types.js';
import { within } from '../deadline.js';
import { DeviceNodes, nodeProperties } from '../driver/device-nodes.js';
import { type Check, codeText, type Facts, type Finding, failed, ok, timed, together, warning } from './check.js';
import type { DoctorHost } from './host.js';

const { winerror } = c;
/** Slower calls are reported. */
const ANSWER_MS_GOOD = 1000;

export const libraries: Check = {
  id: 'libraries',
  title: 'Native libraries',
  run: async ({ native }) => {
    const missing = native.missing.map(({ message }) => message);
    if (missing.length === 0) return ok('All functions are available.');
    const help =
      'On Windows Server, install the feature (Install-WindowsFeature Wireless-Networking) and restart. ' +
      'On Windows N, or if a tool has removed it, repair Windows.';
    return failed(`${missing.join('; ')}.`, help, { missing });
  },
};

const HANDLE_HELP: Readonly<Record<number, string>> = {
  [winerror.ERROR_ACCESS_DENIED]:
    'The account has no access to Wi-Fi Direct. Install the service with --account LocalSystem.',
  [winerror.ERROR_NOT_SUPPORTED]:
    'The adapter driver does not support Wi-Fi Direct. Update it, or use another adapter.',
  [winerror.ERROR_NOT_FOUND]: 'The adapter driver does not support Wi-Fi Direct. Update it, or use another adapter.',
  [winerror.ERROR_SERVICE_NOT_ACTIVE]: 'Start WLAN AutoConfig: net start WlanSvc',
  [winerror.ERROR_INVALID_STATE]: 'A group policy disables Wi-Fi Direct. Ask the administrator to change it.',
  [winerror.ERROR_MOD_NOT_FOUND]: 'Install the feature: Install-WindowsFeature Wireless-Networking',
};

export const handle: Check = {
  id: 'handle',
  title: 'Wi-Fi Direct (WFDOpenHandle)',
  run: async ({ native: { wlanapi } }) => {
    const { answer, ms } = await timed(() => unlessMissing(() => wlanapi.WFDOpenHandle(c.WFD_API_VERSION)));
    if (answer instanceof LibraryNotAvailable)
      return failed(`${answer.message}.`, 'See the check "Native libraries" above.');
    const { code, dwNegotiatedVersion, hClientHandle } = answer;
    if (code !== 0) {
      const help =
        HANDLE_HELP[code] ??
        'Restart WLAN AutoConfig (net stop WlanSvc, net start WlanSvc), then run the doctor again.';
      return failed(`WFDOpenHandle failed after ${ms} ms: ${codeText(code)}.`, help, { code, openMs: ms });
    }
    const closed = await timed(() => wlanapi.WFDCloseHandle(hClientHandle));
    const facts = { code, version: dwNegotiatedVersion, openMs: ms, closeCode: closed.answer.code, closeMs: closed.ms };
    const seen = `Version ${dwNegotiatedVersion}; opened in ${ms} ms, closed in ${closed.ms} ms.`;
    if (closed.answer.code !== 0) {
      return failed(`WFDCloseHandle failed: ${codeText(closed.answer.code)}.`, 'Send us the report.', facts);
    }
    if (dwNegotiatedVersion !== c.WFD_API_VERSION) {
      return warning(`${seen} Version ${c.WFD_API_VERSION} was requested.`, 'Send us the report.', facts);
    }
    if (Math.max(ms, closed.ms) < ANSWER_MS_GOOD) return ok(seen, facts);
    return warning(`${seen} That is slow.`, 'Restart WLAN AutoConfig. A driver may hang.', facts);
  },
};

async function unlessMissing<T>(call: () => Promise<T>): Promise<T | LibraryNotAvailable> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof LibraryNotAvailable) return error;
    throw error;
  }
}

const empty = { Type: c.DEVPROP_TYPE_EMPTY, Value: null } as const;
const has = (Key: c.DevPropKey): DevFilter => ({
  Operator: c.DEVPROP_OPERATOR_NOT_EQUALS,
  Property: { Key, ...empty },
});
const ofClass: DevFilter = {
  Operator: c.DEVPROP_OPERATOR_EQUALS,
  Property: {
    Key: c.DEVPKEY_DeviceInterface_ClassGuid,
    Type: c.DEVPROP_TYPE_GUID,
    Value: c.GUID_DEVINTERFACE_WIFIDIRECT_DEVICE,
  },
};

/**
 * All queries that could find paired devices. The daemon uses the first, for nodes and for
 * interfaces.
 */
const FILTERS: readonly (readonly [string, DevFilter])[] = [
  ['has DeviceAddress', has(c.DEVPKEY_WiFiDirect_DeviceAddress)],
  ['has DeviceAddressCopy', has(c.DEVPKEY_WiFiDirect_DeviceAddressCopy)],
  [
    'DeviceAddress exists',
    { Operator: c.DEVPROP_OPERATOR_EXISTS, Property: { Key: c.DEVPKEY_WiFiDirect_DeviceAddress, ...empty } },
  ],
  ['is of the interface class', ofClass],
];
const TYPES = [
  ['nodes', c.DevObjectTypeDevice],
  ['interfaces', c.DevObjectTypeDeviceInterface],
] as const;
const ENDPOINTS = [
  ['endpoints', c.DevObjectTypeAEP],
  ['endpoint services', c.DevObjectTypeAEPService],
] as const;

interface Asked {
  readonly what: string;
  readonly filter: string;
  readonly code: number;
  readonly objects: readonly DevObject[];
}

export const deviceQuery: Check = {
  id: 'device-query',
  title: 'Device query',
  run: async (host) => {
    const answers = await unlessMissing(() => askAll(host));
    if (answers instanceof LibraryNotAvailable) return failed(`${answers.message}.`, 'Repair Windows.');
    return judgeQueries(answers);
  },
};

async function askAll({ native: { cfgmgr32 }, endpoints }: DoctorHost): Promise<Asked[]> {
  const answers: Asked[] = [];
  for (const [what, type] of endpoints ? [...TYPES, ...ENDPOINTS] : TYPES) {
    for (const [filter, expression] of FILTERS) {
      if (expression === ofClass && type !== c.DevObjectTypeDeviceInterface) continue;
      const properties = [...nodeProperties, c.DEVPKEY_Device_InstanceId];
      const { code, Objects } = await cfgmgr32.DevGetObjects(type, c.DevQueryFlagNone, properties, [expression]);
      answers.push({ what, filter, code, objects: Objects });
    }
  }
  return answers;
}

/** Judges whether Windows accepts the daemon's queries, and whether their results agree. */
function judgeQueries(answers: readonly Asked[]): Finding {
  const facts = { queries: answers.map(describeAnswer) };
  const asked = (what: string) => answers.find((each) => each.what === what && each.filter === 'has DeviceAddress');
  const [nodes, interfaces] = [asked('nodes'), asked('interfaces')];
  const refused = [nodes, interfaces].find((each) => each !== undefined && each.code !== 0);
  if (refused !== undefined) {
    const seen = `The query for device ${refused.what} failed: ${codeText(refused.code)}.`;
    return failed(seen, 'Send us the report. Devices cannot be listed, but sessions can be opened by address.', facts);
  }
  const of = (each: Asked | undefined) => [...new Set(each?.objects.flatMap(addressOf))].sort();
  const [onNodes, onInterfaces] = [of(nodes), of(interfaces)];
  const count = `${nodes?.objects.length ?? 0} nodes with ${onNodes.length} addresses, ${interfaces?.objects.length ?? 0} interfaces with ${onInterfaces.length}.`;
  if (onNodes.join() === onInterfaces.join() || onInterfaces.length === 0) return ok(count, facts);
  return warning(`${count} They differ.`, 'Nothing to do, because both are merged. Send us the report.', facts);
}

function addressOf(object: DevObject): string[] {
  const bytes = findProperty(object, c.DEVPKEY_WiFiDirect_DeviceAddress);
  return Buffer.isBuffer(bytes) && bytes.length === 6 ? [macFromBytes(bytes)] : [];
}

/** Only types and lengths, because the values of properties are private. */
function describeAnswer({ what, filter, code, objects }: Asked): Facts {
  const shown = objects.map(({ ObjectId, Properties }) => ({
    id: ObjectId,
    properties: Properties.map(({ Key, Type, Value }) => {
      const length = Buffer.isBuffer(Value) ? Value.length : undefined;
      return {
        key: `${Key.fmtid} ${Key.pid}`,
        type: Type,
        length,
        ...(typeof Value === 'boolean' && { value: Value }),
      };
    }),
  }));
  return { what, filter, code: codeText(code), objects: shown };
}

export const devices: Check = {
  id: 'devices',
  title: 'Paired devices',
  run: async (host) => {
    const answers = await unlessMissing(() => askAll(host));
    if (answers instanceof LibraryNotAvailable) return failed(`${answers.message}.`, 'Repair Windows.');
    const nodes = new DeviceNodes();
    for (const { objects } of answers) for (const object of objects) nodes.put(object);
    nodes.settle();
    const all = [...nodes.devices.values()];
    if (all.length === 0) {
      const help = 'Pair one in Settings, Bluetooth & devices, Add device, Everything else. Then run the doctor again.';
      return warning('No Wi-Fi Direct device is paired.', help);
    }
    const transient = all.filter(({ isTransient }) => isTransient === true).length;
    const absent = all.filter(({ isPresent }) => isPresent === false).length;
    const parts = [
      `${all.length} ${all.length === 1 ? 'is' : 'are'} paired`,
      ...(absent > 0 ? [`${absent} not present`] : []),
      ...(transient > 0 ? [`${transient} that Windows forgets after disconnection`] : []),
    ];
    return ok(`${parts.join(', ')}.`, { devices: all });
  },
};

export const notifications: Check = {
  id: 'notifications',
  title: 'Notifications',
  run: async ({ native: { iphlpapi } }) => {
    const startMs = performance.now();
    let firstMs: number | undefined;
    let arrive = () => {};
    const arrived = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    const context = ipInterfaceChangeCallbacks.registerContext(() => {
      firstMs ??= Math.round(performance.now() - startMs);
      arrive();
    });
    try {
      const asked = await unlessMissing(() => iphlpapi.NotifyIpInterfaceChange(c.AF_UNSPEC, context, true));
      if (asked instanceof LibraryNotAvailable) return failed(`${asked.message}.`, 'Repair Windows.');
      if (asked.code !== 0) {
        return failed(`NotifyIpInterfaceChange failed: ${codeText(asked.code)}.`, 'Send us the report.');
      }
      await within(ANSWER_MS_GOOD, arrived);
      const cancelled = await timed(() => iphlpapi.CancelMibChangeNotify2(asked.NotificationHandle));
      return judgeNotification(firstMs, cancelled.answer.code, cancelled.ms);
    } finally {
      ipInterfaceChangeCallbacks.forgetContext(context);
    }
  },
};

function judgeNotification(firstMs: number | undefined, cancelCode: number, cancelMs: number): Finding {
  const facts = { firstMs, cancelCode, cancelMs };
  const findings: Finding[] = [];
  if (firstMs === undefined) {
    const help = 'Send us the report. Links are then only polled.';
    findings.push(warning('Windows sent no notification within a second.', help));
  }
  if (cancelCode !== 0) {
    findings.push(failed(`CancelMibChangeNotify2 failed: ${codeText(cancelCode)}.`, 'Send us the report.'));
  }
  if (cancelMs > ANSWER_MS_GOOD) findings.push(warning(`The cancel took ${cancelMs} ms.`, 'Send us the report.'));
  if (findings.length > 0) return together(findings, facts);
  return ok(`The first notification came after ${firstMs} ms. The cancel took ${cancelMs} ms.`, facts);
}
