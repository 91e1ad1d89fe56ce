/**
 * Controls the simulator: the Sim* exports of `native/simulator/control.h`, in plain values. Tests
 * and the simulator's own service use it; the product calls only the Windows names.
 *
 * Invariant: nothing here waits except `waitIdle`. It is asynchronous, because the callbacks for
 * which it waits run on the thread of the event loop.
 */
import { openLibrary } from './library.js';
import * as structs from './simulator-structs.js';
import {
  type CallScript,
  type CloseScript,
  type DeviceNode,
  type DeviceSettings,
  type LinkEnd,
  MISUSE_KINDS,
  type Misuse,
  type MisuseKind,
  type NodeProperties,
  type Notifications,
  type OpenScript,
  type ServiceStop,
  type SimulatedDevice,
  type SimulatedFunction,
  type SimulatorCounts,
  type SimulatorDefaults,
  type SimulatorLimits,
  type VisibilityScript,
} from './simulator-types.js';
import { macToBytes } from './types.js';

type Raw = structs.RawStruct;

/** How many misuses the simulator records. */
const RECORDS_MAX = 64;

/**
 * A control was refused, because an argument does not fit the world, such as a device that is not
 * paired.
 */
export class SimulatorError extends Error {
  override readonly name = 'SimulatorError';
  /** The export of control.h. */
  readonly function: string;
  /** ERROR_INVALID_PARAMETER, ERROR_NOT_FOUND, ERROR_ALREADY_EXISTS or ERROR_NOT_ENOUGH_MEMORY. */
  readonly code: number;

  constructor(functionName: string, code: number) {
    super(`${functionName} returned ${code}`);
    this.function = functionName;
    this.code = code;
  }
}

/** The controls of one simulator library. */
export type SimulatorControl = ReturnType<typeof openSimulatorControl>;

/**
 * Opens the controls of the simulator at this absolute path. They control the world behind the
 * Windows names of the same library. The methods throw LibraryNotAvailable if the library is
 * missing, SimulatorError if the world refuses, and RangeError or TypeError if a value does not fit
 * its field.
 */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: an entry for each function of the library.
