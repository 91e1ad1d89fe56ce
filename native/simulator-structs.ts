/**
 * The structs of `native/simulator/control.h` for koffi, and the conversion between them and the
 * plain values of simulator-types.ts.
 *
 * Invariant: the order and widths of the fields are those of the header. A test compares the sizes.
 */
import { isIPv4 } from 'node:net';
import koffi from 'koffi';
import {
  type CloseScript,
  type Count,
  type Delay,
  type DeviceNode,
  type DeviceSettings,
  type Flag,
  type LinkEnd,
  MISUSE_KINDS,
  type MisuseRecord,
  type OpenScript,
  type ScriptScope,
  type ServiceStop,
  SIMULATED_FUNCTIONS,
  type SimulatedDevice,
  type SimulatedFunction,
  type SimulatorCounts,
  type SimulatorDefaults,
  type SimulatorLimits,
  type VisibilityScript,
} from './simulator-types.js';
import { macFromBytes, macToBytes } from './types.js';

const SIM_NEVER = 0xff_ff_ff_ff;
const SIM_DEFAULT = 0xff_ff_ff_fe;
const SIM_ALWAYS = 0xff_ff_ff_ff;
const FLAGS: readonly Flag[] = [false, true, 'empty'];
const INTERFACE_EFFECTS = ['gone', 'down', 'disconnected'] as const;
const NAME_BYTES = 64;
const GROUP_BYTES = 32;
const SUFFIX_BYTES = 16;
const SIM_AS_DEVICE = 3;
/** Indexed by the values of `is_absent`. */
const PRESENCE: readonly Flag[] = [true, false, 'empty'];

const address = koffi.array('uint8_t', 6, 'Buffer');
const ipv4 = koffi.array('uint8_t', 4, 'Buffer');

koffi.struct('SimDevice', {
  device_address: address,
  interface_address: address,
  local_address: ipv4,
  peer_address: ipv4,
  ...fields('uint8_t', 'is_legacy is_in_range is_visible is_connected is_transient is_absent reserved_1 reserved_2'),
  ...fields('uint32_t', 'link_quality address_ms interface_index'),
  name: koffi.array('char', NAME_BYTES, 'String'),
  interface_group: koffi.array('char', GROUP_BYTES, 'String'),
});
koffi.struct('SimNode', {
  device_address: address,
  ...fields('uint8_t', 'is_connected is_visible'),
  suffix: koffi.array('char', SUFFIX_BYTES, 'String'),
});
koffi.struct(
  'SimDefaults',
  fields('uint32_t', 'open_ms legacy_open_ms cancel_ms close_ms visibility_ms address_ms race_grace_ms'),
);
koffi.struct('SimLimits', fields('uint32_t', 'clients_max sessions_max memory_exhausted'));
koffi.struct('SimLinkEnd', fields('uint32_t', 'interface_effect interface_ms node_ms'));
koffi.struct('SimOpenScript', {
  device_address: address,
  ...fields('uint8_t', 'callback_first cancel_loses'),
  ...fields('uint32_t', 'count code error reason_code delay_ms'),
  ...fields('uint32_t', 'cancel_error cancel_reason_code cancel_ms interface_ms node_ms drop_ms'),
});
koffi.struct('SimCloseScript', {
  device_address: address,
  ...fields('uint8_t', 'reserved_1 reserved_2'),
  ...fields('uint32_t', 'count code delay_ms'),
  end: 'SimLinkEnd',
});
koffi.struct('SimVisibilityScript', {
  device_address: address,
  ...fields('uint8_t', 'reserved_1 reserved_2'),
  ...fields('uint32_t', 'count code delay_ms visible'),
});
koffi.struct('SimCallScript', fields('uint32_t', 'function count block_ms code'));
koffi.struct(
  'SimServiceStop',
  fields('uint32_t', 'call_code blocked_call_code open_error close_handle_code stale_client_code'),
);
koffi.struct('SimMisuseRecord', { ...fields('uint64_t', 'time_ms value'), ...fields('uint32_t', 'kind function') });
koffi.struct('SimCounts', {
  ...fields('uint32_t', 'clients sessions opens_pending closes_queued queries notifications'),
  ...fields('uint32_t', 'data_blocks calls_blocked callbacks_pending events_scheduled'),
  ...fields('uint64_t', 'opens closes lost_races'),
});

