/**
 * The simulated world behind a daemon, as the tests script it: short names, milliseconds, defaults
 * that do nothing.
 */

import { credentials } from '@grpc/grpc-js';
import type { Duration } from '../../proto/gen/google/protobuf/duration.js';
import * as proto from '../../proto/gen/wifidirect/simulator/v1/simulator_service.js';
import { call } from './calls.js';
import { SimulatorServiceClient } from './grpc-services.js';

export type Ms = number | 'never';

interface Scope {
  readonly deviceAddress?: string;
  /** 1 where left out. */
  readonly count?: number;
}

export interface LinkEnd {
  readonly effect?: 'GONE' | 'DOWN' | 'DISCONNECTED';
  readonly interfaceMs?: Ms;
  readonly nodeMs?: Ms;
}

interface OpenOutcome extends Scope {
  readonly code?: number;
  readonly error?: number;
  readonly reasonCode?: number;
  readonly delayMs?: Ms;
  readonly callbackFirst?: boolean;
  readonly cancelLoses?: boolean;
  readonly cancelMs?: Ms;
  /** How a cancelled open completes; 1223 and 0x38001 where left out. */
  readonly cancelled?: { readonly error: number; readonly reasonCode: number };
  readonly interfaceMs?: Ms;
  readonly nodeMs?: Ms;
  readonly dropMs?: Ms;
}

interface CloseOutcome extends Scope {
  readonly code?: number;
  readonly delayMs?: Ms;
  readonly end?: LinkEnd;
}

interface VisibilityOutcome extends Scope {
  readonly code?: number;
  readonly delayMs?: Ms;
  readonly visible?: boolean | 'empty';
}

interface CallOutcome {
  readonly function: string;
  readonly count?: number;
  readonly blockMs?: Ms;
  readonly code?: number;
}

type DeviceFields = Parameters<typeof proto.DeviceSettings.fromPartial>[0] & { readonly addressMs?: Ms };

/** As the count of a script: until the scripts are cleared. */
export const ALWAYS = 0xffffffff;

export class World {
  readonly #client: SimulatorServiceClient;

  constructor(address: string) {
    this.#client = new SimulatorServiceClient(address, credentials.createInsecure());
  }

