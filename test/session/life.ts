/**
 * A session's machine, driven by hand: what arrives, and in words what the machine does about it.
 */
import { callOutcome, nativeResult, openOutcome } from '../../service/driver/win32-error.js';
import { open, step } from '../../service/session/machine.js';
import type {
  DisconnectEvidence,
  EventCause,
  Moment,
  NetworkInterface,
  OpenRequest,
  Session,
  SessionEventDraft,
  SessionInput,
  TimerName,
} from '../../service/session/session.js';
import type { SessionRecord, Step } from '../../service/session/transition.js';

export const OPEN_TIMEOUT_MS = 60_000;
export const CLOSE_TIMEOUT_MS = 15_000;
export const LEASE_MS = 30_000;
export const START_MS = 1_700_000_000_000;

export const ERROR_INVALID_HANDLE = 6;
export const ERROR_GEN_FAILURE = 31;
export const ERROR_SERVICE_NOT_ACTIVE = 1062;
export const ERROR_CANCELLED = 1223;
export const RPC_S_CALL_FAILED = 1726;

export const networkInterface: NetworkInterface = {
  guid: '0f3c1a52-7c5e-4d0b-9c55-2f6a3f0c1d7e',
  luid: 0x47_0000_0100_0000n,
  index: 17,
  alias: 'Local Area Connection* 12',
  localAddresses: [],
  peerAddresses: [],
};

export function by(rpc: string, requestId = ''): EventCause {
  return { source: 'CLIENT', rpc: `wifidirect.v1.SessionService/${rpc}`, principal: 'alice', requestId };
}

export function openRequest(wanted: Partial<OpenRequest> = {}): OpenRequest {
  return {
    sessionId: 'session-1',
    deviceAddress: '02:11:22:33:44:01',
    kind: 'WIFI_DIRECT',
    openTimeoutMs: OPEN_TIMEOUT_MS,
    leaseTtlMs: undefined,
    requestId: '',
    owner: 'alice',
    ...wanted,
  };
}

/** What can arrive at a session, by the name of the input. */
export const arrives = {
  cancel: (requestId = ''): SessionInput => ({ type: 'CancelRequested', cause: by('CancelOpenSession', requestId) }),
  close: (requestId = ''): SessionInput => ({ type: 'CloseRequested', cause: by('CloseSession', requestId) }),
  renew: (leaseTtlMs?: number): SessionInput => ({ type: 'RenewRequested', cause: by('RenewSession'), leaseTtlMs }),
  streamsEnded: (): SessionInput => ({ type: 'StreamsEnded' }),
  hostStopping: (): SessionInput => ({ type: 'HostStopping' }),
  timer: (timer: TimerName): SessionInput => ({ type: 'TimerFired', timer }),
  started: (code = 0): SessionInput => ({ type: 'StartReturned', outcome: callOutcome('WFDStartOpenSession', code) }),
  opened: (): SessionInput => ({
    type: 'OpenCompleted',
    outcome: openOutcome(nativeResult('WFD_OPEN_SESSION_COMPLETE_CALLBACK', 0)),
    networkInterface,
  }),
  openFailed: (code = ERROR_GEN_FAILURE): SessionInput => ({
    type: 'OpenCompleted',
    outcome: openOutcome(nativeResult('WFD_OPEN_SESSION_COMPLETE_CALLBACK', code, 0x38002, 'the peer said no')),
    networkInterface: undefined,
  }),
  cancelReturned: (code = 0): SessionInput => ({
    type: 'CancelReturned',
    outcome: callOutcome('WFDCancelOpenSession', code),
  }),
  closeReturned: (code = 0): SessionInput => ({
    type: 'CloseReturned',
    outcome: callOutcome('WFDCloseSession', code),
  }),
  linkDown: (evidence: DisconnectEvidence = 'DEVICE_DISCONNECTED'): SessionInput => ({ type: 'LinkDown', evidence }),
  addresses: (...localAddresses: string[]): SessionInput => ({
    type: 'NetworkInterfaceChanged',
    networkInterface: { ...networkInterface, localAddresses },
  }),
  handlesInvalidated: (): SessionInput => ({
    type: 'HandlesInvalidated',
    outcome: callOutcome('WFDOpenHandle', ERROR_SERVICE_NOT_ACTIVE),
  }),
};

export class Life {
  record: SessionRecord;
  nowMs = START_MS;
  steadyMs = 0;
  readonly events: SessionEventDraft[] = [];
  /** Every command of its life, in words. */
  readonly commands: string[] = [];
  lastStep: Step;

  constructor(wanted: Partial<OpenRequest> = {}) {
    const request = openRequest(wanted);
    this.lastStep = open(request, by('OpenSession', request.requestId), this.now, CLOSE_TIMEOUT_MS);
    this.record = this.lastStep.record;
    this.#record(this.lastStep);
  }

  /** The wall clock, which a test may set, and one that counts the seconds of `in`. */
  get now(): Moment {
    return { timeMs: this.nowMs, steadyMs: this.steadyMs };
  }

  /** A session with a lease. */
  static leased(): Life {
    return new Life({ leaseTtlMs: LEASE_MS });
  }

  get session(): Session {
    return this.record.session;
  }

  /**
   * Enters these inputs, one second apart, and says what came of them: event types, `→ commands`,
   * `refused REASON`.
   */
  in(...inputs: SessionInput[]): string[] {
    return inputs.flatMap((input) => {
      this.nowMs += 1000;
      this.steadyMs += 1000;
      this.lastStep = step(this.record, input, this.now);
      this.record = this.lastStep.record;
      return this.#record(this.lastStep);
    });
  }

  #record({ events, commands, refusal }: Step): string[] {
    const said = commands.map((command) =>
      command.type === 'SetTimer' ? `→ SetTimer ${command.timer} ${command.delayMs}` : `→ ${command.type}`,
    );
    this.events.push(...events);
    this.commands.push(...said);
    return [...events.map(({ type }) => type), ...said, ...(refusal ? [`refused ${refusal.reason}`] : [])];
  }
}

/** Sessions brought to each live state, by the shortest way. */
export const livesIn: Readonly<Record<'OPENING' | 'OPEN' | 'CANCELLING' | 'CLOSING', () => Life>> = {
  OPENING: () => after(arrives.started()),
  OPEN: () => after(arrives.started(), arrives.opened()),
  CANCELLING: () => after(arrives.started(), arrives.cancel()),
  CLOSING: () => after(arrives.started(), arrives.opened(), arrives.close()),
};

/** Sessions brought to each final state. */
export const livesEnded: Readonly<Record<'CLOSED' | 'FAILED' | 'CANCELLED' | 'LOST', () => Life>> = {
  CLOSED: () =>
    after(arrives.started(), arrives.opened(), arrives.close(), arrives.closeReturned(), arrives.linkDown()),
  FAILED: () => after(arrives.started(), arrives.openFailed()),
  CANCELLED: () => after(arrives.started(), arrives.cancel(), arrives.openFailed(ERROR_CANCELLED)),
  LOST: () => after(arrives.started(), arrives.opened(), arrives.handlesInvalidated()),
};

export function after(...inputs: SessionInput[]): Life {
  const life = new Life();
  life.in(...inputs);
  return life;
}
