/**
 * The native calls on session handles, each in its lane.
 *
 * Invariant: whether a handle can be used is decided when its call is made, not when the call is
 * requested. In between the call may have waited for its turn, and meanwhile the client handle may
 * have become invalid, or the open may have ended.
 */
import { winerror } from '../../native/constants.js';
import { type ClientHandle, openSessionCallbacks, type SessionHandle, type Wlanapi } from '../../native/wlanapi.js';
import type { NativeResult } from '../fault.js';
import { once } from '../once.js';
import type { NativeOutcome } from '../session/session.js';
import type { TracePlace } from '../trace.js';
import type { LaneName, NativeCalls } from './native-calls.js';
import { callOutcome, nativeResult } from './win32-error.js';

/** What one session does with the DLL, from its start to its release. */
export interface Operation {
  readonly sessionId: string;
  readonly deviceAddress: string;
  /** The principal who owns the session. */
  readonly owner: string;
  /** Aborted if the open must not begin any more. */
  readonly withdrawn: AbortController;
  /** The open callback has not arrived, or the legacy open has not returned. */
  isPending: boolean;
  /** The outcome of the open has been reported. */
  isCompleted: boolean;
  /** The client handle has become invalid: no handle that belonged to it is used again. */
  isStale: boolean;
  handle: SessionHandle | undefined;
  /** Stops waiting for the open callback. */
  forget: () => void;
  /** The place of the open in the traces. */
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
    isStale: false,
    handle: undefined,
    forget: () => {},
  };
}

const noHandle = 0n as SessionHandle;
/** Stands for the result of a call that was not made. */
const notMade = { code: winerror.ERROR_OPERATION_ABORTED, hSessionHandle: noHandle, guidSessionInterface: '' };

export class SessionCalls {
  readonly #wlanapi: Wlanapi;
  readonly #calls: NativeCalls;
  readonly #running = new Set<Promise<unknown>>();

  constructor(wlanapi: Wlanapi, calls: NativeCalls) {
    this.#wlanapi = wlanapi;
    this.#calls = calls;
  }

  /**
   * Resolves when the running calls have returned. Their client handle must not be closed before.
   */
  async whenReturned(): Promise<void> {
    await Promise.allSettled(this.#running);
  }

  /** Resolves when no call is running. */
  async whenIdle(): Promise<void> {
    while (this.#running.size > 0) await this.whenReturned();
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
      return callFailed(fn, error);
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
    const callUnlessStale = async () => (operation.isStale ? notMade : call());
    const wish = { principal: operation.owner, signal };
    const answer = this.#calls
      .run<T | typeof notMade>(lane, fn, callUnlessStale, place ?? {}, wish)
      .then((returned) => returned ?? notMade);
    const onEnd = () => this.#running.delete(answer);
    this.#running.add(answer);
    answer.then(onEnd, onEnd);
    return answer;
  }
}

/**
 * Registers a listener for the completion of one open. It is called at most once. Call `forget` if
 * the completion will not arrive or is not wanted any more.
 */
export function onOpenComplete(listener: Parameters<typeof openSessionCallbacks.registerContext>[0]) {
  const context = openSessionCallbacks.registerContext((event) => {
    forget();
    listener(event);
  });
  const forget = once(() => openSessionCallbacks.forgetContext(context));
  return { context, forget };
}

/** The outcome of a call that koffi refused to make. That is a defect of this program. */
export function callFailed(fn: string, error: unknown): NativeOutcome {
  const result: NativeResult = { ...nativeResult(fn, winerror.ERROR_INTERNAL_ERROR), reasonText: String(error) };
  return { result, fault: { reason: 'NATIVE_ERROR', message: `${fn} could not be called.`, native: result } };
}