/** A struct as koffi takes it. */
export type RawStruct = Record<string, unknown>;

function fields(type: string, names: string): Record<string, string> {
  return Object.fromEntries(names.split(' ').map((name) => [name, type]));
}

/** A delay for a field. If it is left out, the default of the world applies. */
export function delayOf(delay: Delay | undefined, otherwise: number = SIM_DEFAULT): number {
  if (delay === undefined) return otherwise;
  if (delay === 'never') return SIM_NEVER;
  if (!Number.isInteger(delay) || delay < 0 || delay >= SIM_DEFAULT) throw new RangeError(`Not a delay: ${delay}`);
  return delay;
}

/** A count for a field. If it is left out, it is 1. */
export function countOf(count: Count | undefined): number {
  return count === 'always' ? SIM_ALWAYS : (count ?? 1);
}

/** The number of a function in control.h. If it is left out, SIM_FUNCTION_ANY. */
export function functionNumber(name: SimulatedFunction | undefined): number {
  return name === undefined ? 0 : SIMULATED_FUNCTIONS.indexOf(name) + 1;
}

function scopeOf({ deviceAddress, count }: ScriptScope): RawStruct {
  return {
    device_address: deviceAddress === undefined ? Buffer.alloc(6) : macToBytes(deviceAddress),
    count: countOf(count),
  };
}

function textOf(text: string, bytes: number): string {
  if (Buffer.byteLength(text) >= bytes) throw new RangeError(`Longer than ${bytes - 1} bytes of UTF-8: ${text}`);
  return text;
}

function ipv4Of(text: string | undefined): Buffer {
  if (text === undefined) return Buffer.alloc(4);
  if (!isIPv4(text)) throw new TypeError(`Not an IPv4 address: ${text}`);
  return Buffer.from(text.split('.').map(Number));
}

export function deviceToRaw(deviceAddress: string, settings: DeviceSettings): RawStruct {
  const { interfaceAddress } = settings;
  return {
    device_address: macToBytes(deviceAddress),
    interface_address: interfaceAddress === undefined ? Buffer.alloc(6) : macToBytes(interfaceAddress),
    local_address: ipv4Of(settings.localAddress),
    peer_address: ipv4Of(settings.peerAddress),
    is_legacy: Number(settings.isLegacy ?? false),
    is_in_range: Number(settings.isInRange ?? true),
    is_visible: FLAGS.indexOf(settings.isVisible ?? true),
    is_connected: 0,
    is_transient: Number(settings.isTransient ?? false),
    is_absent: PRESENCE.indexOf(settings.isPresent ?? true),
    reserved_1: 0,
    reserved_2: 0,
    link_quality: settings.linkQuality ?? 100,
    address_ms: delayOf(settings.addressMs),
    interface_index: 0,
    name: textOf(settings.name ?? '', NAME_BYTES),
    interface_group: textOf(settings.interfaceGroup ?? '', GROUP_BYTES),
  };
}

export function deviceFromRaw(raw: RawStruct): SimulatedDevice {
  const number = (field: string) => raw[field] as number;
  const bytes = (field: string) => raw[field] as Buffer;
  return {
    deviceAddress: macFromBytes(bytes('device_address')),
    name: raw['name'] as string,
    isLegacy: number('is_legacy') === 1,
    isInRange: number('is_in_range') === 1,
    isVisible: FLAGS[number('is_visible')] ?? 'empty',
    isConnected: FLAGS[number('is_connected')] ?? 'empty',
    linkQuality: number('link_quality'),
    interfaceAddress: macFromBytes(bytes('interface_address')),
    localAddress: bytes('local_address').join('.'),
    peerAddress: bytes('peer_address').join('.'),
    addressMs: delayFromRaw(number('address_ms')),
    interfaceGroup: raw['interface_group'] as string,
    isTransient: number('is_transient') === 1,
    isPresent: PRESENCE[number('is_absent')] ?? 'empty',
    interfaceIndex: number('interface_index'),
  };
}

