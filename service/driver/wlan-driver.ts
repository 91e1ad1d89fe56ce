/**
 * The driver on top of `native/`. Native handles are created, used and closed here and nowhere
 * else.
 *
 * Invariant: a callback is matched by its context, never by a handle. A handle is forgotten before
 * it is closed. When the client handle has become invalid, no session handle that belonged to it is
 * used again.
 */
import { combineLatest, map, type Observable, Subject } from 'rxjs';
import { winerror } from '../../native/constants.js';
import type { NativeLibraries } from '../../native/load.js';
import type { ClientHandle, OpenSessionComplete, SessionHandle } from '../../native/wlanapi.js';
import { isDoneWithin } from '../deadline.js';
import type { Fault, NativeResult } from '../fault.js';
import type { DisconnectEvidence, NativeOutcome, SessionKind } from '../session/session.js';
import type { TracePlace } from '../trace.js';
import { evidenceKinds, firstMissing, requiredToOpen } from './availability.js';
import { DeviceTable } from './device-table.js';
import type { Completion, DeviceChange, DeviceProperties, Driver, DriverStatus, SessionCompletion } from './driver.js';
import type { Wish } from './lane.js';
import { LinkWatch } from './link-watch.js';
import { type NativeCallObserver, type NativeCallSettings, NativeCalls } from './native-calls.js';
import { Operations } from './operations.js';
import { ReasonTexts } from './reason-texts.js';
import { ServiceHandle, type ServiceHandleSettings } from './service-handle.js';
import { callFailed, newOperation, type Operation, onOpenComplete, SessionCalls } from './session-calls.js';
import {
  callOutcome,
  nativeResult,
  notAvailable,
  notPaired,
  openOutcome,
  refusesHost,
  suggestsServiceDown,
  withDevice,
} from './win32-error.js';

export interface WlanDriverSettings extends NativeCallSettings, ServiceHandleSettings {
  readonly linkPollMs: number;
}

export class WlanDriver implements Driver {
  readonly #native: NativeLibraries;
  readonly #calls: NativeCalls;
  readonly #service: ServiceHandle;
  readonly #sessions: SessionCalls;
  readonly #links: LinkWatch;
  readonly #table: DeviceTable;
  readonly #reasonTexts: ReasonTexts;
  readonly #completions = new Subject<Completion>();
  readonly #operations = new Operations();

