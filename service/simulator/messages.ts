/** Converts requests into the values of the simulator's controls, and back. */
import { isIPv4 } from 'node:net';
import type {
  Count,
  Delay,
  DeviceNode,
  DeviceSettings,
  Flag,
  LinkEnd,
  SimulatedDevice,
  SimulatedFunction,
  SimulatorDefaults,
} from '../../native/simulator-types.js';
import { MISUSE_KINDS, type Misuse, SIMULATED_FUNCTIONS } from '../../native/simulator-types.js';
import type { Duration } from '../../proto/gen/google/protobuf/duration.js';
import * as proto from '../../proto/gen/wifidirect/simulator/v1/simulator_service.js';
import * as check from '../api/requests.js';
import { fromDuration, toDuration } from '../codec/messages.js';

/** The simulated clock has 32 bits of milliseconds. The highest values have special meanings. */
const MS_MAX = 4_294_967_293;

const NAME_BYTES_MAX = 63;
const GROUP_BYTES_MAX = 31;
const SUFFIX_BYTES_MAX = 15;

/** Removes unset fields, because the world chooses the values of fields that are missing. */
type Given<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

export function given<T extends object>(values: { [K in keyof T]: T[K] | undefined }): Given<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Given<T>;
}

/** Cut to whole milliseconds after the range check. */
export function fromMs(field: string, duration: Duration | undefined): number | undefined {
  if (duration === undefined) return undefined;
  const ms = fromDuration(duration);
  if (ms >= 0 && ms <= MS_MAX) return Math.floor(ms);
  throw check.invalid(field, check.inSeconds(ms), 'must be a Duration from 0 to 49 days');
}

export function fromDelay(field: string, delay: proto.Delay | undefined): Delay | undefined {
  const choice = delay?.delay;
  if (choice === undefined) return undefined;
  if (choice.$case === 'duration') return fromMs(field, choice.value);
  if (!choice.value) throw check.invalid(`${field}.never`, 'false', 'must be true, or another delay');
  return 'never';
}

const flags = {
  [proto.PropertyFlag.UNSPECIFIED]: undefined,
  [proto.PropertyFlag.FALSE]: false,
  [proto.PropertyFlag.TRUE]: true,
  [proto.PropertyFlag.EMPTY]: 'empty',
} as const;

export function fromFlag(field: string, flag: number): Flag | undefined {
  if (!(flag in flags)) throw check.invalid(field, String(flag), 'must be a known PropertyFlag');
  return flags[flag as keyof typeof flags];
}

/** 0 means once. */
export function fromCount(count: number): Count | undefined {
  if (count === 0xffffffff) return 'always';
  return count === 0 ? undefined : count;
}

export function fromScope(scope: proto.ScriptScope | undefined) {
  const address = scope?.deviceAddress ?? '';
  return {
    deviceAddress: address === '' ? undefined : check.deviceAddress(address, 'scope.device_address'),
    count: fromCount(scope?.count ?? 0),
  };
}

/** 0 means any function. */
export function fromFunction(fn: number): SimulatedFunction | undefined {
  const name = SIMULATED_FUNCTIONS[fn - 1];
  if (fn !== 0 && name === undefined) throw check.invalid('function', String(fn), 'must be a known WindowsFunction');
  return name;
}

const effects = {
  [proto.InterfaceEffect.UNSPECIFIED]: 'gone',
  [proto.InterfaceEffect.GONE]: 'gone',
  [proto.InterfaceEffect.DOWN]: 'down',
  [proto.InterfaceEffect.DISCONNECTED]: 'disconnected',
} as const;

export function fromLinkEnd(end: proto.LinkEnd | undefined): LinkEnd {
  const effect = end?.interfaceEffect ?? proto.InterfaceEffect.UNSPECIFIED;
  if (!(effect in effects)) {
    throw check.invalid('end.interface_effect', String(effect), 'must be a known InterfaceEffect');
  }
  return given<LinkEnd>({
    interfaceEffect: effects[effect as keyof typeof effects],
    interfaceMs: fromDelay('end.interface_delay', end?.interfaceDelay),
    nodeMs: fromDelay('end.node_delay', end?.nodeDelay),
  });
}

export function fromSettings(settings: proto.DeviceSettings | undefined): DeviceSettings {
  if (settings === undefined) return {};
  const { legacy: isLegacy, inRange: isInRange, linkQuality, interfaceAddress } = settings;
  if (linkQuality !== undefined && linkQuality > 100) {
    throw check.invalid('settings.link_quality', String(linkQuality), 'must be 0 to 100');
  }
  return given<DeviceSettings>({
    name: fromText('settings.name', settings.name, NAME_BYTES_MAX),
    isLegacy,
    isInRange,
    isVisible: fromFlag('settings.visible', settings.visible),
    linkQuality,
    interfaceAddress: interfaceAddress && check.deviceAddress(interfaceAddress, 'settings.interface_address'),
    localAddress: fromIpv4('settings.local_address', settings.localAddress),
    peerAddress: fromIpv4('settings.peer_address', settings.peerAddress),
    addressMs: fromDelay('settings.address_delay', settings.addressDelay),
    interfaceGroup: fromText('settings.interface_group', settings.interfaceGroup, GROUP_BYTES_MAX),
    isTransient: settings.transient,
    isPresent: fromFlag('settings.present', settings.present),
  });
}

