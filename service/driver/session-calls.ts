/**
 * The native calls on session handles, each in its lane.
 *
 * The rule that must not be broken: whether a handle may still be used is asked when the call is made, not when it is ordered. In
 * between it may have waited for its turn, and the client handle may have been lost or the open have ended.
 */
import { winerror } from '../../native/constants.js';
import { type ClientHandle, openSessionCallbacks, type SessionHandle, type Wlanapi } from '../../native/wlanapi.js';
import type { NativeResult } from '../fault.js';
import { once } from '../once.js';
import type { NativeOutcome } from '../session/session.js';
import type { TracePlace } from '../trace.js';
import type { LaneName, NativeCalls } from './native-calls.js';
import { callOutcome, nativeResult } from './win32-error.js';

/** One session's time with the DLL, from its start to its release. */
export interface Operation {
  readonly sessionId: string;
  readonly deviceAddress: string;
  /** Whose session it is. */
  readonly owner: string;
  /** Aborts when its open is not to begin any more. */
  readonly withdrawn: AbortController;
  /** The open callback, or the return of the legacy open, is still to come. */
  isPending: boolean;
  /** Its outcome has been told. */
  isCompleted: boolean;
  /** The client handle is gone: what belonged to it is not used again. */
  isLost: boolean;
  handle: SessionHandle | undefined;
  /** Waits for the open callback no longer. */
  forget: () => void;
  /** Of its open. */
  readonly place: TracePlace | undefined;
}

export function newOperation(
  sessionId: string,
  deviceAddress: string,
  owner: string,
  place: TracePlace | undefined,
): Operation {
  return {
    sessionId,
    deviceAddress,
    owner,
    withdrawn: new AbortController(),
    place,
    isPending: true,
    isCompleted: false,
    isLost: false,
    handle: undefined,
    forget: () => {},
  };
}

const noHandle = 0n as SessionHandle;
/** What a call "returns" that was not made. */
const notMade = { code: winerror.ERROR_OPERATION_ABORTED, hSessionHandle: noHandle, guidSessionInterface: '' };

export class SessionCalls {
  readonly #wlanapi: Wlanapi;
  readonly #calls: NativeCalls;
  readonly #underWay = new Set<Promise<unknown>>();

  constructor(wlanapi: Wlanapi, calls: NativeCalls) {
    this.#wlanapi = wlanapi;
    this.#calls = calls;
  }

  /** Resolves when the calls that are under way have returned: before that their client handle is not to be closed. */
  async returned(): Promise<void> {
    await Promise.allSettled(this.#underWay);
  }

  /** Resolves when no call is under way. */
  async idle(): Promise<void> {
    while (this.#underWay.size > 0) await this.returned();
  }

  start(operation: Operation, client: ClientHandle, context: bigint) {
    const call = () => this.#wlanapi.WFDStartOpenSession(client, operation.deviceAddress, context);
    return this.#run('open', 'WFDStartOpenSession', operation, call, operation.place, operation.withdrawn.signal);
  }

  openLegacy(operation: Operation, client: ClientHandle) {
    const call = () => this.#wlanapi.WFDOpenLegacySession(client, operation.deviceAddress);
    return this.#run('slow', 'WFDOpenLegacySession', operation, call, operation.place, operation.withdrawn.signal);
  }

  cancel(operation: Operation, handle: SessionHandle, place: TracePlace | undefined): Promise<NativeOutcome> {
    const call = async () => (operation.isPending ? this.#wlanapi.WFDCancelOpenSession(handle) : notMade);
    return this.#outcome('WFDCancelOpenSession', operation, call, place);
  }

  /** Forgets the handle, then closes it. */
  async close(operation: Operation, place: TracePlace | undefined): Promise<NativeOutcome> {
    const { handle } = operation;
    operation.handle = undefined;
    if (handle === undefined) return callOutcome('WFDCloseSession', winerror.ERROR_INVALID_HANDLE);
    return this.#outcome('WFDCloseSession', operation, () => this.#wlanapi.WFDCloseSession(handle), place);
  }

  async #outcome(
    fn: string,
    operation: Operation,
    call: () => Promise<{ readonly code: number }>,
    place: TracePlace | undefined,
  ) {
    try {
      return callOutcome(fn, (await this.#run('end', fn, operation, call, place)).code);
    } catch (error) {
      return broken(fn, error);
    }
  }

  #run<T extends { readonly code: number }>(
    lane: LaneName,
    fn: string,
    operation: Operation,
    call: () => Promise<T>,
    place: TracePlace | undefined,
    signal?: AbortSignal,
  ): Promise<T | typeof notMade> {
    const made = async () => (operation.isLost ? notMade : call());
    const wish = { principal: operation.owner, signal };
    const answer = this.#calls
      .run<T | typeof notMade>(lane, fn, made, place ?? {}, wish)
      .then((returned) => returned ?? notMade);
    const over = () => this.#underWay.delete(answer);
    this.#underWay.add(answer);
    answer.then(over, over);
    return answer;
  }
}

/** Asks for the completion of one open. The listener is called at most once; `forget` when it will not be. */
export function onOpenComplete(listener: Parameters<typeof openSessionCallbacks.registerContext>[0]) {
  const context = openSessionCallbacks.registerContext((event) => {
    forget();
    listener(event);
  });
  const forget = once(() => openSessionCallbacks.forgetContext(context));
  return { context, forget };
}

/** A call that koffi itself refused: a fault of ours, told as Windows would. */
export function broken(fn: string, error: unknown): NativeOutcome {
  const result: NativeResult = { ...nativeResult(fn, winerror.ERROR_INTERNAL_ERROR), reasonText: String(error) };
  return { result, fault: { reason: 'NATIVE_ERROR', message: `${fn} could not be called.`, native: result } };
}
