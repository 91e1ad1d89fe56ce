/**
 * What a test says to the simulator, in plain values: the types of simulator-control.ts.
 *
 * The rule that must not be broken: **names and order of the two lists are those of the enumerations in
 * `native/simulator/control.h`**; a test compares them with what the library says.
 *
 * Times are milliseconds of the simulated world's clock. A property that is left out means what its comment says.
 */

/** Milliseconds, a whole number from 0 to 4,294,967,293; or that it does not happen. */
export type Delay = number | 'never';

/** How often a script applies: a whole number from 1, or until the scripts are cleared. */
export type Count = number | 'always';

/** A property of a device node that may be absent: the SDK header lets IsConnected and IsVisible be FALSE or empty. */
export type Flag = boolean | 'empty';

/** The functions that can be named, by the numbers of SIM_FUNCTION_*, counted from 1. */
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

/** What no caller of the Windows libraries may do, by the numbers of SIM_MISUSE_*, counted from 1. control.h says each. */
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

/** How long things take unless scripted otherwise. */
export interface SimulatorDefaults {
  /** WFDStartOpenSession to its completion; 400. */
  readonly openMs: number;
  /** WFDOpenLegacySession blocks; 200. */
  readonly legacyOpenMs: number;
  /** WFDCancelOpenSession to the completion of the cancelled open; 50. */
  readonly cancelMs: number;
  /** WFDCloseSession to the end of the link; 150. */
  readonly closeMs: number;
  /** WFDUpdateDeviceVisibility blocks; 300. */
  readonly visibilityMs: number;
  /** Link up to addresses known; 100. */
  readonly addressMs: number;
  /** A cancel after its callback, or a close after the service stopped, is no misuse within this time; 1000. */
  readonly raceGraceMs: number;
}

export interface SimulatorLimits {
  /** Client handles; 64. Beyond: ERROR_REMOTE_SESSION_LIMIT_EXCEEDED. */
  readonly clientsMax: number;
  /** Session handles; 65536. Beyond: the same. */
  readonly sessionsMax: number;
  /** Whatever may report that memory is short does so. */
  readonly isMemoryExhausted: boolean;
}

/** A paired device. */
export interface SimulatedDevice {
  /** P2P device address, `aa:bb:cc:dd:ee:ff`. */
  readonly deviceAddress: string;
  readonly name: string;
  /** A legacy WPS device, opened with WFDOpenLegacySession. */
  readonly isLegacy: boolean;
  /** Opens succeed, and discovery finds it. */
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
  /** Link up to addresses known; undefined: as the defaults say. */
  readonly addressMs: Delay | undefined;
  /** Devices of one group share an interface, up until the last link ends; '' is none. */
  readonly interfaceGroup: string;
  /** The pairing is not persistent: Windows forgets it when the device disconnects. */
  readonly isTransient: boolean;
  /** Whether its device nodes are present. */
  readonly isPresent: Flag;
  /** 0 where no interface is there. */
  readonly interfaceIndex: number;
}

/** What of a device can be chosen. Left out of a new one: in range, visible, quality 100, no name, addresses derived. */
export type DeviceSettings = Partial<Omit<SimulatedDevice, 'deviceAddress' | 'isConnected' | 'interfaceIndex'>>;

/** A device node of a paired device. Each device has one, with the suffix '', and may have up to three more. */
export interface DeviceNode {
  /** Appended to the id of its object. At most 15 bytes. */
  readonly suffix: string;
  /** What it says of the link; left out: as the device has it. */
  readonly isConnected?: Flag;
  /** Likewise. */
  readonly isVisible?: Flag;
}

/** Which kinds of object have the Wi-Fi Direct properties; at load, device nodes. */
export interface NodeProperties {
  readonly onDevices: boolean;
  readonly onInterfaces: boolean;
}

/** How the end of a link is seen, counted from it. */
export interface LinkEnd {
  /** What becomes of the interface; gone. */
  readonly interfaceEffect?: 'gone' | 'down' | 'disconnected';
  /** Until then; 0. never: it stays up. */
  readonly interfaceMs?: Delay;
  /** Until IsConnected is false; 0. never: it stays true. */
  readonly nodeMs?: Delay;
}