export function fromNode({ suffix, connected, visible }: proto.SetDeviceNodeRequest): DeviceNode {
  fromText('suffix', suffix, SUFFIX_BYTES_MAX);
  return {
    suffix,
    ...given<Omit<DeviceNode, 'suffix'>>({
      isConnected: fromFlag('connected', connected),
      isVisible: fromFlag('visible', visible),
    }),
  };
}

function fromText(field: string, text: string | undefined, bytesMax: number): string | undefined {
  if (text === undefined || Buffer.byteLength(text) <= bytesMax) return text;
  throw check.invalid(field, text, `must be ${bytesMax} bytes of UTF-8 at most`);
}

function fromIpv4(field: string, text: string | undefined): string | undefined {
  if (text === undefined || isIPv4(text)) return text;
  throw check.invalid(field, text, 'must be an IPv4 address');
}

export function toSimulatedDevice(device: SimulatedDevice): proto.SimulatedDevice {
  return {
    deviceAddress: device.deviceAddress,
    settings: {
      name: device.name,
      legacy: device.isLegacy,
      inRange: device.isInRange,
      visible: toFlag(device.isVisible),
      linkQuality: device.linkQuality,
      interfaceAddress: device.interfaceAddress,
      localAddress: device.localAddress,
      peerAddress: device.peerAddress,
      addressDelay: toDelay(device.addressMs),
      interfaceGroup: device.interfaceGroup,
      transient: device.isTransient,
      present: toFlag(device.isPresent),
    },
    connected: toFlag(device.isConnected),
    interfaceIndex: device.interfaceIndex,
  };
}

export function fromDefaults(defaults: proto.SimulatorDefaults | undefined): Partial<SimulatorDefaults> {
  return given<SimulatorDefaults>({
    openMs: fromMs('defaults.open', defaults?.open),
    legacyOpenMs: fromMs('defaults.legacy_open', defaults?.legacyOpen),
    cancelMs: fromMs('defaults.cancel', defaults?.cancel),
    closeMs: fromMs('defaults.close', defaults?.close),
    visibilityMs: fromMs('defaults.visibility', defaults?.visibility),
    addressMs: fromMs('defaults.address', defaults?.address),
    raceGraceMs: fromMs('defaults.race_grace', defaults?.raceGrace),
  });
}

export function toDefaults(defaults: SimulatorDefaults): proto.SimulatorDefaults {
  return {
    open: toDuration(defaults.openMs),
    legacyOpen: toDuration(defaults.legacyOpenMs),
    cancel: toDuration(defaults.cancelMs),
    close: toDuration(defaults.closeMs),
    visibility: toDuration(defaults.visibilityMs),
    address: toDuration(defaults.addressMs),
    raceGrace: toDuration(defaults.raceGraceMs),
  };
}

/** Only the kinds that occurred. */
export function toMisuse(misuse: Misuse): Pick<proto.GetMisuseResponse, 'total' | 'counts' | 'records'> {
  const kindOf = (kind: string) =>
    (MISUSE_KINDS.indexOf(kind as (typeof MISUSE_KINDS)[number]) + 1) as proto.MisuseKind;
  return {
    total: BigInt(misuse.total),
    counts: Object.entries(misuse.counts)
      .filter(([, count]) => count > 0)
      .map(([kind, count]) => ({ kind: kindOf(kind), count: BigInt(count) })),
    records: misuse.records.map((record) => ({
      kind: kindOf(record.kind),
      function: (record.function === undefined
        ? 0
        : SIMULATED_FUNCTIONS.indexOf(record.function) + 1) as proto.WindowsFunction,
      time: toDuration(record.timeMs),
      value: record.value,
    })),
  };
}

function toFlag(flag: Flag): proto.PropertyFlag {
  if (flag === 'empty') return proto.PropertyFlag.EMPTY;
  return flag ? proto.PropertyFlag.TRUE : proto.PropertyFlag.FALSE;
}

function toDelay(delay: Delay | undefined): proto.Delay | undefined {
  if (delay === undefined) return undefined;
  if (delay === 'never') return { delay: { $case: 'never', value: true } };
  return { delay: { $case: 'duration', value: toDuration(delay) } };
}