export function nodeToRaw(deviceAddress: string, { suffix, isConnected, isVisible }: DeviceNode): RawStruct {
  const flag = (value: Flag | undefined) => (value === undefined ? SIM_AS_DEVICE : FLAGS.indexOf(value));
  return {
    device_address: macToBytes(deviceAddress),
    is_connected: flag(isConnected),
    is_visible: flag(isVisible),
    suffix: textOf(suffix, SUFFIX_BYTES),
  };
}

function delayFromRaw(value: number): Delay | undefined {
  if (value === SIM_NEVER) return 'never';
  return value === SIM_DEFAULT ? undefined : value;
}

export function linkEndToRaw(end: LinkEnd = {}): RawStruct {
  return {
    interface_effect: INTERFACE_EFFECTS.indexOf(end.interfaceEffect ?? 'gone'),
    interface_ms: delayOf(end.interfaceMs, 0),
    node_ms: delayOf(end.nodeMs, 0),
  };
}

export function openScriptToRaw(script: OpenScript): RawStruct {
  return {
    ...scopeOf(script),
    callback_first: Number(script.isCallbackFirst ?? false),
    cancel_loses: Number(script.doesCancelLose ?? false),
    code: script.code ?? 0,
    error: script.error ?? SIM_DEFAULT,
    reason_code: script.reasonCode ?? 0,
    delay_ms: delayOf(script.delayMs),
    cancel_error: script.cancelError ?? SIM_DEFAULT,
    cancel_reason_code: script.cancelReasonCode ?? SIM_DEFAULT,
    cancel_ms: delayOf(script.cancelMs),
    interface_ms: delayOf(script.interfaceMs, 0),
    node_ms: delayOf(script.nodeMs, 0),
    drop_ms: delayOf(script.dropMs, SIM_NEVER),
  };
}

export function closeScriptToRaw(script: CloseScript): RawStruct {
  return {
    ...scopeOf(script),
    reserved_1: 0,
    reserved_2: 0,
    code: script.code ?? 0,
    delay_ms: delayOf(script.delayMs),
    end: linkEndToRaw(script.end),
  };
}

export function visibilityScriptToRaw(script: VisibilityScript): RawStruct {
  return {
    ...scopeOf(script),
    reserved_1: 0,
    reserved_2: 0,
    code: script.code ?? 0,
    delay_ms: delayOf(script.delayMs),
    visible: script.visible === undefined ? SIM_DEFAULT : FLAGS.indexOf(script.visible),
  };
}

export function serviceStopToRaw(stop: ServiceStop): RawStruct {
  return {
    call_code: stop.callCode ?? 1062,
    blocked_call_code: stop.blockedCallCode ?? 1726,
    open_error: stop.openError ?? 1726,
    close_handle_code: stop.closeHandleCode ?? 1722,
    stale_client_code: stop.staleClientCode ?? 6,
  };
}

export function limitsToRaw({ clientsMax, sessionsMax, isMemoryExhausted }: SimulatorLimits): RawStruct {
  return { clients_max: clientsMax, sessions_max: sessionsMax, memory_exhausted: Number(isMemoryExhausted) };
}

export function limitsFromRaw(raw: RawStruct): SimulatorLimits {
  return {
    clientsMax: raw['clients_max'] as number,
    sessionsMax: raw['sessions_max'] as number,
    isMemoryExhausted: raw['memory_exhausted'] === 1,
  };
}

export function defaultsToRaw(defaults: SimulatorDefaults): RawStruct {
  const snake = (name: string) => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return Object.fromEntries(Object.entries(defaults).map(([name, ms]) => [snake(name), delayOf(ms)]));
}

/** SimDefaults and SimCounts: the fields of the plain value, in snake_case. */
export function numbersFromRaw<T extends SimulatorDefaults | SimulatorCounts>(raw: RawStruct): T {
  const camel = (name: string) => name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return Object.fromEntries(Object.entries(raw).map(([name, value]) => [camel(name), Number(value)])) as unknown as T;
}

export function misuseRecordFromRaw(raw: RawStruct): MisuseRecord {
  const kind = MISUSE_KINDS[(raw['kind'] as number) - 1];
  if (kind === undefined) throw new RangeError(`Not a kind of misuse: ${raw['kind']}`);
  return {
    kind,
    function: SIMULATED_FUNCTIONS[(raw['function'] as number) - 1],
    timeMs: Number(raw['time_ms']),
    value: BigInt(raw['value'] as number | bigint),
  };
}
