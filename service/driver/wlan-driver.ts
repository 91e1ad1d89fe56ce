/**
 * The driver over `native/`: native handles live and die here.
 *
 * The rules that must not be broken: the callback is matched by its context, never by a handle; a handle is forgotten before it is
 * closed; after the client handle is lost, no handle of its time is used again.
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
import { broken, newOperation, type Operation, onOpenComplete, SessionCalls } from './session-calls.js';
import {
  callOutcome,
  doubtsService,
  nativeResult,
  notAvailable,
  notPaired,
  openOutcome,
  refusesHost,
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
    this.#service = new ServiceHandle(native.wlanapi, this.#calls, settings, (outcome) => this.#lost(outcome));
    this.#sessions = new SessionCalls(native.wlanapi, this.#calls);
    this.#table = new DeviceTable(native.cfgmgr32, this.#calls, settings);
    this.#links = new LinkWatch(native.iphlpapi, this.#calls, settings.linkPollMs, this.#table);
    this.#reasonTexts = new ReasonTexts(native.wlanapi, this.#calls);
    this.#table.changes.subscribe(({ device }) => this.#links.deviceChanged(device));
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

  /** How many client handles were lost, and opened anew. */
  get handlesLost(): number {
    return this.#service.losses;
  }

  get devices(): ReadonlyMap<string, DeviceProperties> | undefined {
    return this.#table.devices;
  }

  get deviceChanges(): Observable<DeviceChange> {
    return this.#table.changes;
  }

  /** How many native calls are under way or waiting. */
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

  /** After a sleep of the computer: the service is asked whether it still knows the handle, and then every link is looked at. */
  resume(): void {
    void this.#service.verifySoon().then(() => this.#links.look());
  }

  whyNotDevices(): Fault | undefined {
    const missing = this.#whyNot(['DevCreateObjectQuery', 'DevCloseObjectQuery']);
    // What was told before Windows began to refuse is still the best that is known.
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
      this.#startFailed(operation, broken(fn, error));
    });
  }

  withdrawOpen(sessionId: string): void {
    this.#operations.find(sessionId)?.withdrawn.abort();
  }

  cancelOpen(sessionId: string, place?: TracePlace): void {
    const operation = this.#operations.find(sessionId);
    const handle = operation?.handle;
    // A legacy open has no handle before it has returned: it can't be cancelled, but it may not have begun.
    if (operation === undefined || handle === undefined) {
      operation?.withdrawn.abort();
      return;
    }
    this.#sessions.cancel(operation, handle, place).then((outcome) => {
      this.#tell(operation, { type: 'CancelReturned', sessionId, outcome });
      this.#doubt(outcome);
    });
  }

  closeSession(sessionId: string, place?: TracePlace): void {
    const operation = this.#operations.find(sessionId);
    if (operation === undefined) return;
    this.#sessions.close(operation, place).then((outcome) => {
      this.#tell(operation, { type: 'CloseReturned', sessionId, outcome });
      this.#doubt(outcome);
      // Whatever has made Windows forget the session, a restart of the service above all, may have made it forget the client.
      const isHandleLost = outcome.fault?.reason === 'NATIVE_HANDLE_LOST';
      if (isHandleLost && !operation.isLost && this.#operations.size === 0) this.#service.lose(outcome);
      if (this.#operations.isWanted(operation)) this.#links.closing(sessionId);
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
    else this.#doubt(outcome);
    return outcome;
  }

  async close(deadlineMs: number): Promise<boolean> {
    const isQuiet = await isDoneWithin(deadlineMs, this.#closeAll());
    this.#completions.complete();
    return isQuiet;
  }

  async #closeAll(): Promise<void> {
    // WFDCloseHandle waits for pending opens, so they are waited for here, where waiting holds no thread.
    await this.#operations.settled();
    await this.#sessions.idle();
    await this.#links.close();
    await this.#table.close();
    await this.#service.close();
    await this.#calls.idle();
  }

  async #startOpen(operation: Operation): Promise<void> {
    const client = await this.#client(operation);
    if (client === undefined) return;
    const { context, forget } = onOpenComplete((event) => {
      operation.isPending = false;
      void this.#completed(operation, event);
    });
    operation.forget = forget;
    const { code, hSessionHandle } = await this.#sessions.start(operation, client, context);
    const outcome = callOutcome('WFDStartOpenSession', code, operation.deviceAddress);
    if (outcome.fault !== undefined) {
      forget();
      this.#startFailed(operation, outcome);
      this.#handleLost(outcome, client);
      return;
    }
    // The callback may have come first; if it failed, the handle is dead already.
    if (operation.isPending) operation.handle = hSessionHandle;
    this.#tell(operation, { type: 'StartReturned', sessionId: operation.sessionId, outcome });
  }

  async #openLegacy(operation: Operation): Promise<void> {
    const client = await this.#client(operation);
    if (client === undefined) return;
    const { sessionId } = operation;
    const started = callOutcome('WFDOpenLegacySession', winerror.ERROR_SUCCESS);
    this.#tell(operation, { type: 'StartReturned', sessionId, outcome: started });
    const answer = await this.#sessions.openLegacy(operation, client);
    const call = callOutcome('WFDOpenLegacySession', answer.code);
    const isHandleLost = call.fault?.reason === 'NATIVE_HANDLE_LOST';
    const outcome = isHandleLost ? call : this.#openOutcome(call.result, operation);
    await this.#opened(operation, outcome, answer.hSessionHandle, answer.guidSessionInterface);
    this.#handleLost(call, client);
  }

  #openOutcome(result: NativeResult, { deviceAddress }: Operation): NativeOutcome {
    return withDevice(openOutcome(result, deviceAddress), this.devices?.get(deviceAddress));
  }

  /** What comes late says nothing of the client handle that has replaced this one. */
  #handleLost(outcome: NativeOutcome, client: ClientHandle): void {
    if (outcome.fault?.reason === 'NATIVE_HANDLE_LOST' && this.#service.current === client) this.#service.lose(outcome);
  }

  /** The client handle, opened first where there is none; undefined after the failure was reported. */
  async #client(operation: Operation): Promise<ClientHandle | undefined> {
    const outcome = await this.#service.open();
    const client = this.#service.current;
    if (client === undefined) this.#startFailed(operation, outcome);
    return client;
  }

  async #completed(operation: Operation, event: OpenSessionComplete): Promise<void> {
    const arrivedMs = performance.now();
    const { dwError, dwReasonCode } = event;
    const text = dwReasonCode === 0 ? '' : await this.#reasonTexts.of(dwReasonCode);
    const result = nativeResult('WFD_OPEN_SESSION_COMPLETE_CALLBACK', dwError, dwReasonCode, text);
    const outcome = { ...this.#openOutcome(result, operation), arrivedMs };
    await this.#opened(operation, outcome, event.hSessionHandle, event.guidSessionInterface);
  }

  async #opened(operation: Operation, outcome: NativeOutcome, handle: SessionHandle, guid: string): Promise<void> {
    const { sessionId, deviceAddress } = operation;
    operation.isPending = false;
    if (operation.isLost) return;
    if (outcome.fault !== undefined) {
      operation.handle = undefined;
      operation.isCompleted = true;
      this.#tell(operation, { type: 'OpenCompleted', sessionId, outcome, networkInterface: undefined });
      this.#operations.finish(operation);
      this.#doubt(outcome);
      return;
    }
    operation.handle = handle;
    const networkInterface = await this.#links.resolve(guid);
    if (operation.isLost) return;
    if (!this.#operations.isWanted(operation)) {
      // Nobody has this session any more.
      this.#doubt(await this.#sessions.close(operation, operation.place));
      this.#operations.finish(operation);
      return;
    }
    operation.isCompleted = true;
    this.#tell(operation, { type: 'OpenCompleted', sessionId, outcome, networkInterface });
    this.#links.watch(sessionId, deviceAddress, networkInterface, {
      down: (evidence) => void this.#linkDown(operation, evidence),
      changed: (changed) =>
        this.#tell(operation, { type: 'NetworkInterfaceChanged', sessionId, networkInterface: changed }),
    });
  }

  /** A link goes down with its peer, by the close, or with the service: ask the service before saying which. */
  async #linkDown(operation: Operation, evidence: DisconnectEvidence): Promise<void> {
    await this.#service.verifySoon();
    this.#tell(operation, { type: 'LinkDown', sessionId: operation.sessionId, evidence });
  }

  #startFailed(operation: Operation, outcome: NativeOutcome): void {
    operation.isPending = false;
    if (operation.isLost) return;
    operation.isCompleted = true;
    this.#tell(operation, { type: 'StartReturned', sessionId: operation.sessionId, outcome });
    this.#operations.finish(operation);
    this.#doubt(outcome);
  }

  #doubt(outcome: NativeOutcome): void {
    if (doubtsService(outcome) || refusesHost(outcome)) this.#service.verify().catch(() => {});
  }

  /** The client handle is gone, and with it every session handle. What was still to come of them is of no interest. */
  #lost(outcome: NativeOutcome): Promise<void> {
    for (const operation of this.#operations.clear()) {
      operation.isLost = true;
      operation.withdrawn.abort();
      operation.handle = undefined;
      // Its callback may never come, and would hold the process.
      operation.forget();
      this.#links.forget(operation.sessionId);
    }
    this.#completions.next({ type: 'DriverLost', outcome });
    return this.#sessions.returned();
  }

  #whyNot(functions: readonly string[]): Fault | undefined {
    const missing = firstMissing(this.#native.missing, functions);
    return missing && notAvailable(missing);
  }

  /** What comes late, after its session has ended, must not reach a new session of the same name. */
  #tell(operation: Operation, completion: SessionCompletion): void {
    if (this.#operations.isWanted(operation)) this.#completions.next(completion);
  }
}