  /** The world as at the start, without waiting for what the daemon makes of it. */
  async reset(): Promise<void> {
    await call(this.#client.resetWorld.bind(this.#client), {});
  }

  async scriptOpen(outcome: OpenOutcome): Promise<void> {
    const { code, error, reasonCode, callbackFirst, cancelLoses } = outcome;
    const request = proto.ScriptOpenRequest.fromPartial({
      ...scope(outcome),
      startCode: code ?? 0,
      reasonCode: reasonCode ?? 0,
      callbackFirst: callbackFirst ?? false,
      cancelLoses: cancelLoses ?? false,
    });
    request.error = error;
    request.delay = delay(outcome.delayMs);
    request.interfaceDelay = delay(outcome.interfaceMs);
    request.nodeDelay = delay(outcome.nodeMs);
    request.dropDelay = delay(outcome.dropMs);
    if (outcome.cancelMs !== undefined || outcome.cancelled !== undefined) {
      const { error, reasonCode } = outcome.cancelled ?? { error: 1223, reasonCode: 0x38001 };
      request.cancelled = { error, reasonCode, delay: delay(outcome.cancelMs) };
    }
    await call(this.#client.scriptOpen.bind(this.#client), request);
  }

  async scriptClose(outcome: CloseOutcome): Promise<void> {
    const request = proto.ScriptCloseRequest.fromPartial({ ...scope(outcome), code: outcome.code ?? 0 });
    request.delay = delay(outcome.delayMs);
    request.end = linkEnd(outcome.end);
    await call(this.#client.scriptClose.bind(this.#client), request);
  }

  async scriptCall({ function: name, count, blockMs, code }: CallOutcome): Promise<void> {
    const request = proto.ScriptCallRequest.fromPartial({
      function: functionOf(name),
      count: count ?? 0,
      code: code ?? 0,
    });
    request.block = delay(blockMs);
    await call(this.#client.scriptCall.bind(this.#client), request);
  }

  async scriptVisibility(outcome: VisibilityOutcome): Promise<void> {
    const request = proto.ScriptVisibilityRequest.fromPartial({ ...scope(outcome), code: outcome.code ?? 0 });
    request.delay = delay(outcome.delayMs);
    if (outcome.visible !== undefined) request.visible = flagOf(outcome.visible);
    await call(this.#client.scriptVisibility.bind(this.#client), request);
  }

  /** Forgets every script. */
  async clearScripts(): Promise<void> {
    await call(this.#client.clearScripts.bind(this.#client), {});
  }

  /** Lets go of every call that is blocked, and tells how many these were. */
  async releaseCalls(): Promise<number> {
    const request = proto.ReleaseCallsRequest.fromPartial({});
    return (await call(this.#client.releaseCalls.bind(this.#client), request)).releasedCount;
  }

  /** `manual`: nothing that takes time happens but by `advance`. */
  async setClock(mode: 'manual' | 'real'): Promise<void> {
    const request = { mode: mode === 'manual' ? proto.ClockMode.MANUAL : proto.ClockMode.REAL };
    await call(this.#client.setClock.bind(this.#client), request);
  }

  async advance(ms: number): Promise<void> {
    await call(this.#client.advanceClock.bind(this.#client), { duration: duration(ms) });
  }

  async dropLink(deviceAddress: string, end?: LinkEnd): Promise<void> {
    await call(this.#client.dropLink.bind(this.#client), { deviceAddress, end: linkEnd(end) });
  }

  async stopService(how: Parameters<typeof proto.StopWlanServiceRequest.fromPartial>[0] = {}): Promise<void> {
    const request = proto.StopWlanServiceRequest.fromPartial(how);
    await call(this.#client.stopWlanService.bind(this.#client), request);
  }

  async startService(): Promise<void> {
    await call(this.#client.startWlanService.bind(this.#client), {});
  }

  async addDevice(deviceAddress: string, settings: DeviceFields = {}): Promise<void> {
    await call(this.#client.addDevice.bind(this.#client), { deviceAddress, settings: deviceSettings(settings) });
  }

  async updateDevice(deviceAddress: string, settings: DeviceFields): Promise<void> {
    await call(this.#client.updateDevice.bind(this.#client), { deviceAddress, settings: deviceSettings(settings) });
  }

  async removeDevice(deviceAddress: string): Promise<void> {
    await call(this.#client.removeDevice.bind(this.#client), { deviceAddress });
  }

  /** Gives a device one more node, or changes one. */
  async setNode(deviceAddress: string, suffix: string, says: { connected?: boolean | 'empty' } = {}): Promise<void> {
    const connected = says.connected === undefined ? proto.PropertyFlag.UNSPECIFIED : flagOf(says.connected);
    const request = proto.SetDeviceNodeRequest.fromPartial({ deviceAddress, suffix, connected });
    await call(this.#client.setDeviceNode.bind(this.#client), request);
  }

  async removeNode(deviceAddress: string, suffix: string): Promise<void> {
    await call(this.#client.removeDeviceNode.bind(this.#client), { deviceAddress, suffix });
  }

  /** Which kinds of object have the Wi-Fi Direct properties. */
  async setNodeProperties(on: { onDevices?: boolean; onInterfaces?: boolean }): Promise<void> {
    const request = proto.SetNodePropertiesRequest.fromPartial(on);
    await call(this.#client.setNodeProperties.bind(this.#client), request);
  }

  async abortDeviceQueries(): Promise<number> {
    return (await call(this.#client.abortDeviceQueries.bind(this.#client), {})).abortedCount;
  }

  /** `none`: nothing is told; the poll has to find it. Else those that are left out are told. */
  async setNotifications(which: 'all' | 'none' | Partial<proto.SetNotificationsRequest>): Promise<void> {
    const isOn = which === 'all';
    const every = { interfaces: isOn, addresses: isOn, devices: isOn };
    const request = typeof which === 'object' ? proto.SetNotificationsRequest.fromPartial(which) : every;
    await call(this.#client.setNotifications.bind(this.#client), request);
  }

  /** How long things take unless scripted; 0 is allowed. */
  async setDefaults(ms: Partial<Record<keyof proto.SimulatorDefaults, number>>): Promise<void> {
    const defaults = Object.fromEntries(Object.entries(ms).map(([name, value]) => [name, duration(value)]));
    const request = proto.SetDefaultsRequest.fromPartial({ defaults });
    await call(this.#client.setDefaults.bind(this.#client), request);
  }

  async setLimits(limits: Parameters<typeof proto.SimulatorLimits.fromPartial>[0]): Promise<void> {
    await call(this.#client.setLimits.bind(this.#client), { limits: proto.SimulatorLimits.fromPartial(limits) });
  }

  /** Misuses since the last reset by kind; empty where all is well. */
  async misuse(): Promise<Record<string, number>> {
    const { counts } = await call(this.#client.getMisuse.bind(this.#client), {});
    return Object.fromEntries(counts.map(({ kind, count }) => [proto.misuseKindToJSON(kind), Number(count)]));
  }

  async counts(): Promise<proto.LiveCounts> {
    const { live } = await call(this.#client.getMisuse.bind(this.#client), {});
    if (live === undefined) throw new Error('no counts');
    return live;
  }

  disconnect(): void {
    this.#client.close();
  }
}

export function duration(ms: number): Duration {
  return { seconds: BigInt(Math.floor(ms / 1000)), nanos: (ms % 1000) * 1_000_000 };
}

function delay(ms: Ms | undefined): proto.Delay | undefined {
  if (ms === undefined) return undefined;
  if (ms === 'never') return { delay: { $case: 'never', value: true } };
  return { delay: { $case: 'duration', value: duration(ms) } };
}

function deviceSettings({ addressMs, ...fields }: DeviceFields): proto.DeviceSettings {
  const settings = proto.DeviceSettings.fromPartial(fields);
  settings.addressDelay = delay(addressMs);
  return settings;
}

function scope({ deviceAddress = '', count = 0 }: Scope) {
  return { scope: { deviceAddress, count } };
}

function linkEnd(end: LinkEnd | undefined): proto.LinkEnd | undefined {
  if (end === undefined) return undefined;
  return {
    interfaceEffect: proto.InterfaceEffect[end.effect ?? 'GONE'],
    interfaceDelay: delay(end.interfaceMs),
    nodeDelay: delay(end.nodeMs),
  };
}

/** `WFDStartOpenSession` → WFD_START_OPEN_SESSION */
function functionOf(name: string): proto.WindowsFunction {
  const constant = name.replace(/(?<=[a-z0-9])(?=[A-Z])|(?<=WFD)(?=[A-Z])/g, '_').toUpperCase();
  const value = proto.WindowsFunction[constant as keyof typeof proto.WindowsFunction];
  if (typeof value !== 'number') throw new Error(`${name} (${constant}) is no function of the simulator`);
  return value as proto.WindowsFunction;
}

function flagOf(flag: boolean | 'empty'): proto.PropertyFlag {
  if (flag === 'empty') return proto.PropertyFlag.EMPTY;
  return flag ? proto.PropertyFlag.TRUE : proto.PropertyFlag.FALSE;
}