export function openSimulatorControl(path: string) {
  const library = openLibrary(path);
  const act = <Args extends unknown[]>(prototype: string) => library.bindSync<Args, void>(`void ${prototype}`);
  const ask = <Args extends unknown[]>(prototype: string) => library.bindSync<Args>(`uint32_t ${prototype}`);
  const demand = <Args extends unknown[]>(prototype: string) => {
    const call = ask<Args>(prototype);
    return (...args: Args): void => {
      const code = call(...args);
      if (code !== 0) throw new SimulatorError(prototype.slice(0, prototype.indexOf('(')), code);
    };
  };
  const read = (get: (into: Raw) => void): Raw => {
    const raw: Raw = {};
    get(raw);
    return raw;
  };

  const SimReset = act('SimReset()');
  const SimGetDefaults = act<[Raw]>('SimGetDefaults(_Out_ SimDefaults *defaults)');
  const SimSetDefaults = demand<[Raw]>('SimSetDefaults(const SimDefaults *defaults)');
  const SimGetLimits = act<[Raw]>('SimGetLimits(_Out_ SimLimits *limits)');
  const SimSetLimits = demand<[Raw]>('SimSetLimits(const SimLimits *limits)');
  const SimSetClock = demand<[number]>('SimSetClock(uint32_t manual)');
  const SimAdvanceClock = demand<[number]>('SimAdvanceClock(uint32_t ms)');
  const SimGetClock = library.bindSync<[]>('uint64_t SimGetClock()');
  const SimAddDevice = demand<[Raw]>('SimAddDevice(const SimDevice *device)');
  const SimUpdateDevice = demand<[Raw]>('SimUpdateDevice(const SimDevice *device)');
  const SimRemoveDevice = demand<[Buffer]>('SimRemoveDevice(const uint8_t *device_address)');
  const SimGetDevice = ask<[Buffer, Raw]>('SimGetDevice(const uint8_t *device_address, _Out_ SimDevice *device)');
  const SimListDevices = ask<[Raw[] | null, number]>('SimListDevices(_Out_ SimDevice *devices, uint32_t capacity)');
  const SimSetNode = demand<[Raw]>('SimSetNode(const SimNode *node)');
  const SimRemoveNode = demand<[Buffer, string]>('SimRemoveNode(const uint8_t *device_address, const char *suffix)');
  const SimSetNodes = demand<[number]>('SimSetNodes(uint32_t mask)');
  const SimScriptOpen = demand<[Raw]>('SimScriptOpen(const SimOpenScript *script)');
  const SimScriptClose = demand<[Raw]>('SimScriptClose(const SimCloseScript *script)');
  const SimScriptVisibility = demand<[Raw]>('SimScriptVisibility(const SimVisibilityScript *script)');
  const SimScriptCall = demand<[Raw]>('SimScriptCall(const SimCallScript *script)');
  const SimClearScripts = act('SimClearScripts()');
  const SimReleaseCalls = ask<[number]>('SimReleaseCalls(uint32_t function)');
  const SimDropLink = demand<[Buffer, Raw]>('SimDropLink(const uint8_t *device_address, const SimLinkEnd *end)');
  const SimStopService = demand<[Raw]>('SimStopService(const SimServiceStop *stop)');
  const SimStartService = act('SimStartService()');
  const SimAbortDeviceQueries = ask('SimAbortDeviceQueries()');
  const SimSetNotifications = demand<[number]>('SimSetNotifications(uint32_t mask)');
  const SimGetMisuse = library.bindSync<[number]>('uint64_t SimGetMisuse(uint32_t kind)');
  const SimGetMisuseRecords = ask<[Raw[], number]>(
    'SimGetMisuseRecords(_Out_ SimMisuseRecord *records, uint32_t capacity)',
  );
  const SimCheckLeaks = ask('SimCheckLeaks()');
  const SimGetCounts = act<[Raw]>('SimGetCounts(_Out_ SimCounts *counts)');
  const SimWaitIdle = library.bind<[number]>('uint32_t SimWaitIdle(uint32_t real_ms)');

  const defaults = () => structs.numbersFromRaw<SimulatorDefaults>(read(SimGetDefaults));
  const limits = () => structs.limitsFromRaw(read(SimGetLimits));
  const findDevice = (deviceAddress: string): SimulatedDevice | undefined => {
    const raw: Raw = {};
    return SimGetDevice(macToBytes(deviceAddress), raw) === 0 ? structs.deviceFromRaw(raw) : undefined;
  };
  const listDevices = (): SimulatedDevice[] => {
    const raw: Raw[] = Array.from({ length: SimListDevices(null, 0) }, () => ({}));
    return raw.slice(0, SimListDevices(raw, raw.length)).map(structs.deviceFromRaw);
  };

  return {
    /**
     * Restores the world as it is at load: default devices, running service, real clock, no links,
     * scripts or misuses. Handles, queries and notifications stay open, and their holders still
     * have to close them.
     */
    reset: () => SimReset(),

    defaults,
    /** Changes the given values. */
    setDefaults: (changes: Partial<SimulatorDefaults>) =>
      SimSetDefaults(structs.defaultsToRaw({ ...defaults(), ...changes })),
    limits,
    /** Changes the given values. */
    setLimits: (changes: Partial<SimulatorLimits>) => SimSetLimits(structs.limitsToRaw({ ...limits(), ...changes })),

    /** manual: time moves only by advanceClock. real: it runs on from where it is. */
    setClock: (clock: 'manual' | 'real') => SimSetClock(Number(clock === 'manual')),
    /**
     * Moves a manual clock. When this returns, its effects have happened, and callbacks have been
     * started.
     */
    advanceClock: (ms: number) => SimAdvanceClock(structs.delayOf(ms)),
    /** The world's time in milliseconds. */
    clockMs: () => SimGetClock(),

    /** Pairs a device. ERROR_ALREADY_EXISTS if its address is paired already. */
    addDevice: (deviceAddress: string, settings: DeviceSettings = {}) =>
      SimAddDevice(structs.deviceToRaw(deviceAddress, settings)),
    /**
     * Changes the given values. On a live link, new addresses appear after `addressMs`.
     * ERROR_NOT_FOUND.
     */
    updateDevice(deviceAddress: string, changes: DeviceSettings) {
      SimUpdateDevice(structs.deviceToRaw(deviceAddress, { ...findDevice(deviceAddress), ...changes }));
    },
    /**
     * Unpairs a device. Its links end, but their sessions still have to be closed. ERROR_NOT_FOUND.
     */
    removeDevice: (deviceAddress: string) => SimRemoveDevice(macToBytes(deviceAddress)),
    /** One paired device, or undefined if it is not paired. */
    findDevice,
    listDevices,
    /**
     * Adds the device node of this suffix, or changes it. ERROR_NOT_FOUND; ERROR_NOT_ENOUGH_MEMORY
     * if the device already has four nodes.
     */
    setNode: (deviceAddress: string, node: DeviceNode) => SimSetNode(structs.nodeToRaw(deviceAddress, node)),
    /** Removes the device node of this suffix. The device stays paired. ERROR_NOT_FOUND. */
    removeNode: (deviceAddress: string, suffix: string) => SimRemoveNode(macToBytes(deviceAddress), suffix),
    /** Sets which kinds of object have the Wi-Fi Direct properties. */
    setNodeProperties: ({ onDevices, onInterfaces }: NodeProperties) =>
      SimSetNodes(Number(onDevices) | (Number(onInterfaces) << 1)),

    scriptOpen: (script: OpenScript) => SimScriptOpen(structs.openScriptToRaw(script)),
    scriptClose: (script: CloseScript) => SimScriptClose(structs.closeScriptToRaw(script)),
    scriptVisibility: (script: VisibilityScript) => SimScriptVisibility(structs.visibilityScriptToRaw(script)),
    scriptCall: (script: CallScript) =>
      SimScriptCall({
        function: structs.functionNumber(script.function),
        count: structs.countOf(script.count),
        block_ms: structs.delayOf(script.blockMs, 0),
        code: script.code ?? 0,
      }),
    clearScripts: () => SimClearScripts(),
    /** Releases every call that is blocked now, of one function or of all. Returns how many. */
    releaseCalls: (functionName?: SimulatedFunction) => SimReleaseCalls(structs.functionNumber(functionName)),

    /** The peer leaves. ERROR_NOT_FOUND if there is no link to it. */
    dropLink: (deviceAddress: string, end?: LinkEnd) =>
      SimDropLink(macToBytes(deviceAddress), structs.linkEndToRaw(end)),
    /**
     * Stops the WLAN service: session handles become invalid, links end, their interfaces vanish.
     */
    stopService: (stop: ServiceStop = {}) => SimStopService(structs.serviceStopToRaw(stop)),
    /** Starts the WLAN service again. Earlier client handles stay invalid. */
    startService: () => SimStartService(),
    /** Ends every device query with DevQueryStateAborted. Returns how many. */
    abortDeviceQueries: () => SimAbortDeviceQueries(),
    /** Notifications that are left out are on. */
    setNotifications: ({ interfaces = true, addresses = true, devices = true }: Partial<Notifications>) =>
      SimSetNotifications(Number(interfaces) | (Number(addresses) << 1) | (Number(devices) << 2)),

    /** All misuse since the last reset. */
    misuse(): Misuse {
      const raw: Raw[] = Array.from({ length: RECORDS_MAX }, () => ({}));
      const count = SimGetMisuseRecords(raw, RECORDS_MAX);
      const counts = Object.fromEntries(MISUSE_KINDS.map((kind, index) => [kind, SimGetMisuse(index + 1)]));
      return {
        total: SimGetMisuse(0),
        counts: counts as Record<MisuseKind, number>,
        records: raw.slice(0, count).map(structs.misuseRecordFromRaw),
      };
    },
    /**
     * Counts everything that is still held as LEAKED_* misuse, each thing once. Returns how many it
     * added.
     */
    checkLeaks: () => SimCheckLeaks(),
    counts: () => structs.numbersFromRaw<SimulatorCounts>(read(SimGetCounts)),
    /**
     * Waits, in real time, until no callback is running. Resolves to false if that took too long.
     */
    waitIdle: async (realMs: number) => (await SimWaitIdle(realMs)) === 1,
  };
}