  constructor(native: NativeLibraries, settings: WlanDriverSettings, observer: NativeCallObserver) {
    this.#native = native;
    this.#calls = new NativeCalls(settings, observer);
    this.#service = new ServiceHandle(native.wlanapi, this.#calls, settings, (outcome) =>
      this.#dropAllOperations(outcome),
    );
    this.#sessions = new SessionCalls(native.wlanapi, this.#calls);
    this.#table = new DeviceTable(native.cfgmgr32, this.#calls, settings);
    this.#links = new LinkWatch(native.iphlpapi, this.#calls, settings.linkPollMs, this.#table);
    this.#reasonTexts = new ReasonTexts(native.wlanapi, this.#calls);
    this.#table.changes.subscribe(({ device }) => this.#links.onDeviceChanged(device));
  }

  get completions(): Observable<Completion> {
    return this.#completions;
  }

  get statuses(): Observable<DriverStatus> {
    return combineLatest([this.#service.statuses, this.#table.faults]).pipe(
      map(([service, devicesFault]) => ({ ...service, devicesFault })),
    );
  }

  get status(): DriverStatus {
    return { ...this.#service.status, devicesFault: this.#table.fault };
  }

  /** How many client handles have become invalid. */
  get handlesLost(): number {
    return this.#service.losses;
  }

  get devices(): ReadonlyMap<string, DeviceProperties> | undefined {
    return this.#table.devices;
  }

  get deviceChanges(): Observable<DeviceChange> {
    return this.#table.changes;
  }

  /** How many native calls are running or waiting. */
  get calls(): Pick<NativeCalls, 'inFlight' | 'waiting'> {
    return this.#calls;
  }

  get evidenceKinds(): readonly DisconnectEvidence[] {
    return evidenceKinds(this.#native.missing);
  }

  whyNotOpen(kind: SessionKind, deviceAddress: string): Fault | undefined {
    const missing = this.#whyNot(requiredToOpen.WIFI_DIRECT) ?? this.#whyNot(requiredToOpen[kind]);
    const removed = this.#table.removedDevice(deviceAddress);
    return missing ?? (removed && notPaired(removed));
  }

  isRemoved(deviceAddress: string): boolean {
    return this.#table.removedDevice(deviceAddress) !== undefined;
  }

  async start(): Promise<void> {
    const missing = firstMissing(this.#native.missing, requiredToOpen.WIFI_DIRECT);
    if (missing !== undefined) this.#service.disable(missing);
    await Promise.all([
      missing === undefined ? this.#service.open() : undefined,
      this.#links.start(),
      this.whyNotDevices() === undefined ? this.#table.start() : undefined,
    ]);
  }

  /** After a sleep of the computer: probes the service, then looks at every link. */
  resume(): void {
    void this.#service.verifySoon().then(() => this.#links.look());
  }

  whyNotDevices(): Fault | undefined {
    const missing = this.#whyNot(['DevCreateObjectQuery', 'DevCloseObjectQuery']);
    // Devices that were read before Windows began to refuse are still the best that is known.
    return missing ?? (this.devices === undefined ? this.#table.fault : undefined);
  }

  startOpen(sessionId: string, deviceAddress: string, kind: SessionKind, owner: string, place?: TracePlace): void {
    const operation = newOperation(sessionId, deviceAddress, owner, place);
    this.#operations.add(operation);
    const isLegacy = kind === 'LEGACY';
    const opened = isLegacy ? this.#openLegacy(operation) : this.#startOpen(operation);
    const fn = isLegacy ? 'WFDOpenLegacySession' : 'WFDStartOpenSession';
    opened.catch((error: unknown) => {
      operation.forget();
      this.#reportStartFailure(operation, callFailed(fn, error));
    });
  }

  withdrawOpen(sessionId: string): void {
    this.#operations.find(sessionId)?.withdrawn.abort();
  }

  cancelOpen(sessionId: string, place?: TracePlace): void {
    const operation = this.#operations.find(sessionId);
    const handle = operation?.handle;
    // A legacy open has no handle until it returns, so it can't be cancelled. But it may not have
    // begun.
    if (operation === undefined || handle === undefined) {
      operation?.withdrawn.abort();
      return;
    }
    this.#sessions.cancel(operation, handle, place).then((outcome) => {
      this.#emit(operation, { type: 'CancelReturned', sessionId, outcome });
      this.#probeIfSuspect(outcome);
    });
  }

  closeSession(sessionId: string, place?: TracePlace): void {
    const operation = this.#operations.find(sessionId);
    if (operation === undefined) return;
    this.#sessions.close(operation, place).then((outcome) => {
      this.#emit(operation, { type: 'CloseReturned', sessionId, outcome });
      this.#probeIfSuspect(outcome);
      // If Windows has forgotten the session, for example because its service was restarted, it may
      // have forgotten the client handle too.
      const isUnknown = outcome.fault?.reason === 'NATIVE_HANDLE_LOST';
      if (isUnknown && !operation.isStale && this.#operations.size === 0) this.#service.invalidate(outcome);
      if (this.#operations.isWanted(operation)) this.#links.onClosing(sessionId);
    });
  }

  release(sessionId: string): void {
    this.#links.forget(sessionId);
    this.#operations.release(sessionId);
  }

  async updateDeviceVisibility(deviceAddress: string, wish: Wish, place: TracePlace = {}): Promise<NativeOutcome> {
    const missing = this.#whyNot(['WFDUpdateDeviceVisibility']);
    if (missing !== undefined) return { result: nativeResult('WFDUpdateDeviceVisibility', 127), fault: missing };
    const { WFDUpdateDeviceVisibility } = this.#native.wlanapi;
    const call = () => WFDUpdateDeviceVisibility(deviceAddress);
    const answer = await this.#calls.run('slow', 'WFDUpdateDeviceVisibility', call, place, wish);
    const { code } = answer ?? { code: winerror.ERROR_OPERATION_ABORTED };
    const outcome = callOutcome('WFDUpdateDeviceVisibility', code, deviceAddress);
    if (outcome.fault === undefined) await this.#table.refresh();
    else this.#probeIfSuspect(outcome);
    return outcome;
  }

  async close(deadlineMs: number): Promise<boolean> {
    const isQuiet = await isDoneWithin(deadlineMs, this.#closeAll());
    this.#completions.complete();
    return isQuiet;
  }

  async #closeAll(): Promise<void> {
    // WFDCloseHandle blocks until pending opens have ended. Waiting here instead holds no thread.
    await this.#operations.whenEmpty();
    await this.#sessions.whenIdle();
    await this.#links.close();
    await this.#table.close();
    await this.#service.close();
    await this.#calls.whenIdle();
  }

  async #startOpen(operation: Operation): Promise<void> {
    const client = await this.#clientHandle(operation);
    if (client === undefined) return;
    const { context, forget } = onOpenComplete((event) => {
      operation.isPending = false;
      void this.#onOpenCallback(operation, event);
    });
    operation.forget = forget;
    const { code, hSessionHandle } = await this.#sessions.start(operation, client, context);
    const outcome = callOutcome('WFDStartOpenSession', code, operation.deviceAddress);
    if (outcome.fault !== undefined) {
      forget();
      this.#reportStartFailure(operation, outcome);
      this.#checkHandle(outcome, client);
      return;
    }
    // The callback can arrive first. If it reported an error, the handle is invalid already.
    if (operation.isPending) operation.handle = hSessionHandle;
    this.#emit(operation, { type: 'StartReturned', sessionId: operation.sessionId, outcome });
  }

  async #openLegacy(operation: Operation): Promise<void> {
    const client = await this.#clientHandle(operation);
    if (client === undefined) return;
    const { sessionId } = operation;
    const started = callOutcome('WFDOpenLegacySession', winerror.ERROR_SUCCESS);
    this.#emit(operation, { type: 'StartReturned', sessionId, outcome: started });
    const answer = await this.#sessions.openLegacy(operation, client);
    const call = callOutcome('WFDOpenLegacySession', answer.code);
    const isUnknown = call.fault?.reason === 'NATIVE_HANDLE_LOST';
    const outcome = isUnknown ? call : this.#openOutcome(call.result, operation);
    await this.#onOpenDecided(operation, outcome, answer.hSessionHandle, answer.guidSessionInterface);
    this.#checkHandle(call, client);
  }

  #openOutcome(result: NativeResult, { deviceAddress }: Operation): NativeOutcome {
    return withDevice(openOutcome(result, deviceAddress), this.devices?.get(deviceAddress));
  }

  /**
   * Invalidates the client handle if Windows no longer knows it. A late result about an earlier
   * client handle says nothing about the present one.
   */
  #checkHandle(outcome: NativeOutcome, client: ClientHandle): void {
    if (outcome.fault?.reason === 'NATIVE_HANDLE_LOST' && this.#service.current === client)
      this.#service.invalidate(outcome);
  }

  /**
   * The client handle, which is opened if there is none. Undefined if that failed; this is
   * reported.
   */
  async #clientHandle(operation: Operation): Promise<ClientHandle | undefined> {
    const outcome = await this.#service.open();
    const client = this.#service.current;
    if (client === undefined) this.#reportStartFailure(operation, outcome);
    return client;
  }

  async #onOpenCallback(operation: Operation, event: OpenSessionComplete): Promise<void> {
    const arrivedMs = performance.now();
    const { dwError, dwReasonCode } = event;
    const text = dwReasonCode === 0 ? '' : await this.#reasonTexts.of(dwReasonCode);
    const result = nativeResult('WFD_OPEN_SESSION_COMPLETE_CALLBACK', dwError, dwReasonCode, text);
    const outcome = { ...this.#openOutcome(result, operation), arrivedMs };
    await this.#onOpenDecided(operation, outcome, event.hSessionHandle, event.guidSessionInterface);
  }

  async #onOpenDecided(
    operation: Operation,
    outcome: NativeOutcome,
    handle: SessionHandle,
    guid: string,
  ): Promise<void> {
    const { sessionId, deviceAddress } = operation;
    operation.isPending = false;
    if (operation.isStale) return;
    if (outcome.fault !== undefined) {
      operation.handle = undefined;
      operation.isCompleted = true;
      this.#emit(operation, { type: 'OpenCompleted', sessionId, outcome, networkInterface: undefined });
      this.#operations.finish(operation);
      this.#probeIfSuspect(outcome);
      return;
    }
    operation.handle = handle;
    const networkInterface = await this.#links.resolve(guid);
    if (operation.isStale) return;
    if (!this.#operations.isWanted(operation)) {
      // The session has ended, so nobody else will close this handle.
      this.#probeIfSuspect(await this.#sessions.close(operation, operation.place));
      this.#operations.finish(operation);
      return;
    }
    operation.isCompleted = true;
    this.#emit(operation, { type: 'OpenCompleted', sessionId, outcome, networkInterface });
    this.#links.watch(sessionId, deviceAddress, networkInterface, {
      onDown: (evidence) => void this.#onLinkDown(operation, evidence),
      onChanged: (changed) =>
        this.#emit(operation, { type: 'NetworkInterfaceChanged', sessionId, networkInterface: changed }),
    });
  }

  /**
   * A link goes down with its peer, by a close, or with the service. If nobody has closed it, a
   * probe comes first, so that a service that is down is reported as such.
   */
  async #onLinkDown(operation: Operation, evidence: DisconnectEvidence): Promise<void> {
    if (operation.handle !== undefined) await this.#service.verifySoon();
    this.#emit(operation, { type: 'LinkDown', sessionId: operation.sessionId, evidence });
  }

  #reportStartFailure(operation: Operation, outcome: NativeOutcome): void {
    operation.isPending = false;
    if (operation.isStale) return;
    operation.isCompleted = true;
    this.#emit(operation, { type: 'StartReturned', sessionId: operation.sessionId, outcome });
    this.#operations.finish(operation);
    this.#probeIfSuspect(outcome);
  }

  #probeIfSuspect(outcome: NativeOutcome): void {
    if (suggestsServiceDown(outcome) || refusesHost(outcome)) this.#service.verify().catch(() => {});
  }

  /**
   * The client handle is invalid, and so is every session handle. Their late results are ignored.
   */
  #dropAllOperations(outcome: NativeOutcome): Promise<void> {
    for (const operation of this.#operations.clear()) {
      operation.isStale = true;
      operation.withdrawn.abort();
      operation.handle = undefined;
      // Its callback may never arrive, and the wait for it would keep the process alive.
      operation.forget();
      this.#links.forget(operation.sessionId);
    }
    this.#completions.next({ type: 'HandlesInvalidated', outcome });
    return this.#sessions.whenReturned();
  }

  #whyNot(functions: readonly string[]): Fault | undefined {
    const missing = firstMissing(this.#native.missing, functions);
    return missing && notAvailable(missing);
  }

  /** Drops late completions of a session that has ended: a new session can have the same id. */
  #emit(operation: Operation, completion: SessionCompletion): void {
    if (this.#operations.isWanted(operation)) this.#completions.next(completion);
  }
}
