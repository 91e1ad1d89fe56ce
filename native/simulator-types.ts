/**
 * The types of simulator-control.ts: what a test can set in the simulator, in plain values.
 *
 * Invariant: the names and the order of the two lists are those of the enumerations in
 * `native/simulator/control.h`. A test compares them with the library.
 *
 * Times are milliseconds on the clock of the simulated world. The comment of a property says what
 * it is if it is left out.
 */

/** Milliseconds, a whole number from 0 to 4,294,967,293; or `never`. */
export type Delay = number | 'never';

/**
 * How often a script applies: a whole number from 1, or `always`, until the scripts are cleared.
 */
export type Count = number | 'always';

/**
 * A property of a device node that can be absent. The SDK header allows FALSE or empty for
 * IsConnected and IsVisible.
 */
export type Flag = boolean | 'empty';

/** The functions that a script can name, in the order of SIM_FUNCTION_*, starting at 1. */
export const SIMULATED_FUNCTIONS = [
  'WFDOpenHandle',
  'WFDCloseHandle',
  'WFDStartOpenSession',
  'WFDCancelOpenSession',
  'WFDOpenLegacySession',
  'WFDCloseSession',
  'WFDUpdateDeviceVisibility',
  'ConvertInterfaceGuidToLuid',
  'GetIfEntry2',
  'NotifyIpInterfaceChange',
  'NotifyUnicastIpAddressChange',
  'CancelMibChangeNotify2',
  'GetUnicastIpAddressTable',
  'GetIpNetTable2',
  'FreeMibTable',
  'DevCreateObjectQuery',
  'DevCloseObjectQuery',
  'DevGetObjects',
  'DevFreeObjects',
  'DevGetObjectProperties',
  'DevFreeObjectProperties',
  'DevFindProperty',
] as const;
export type SimulatedFunction = (typeof SIMULATED_FUNCTIONS)[number];

/**
 * The kinds of misuse of the Windows libraries, in the order of SIM_MISUSE_*, starting at 1.
 * control.h describes each.
 */
export const MISUSE_KINDS = [
  'CLOSE_WHILE_PENDING',
  'CLOSE_TWICE',
  'CLOSE_OF_FAILED_OPEN',
  'CANCEL_AFTER_COMPLETION',
  'USE_AFTER_CLOSE',
  'USE_AFTER_CLOSE_HANDLE',
  'USE_AFTER_SERVICE_STOP',
  'UNKNOWN_HANDLE',
  'CLOSE_IN_CALLBACK',
  'DOUBLE_FREE',
  'WRONG_FREE',
  'USE_OF_FREED_DATA',
  'LEAKED_SESSION',
  'LEAKED_CLIENT_HANDLE',
  'LEAKED_QUERY',
  'LEAKED_NOTIFICATION',
  'LEAKED_DATA',
] as const;
export type MisuseKind = (typeof MISUSE_KINDS)[number];

/** How long things take, unless a script says otherwise. */
export interface SimulatorDefaults {
  /** From WFDStartOpenSession to its completion; 400. */
  readonly openMs: number;
  /** How long WFDOpenLegacySession blocks; 200. */
  readonly legacyOpenMs: number;
  /** From WFDCancelOpenSession to the completion of the cancelled open; 50. */
  readonly cancelMs: number;
  /** From WFDCloseSession to the end of the link; 150. */
  readonly closeMs: number;
  /** How long WFDUpdateDeviceVisibility blocks; 300. */
  readonly visibilityMs: number;
  /** From link up until the addresses are known; 100. */
  readonly addressMs: number;
  /**
   * A cancel after its callback, or a close after the service stopped, is not misuse for this time;
   * 1000.
   */
  readonly raceGraceMs: number;
}

export interface SimulatorLimits {
  /** The limit of client handles; 64. Beyond it: ERROR_REMOTE_SESSION_LIMIT_EXCEEDED. */
  readonly clientsMax: number;
  /** The limit of session handles; 65536. Beyond it: the same. */
  readonly sessionsMax: number;
  /** Every function that can report a shortage of memory reports it. */
  readonly isMemoryExhausted: boolean;
}

/** A paired device. */
export interface SimulatedDevice {
  /** P2P device address, `aa:bb:cc:dd:ee:ff`. */
  readonly deviceAddress: string;
  readonly name: string;
  /** A legacy WPS device, opened with WFDOpenLegacySession. */
  readonly isLegacy: boolean;
  /** Whether opens succeed and discovery finds the device. */
  readonly isInRange: boolean;
  readonly isVisible: Flag;
  readonly isConnected: Flag;
  /** 0 to 100. */
  readonly linkQuality: number;
  /** The peer's address on a link. */
  readonly interfaceAddress: string;
  /** IPv4 of this host on a link. */
  readonly localAddress: string;
  /** IPv4 of the peer on a link. */
  readonly peerAddress: string;
  /** From link up until the addresses are known; undefined: the default. */
  readonly addressMs: Delay | undefined;
  /**
   * Devices of one group share an interface, which is up until the last link ends. '' is no group.
   */
  readonly interfaceGroup: string;
  /** The pairing is not persistent: Windows forgets it when the device disconnects. */
  readonly isTransient: boolean;
  /** Whether its device nodes are present. */
  readonly isPresent: Flag;
  /** 0 if there is no interface. */
  readonly interfaceIndex: number;
}

/**
 * The settings of a device. Defaults of a new one: in range, visible, quality 100, no name, derived
 * addresses.
 */
export type DeviceSettings = Partial<Omit<SimulatedDevice, 'deviceAddress' | 'isConnected' | 'interfaceIndex'>>;