/** Which uses a script is for. */
export interface ScriptScope {
  /** Any device where left out. */
  readonly deviceAddress?: string;
  /** 1 where left out. */
  readonly count?: Count;
}

/** The next open. */
export interface OpenScript extends ScriptScope {
  /** WFDStartOpenSession (WFDOpenLegacySession) returns it and does no more. */
  readonly code?: number;
  /** dwError of the completion (what a legacy open returns); left out: as the device's state has it. */
  readonly error?: number;
  /** dwReasonCode, where `error` is given; 0. */
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
  /** Completion to interface up; 0. */
  readonly interfaceMs?: Delay;
  /** Completion to IsConnected true; 0. */
  readonly nodeMs?: Delay;
  /** Completion to the link dropping by itself; never. */
  readonly dropMs?: Delay;
}

/** The next close. */
export interface CloseScript extends ScriptScope {
  /** WFDCloseSession returns it, and the link stays. */
  readonly code?: number;
  /** never: the queued close does not happen. */
  readonly delayMs?: Delay;
  readonly end?: LinkEnd;
}

/** The next WFDUpdateDeviceVisibility. */
export interface VisibilityScript extends ScriptScope {
  /** Returned after the delay; the property stays as it was. */
  readonly code?: number;
  readonly delayMs?: Delay;
  /** IsVisible afterwards; whether the device is in range. */
  readonly visible?: Flag;
}

/** The next call of a function; not of one that only frees, or of DevFindProperty. */
export interface CallScript {
  readonly function: SimulatedFunction;
  readonly count?: Count;
  /** 0; never: until released. */
  readonly blockMs?: Delay;
  /** Returned in place of doing anything; 0: it goes on as usual. */
  readonly code?: number;
}

/** How the WLAN service stops. */
export interface ServiceStop {
  /** What new calls return; ERROR_SERVICE_NOT_ACTIVE. */
  readonly callCode?: number;
  /** What calls return that are in the service now; RPC_S_CALL_FAILED. */
  readonly blockedCallCode?: number;
  /** dwError with which pending opens call back, RPC_S_CALL_FAILED; 0: they never do. */
  readonly openError?: number;
  /** What WFDCloseHandle returns for a client handle of before; RPC_S_SERVER_UNAVAILABLE. */
  readonly closeHandleCode?: number;
  /** What such a handle gives once the service runs again; ERROR_INVALID_HANDLE. */
  readonly staleClientCode?: number;
}

/** Which changes are told at all. */
export interface Notifications {
  readonly interfaces: boolean;
  readonly addresses: boolean;
  readonly devices: boolean;
}

/** One misuse. */
export interface MisuseRecord {
  readonly kind: MisuseKind;
  /** undefined for what was found at the end, such as a leak. */
  readonly function: SimulatedFunction | undefined;
  readonly timeMs: number;
  /** The handle or address. */
  readonly value: bigint;
}

/** What has been misused since the last reset. */
export interface Misuse {
  readonly total: number;
  readonly counts: Readonly<Record<MisuseKind, number>>;
  /** The first 64. */
  readonly records: readonly MisuseRecord[];
}

/** What is alive now, and what happened since the last reset. */
export interface SimulatorCounts {
  readonly clients: number;
  /** Those that may still be closed, or whose open is pending. */
  readonly sessions: number;
  readonly opensPending: number;
  readonly closesQueued: number;
  readonly queries: number;
  readonly notifications: number;
  /** Results not freed. */
  readonly dataBlocks: number;
  /** Callers held inside a function. */
  readonly callsBlocked: number;
  /** Handed to their threads and not returned; 0 means idle. */
  readonly callbacksPending: number;
  readonly eventsScheduled: number;
  readonly opens: number;
  readonly closes: number;
  /** Calls that came too late and were not counted as misuse (`raceGraceMs`). */
  readonly lostRaces: number;
}