/**
 * A device node of a paired device. Each device has one with the suffix '', and can have three
 * more.
 */
export interface DeviceNode {
  /** Appended to the id of its object. At most 15 bytes. */
  readonly suffix: string;
  /** Its IsConnected; left out: that of the device. */
  readonly isConnected?: Flag;
  /** Its IsVisible; left out: that of the device. */
  readonly isVisible?: Flag;
}

/** Which kinds of object have the Wi-Fi Direct properties; at load, device nodes. */
export interface NodeProperties {
  readonly onDevices: boolean;
  readonly onInterfaces: boolean;
}

/** How the end of a link becomes visible. Times count from the end. */
export interface LinkEnd {
  /** What happens to the interface; gone. */
  readonly interfaceEffect?: 'gone' | 'down' | 'disconnected';
  /** How long until then; 0. never: it stays up. */
  readonly interfaceMs?: Delay;
  /** How long until IsConnected is false; 0. never: it stays true. */
  readonly nodeMs?: Delay;
}

/** Which uses a script is for. */
export interface ScriptScope {
  /** Left out: any device. */
  readonly deviceAddress?: string;
  /** Left out: 1. */
  readonly count?: Count;
}

/** The next open. */
export interface OpenScript extends ScriptScope {
  /** WFDStartOpenSession (WFDOpenLegacySession) returns this code and does nothing else. */
  readonly code?: number;
  /**
   * dwError of the completion, or the result of a legacy open. Left out: it depends on the device.
   */
  readonly error?: number;
  /** dwReasonCode, if `error` is given; 0. */
  readonly reasonCode?: number;
  readonly delayMs?: Delay;
  /** WFDStartOpenSession returns only after the callback has returned. */
  readonly isCallbackFirst?: boolean;
  /** A cancel has no effect. */
  readonly doesCancelLose?: boolean;
  /** dwError of a cancelled open; ERROR_CANCELLED. */
  readonly cancelError?: number;
  /** dwReasonCode of a cancelled open; WLAN_REASON_CODE_USER_CANCELLED. */
  readonly cancelReasonCode?: number;
  readonly cancelMs?: Delay;
  /** From the completion until the interface is up; 0. */
  readonly interfaceMs?: Delay;
  /** From the completion until IsConnected is true; 0. */
  readonly nodeMs?: Delay;
  /** From the completion until the link drops by itself; never. */
  readonly dropMs?: Delay;
}

/** The next close. */
export interface CloseScript extends ScriptScope {
  /** WFDCloseSession returns this code, and the link stays. */
  readonly code?: number;
  /** never: the queued close does not happen. */
  readonly delayMs?: Delay;
  readonly end?: LinkEnd;
}

/** The next WFDUpdateDeviceVisibility. */
export interface VisibilityScript extends ScriptScope {
  /** The code that is returned after the delay. The property does not change. */
  readonly code?: number;
  readonly delayMs?: Delay;
  /** IsVisible afterwards. Left out: whether the device is in range. */
  readonly visible?: Flag;
}

/** The next call of a function. Not for functions that only free, or for DevFindProperty. */
export interface CallScript {
  readonly function: SimulatedFunction;
  readonly count?: Count;
  /** How long it blocks; 0. never: until it is released. */
  readonly blockMs?: Delay;
  /** The code that it returns without doing anything. 0: it works as usual. */
  readonly code?: number;
}

/** How the WLAN service stops. */
export interface ServiceStop {
  /** The result of new calls; ERROR_SERVICE_NOT_ACTIVE. */
  readonly callCode?: number;
  /** The result of calls that are in the service now; RPC_S_CALL_FAILED. */
  readonly blockedCallCode?: number;
  /** dwError of the callbacks of pending opens; RPC_S_CALL_FAILED. 0: there are no callbacks. */
  readonly openError?: number;
  /** The result of WFDCloseHandle for an earlier client handle; RPC_S_SERVER_UNAVAILABLE. */
  readonly closeHandleCode?: number;
  /** The result for such a handle when the service runs again; ERROR_INVALID_HANDLE. */
  readonly staleClientCode?: number;
}

/** Which changes cause notifications. */
export interface Notifications {
  readonly interfaces: boolean;
  readonly addresses: boolean;
  readonly devices: boolean;
}

/** One misuse. */
export interface MisuseRecord {
  readonly kind: MisuseKind;
  /** Undefined for misuse that is found at the end, such as a leak. */
  readonly function: SimulatedFunction | undefined;
  readonly timeMs: number;
  /** The handle or the address. */
  readonly value: bigint;
}

/** All misuse since the last reset. */
export interface Misuse {
  readonly total: number;
  readonly counts: Readonly<Record<MisuseKind, number>>;
  /** The first 64. */
  readonly records: readonly MisuseRecord[];
}

/** What exists now, and what has happened since the last reset. */
export interface SimulatorCounts {
  readonly clients: number;
  /** Handles that can still be closed, or whose open is pending. */
  readonly sessions: number;
  readonly opensPending: number;
  readonly closesQueued: number;
  readonly queries: number;
  readonly notifications: number;
  /** Results that are not freed. */
  readonly dataBlocks: number;
  /** Calls that are blocked inside a function. */
  readonly callsBlocked: number;
  /** Callbacks that were started and have not returned. 0 means idle. */
  readonly callbacksPending: number;
  readonly eventsScheduled: number;
  readonly opens: number;
  readonly closes: number;
  /** Late calls that were not counted as misuse (`raceGraceMs`). */
  readonly lostRaces: number;
}
