/**
 * A device query that stays open. Windows reports the objects of one type, and each change of them.
 * The query is created again if Windows aborts it or could not create it.
 *
 * Invariant: a query is closed from the event loop, asynchronously, never from within its callback.
 */
import {
  type Cfgmgr32,
  type DevFilter,
  type DevObject,
  type DevQueryHandle,
  type DevQueryResult,
  devQueryResultCallbacks,
} from '../../native/cfgmgr32.js';
import * as c from '../../native/constants.js';
import type { Fault } from '../fault.js';
import { type GiveBack, once } from '../once.js';
import { nodeProperties } from './device-nodes.js';
import type { NativeCalls } from './native-calls.js';
import { callOutcome } from './win32-error.js';

/** How long to wait before the next query. It doubles with each query that fails. */
export interface DeviceQuerySettings {
  readonly reopenBackoffMinMs: number;
  readonly reopenBackoffMaxMs: number;
}

interface DeviceQueryListener {
  /** A query begins. It will report every object that exists. */
  onCreating(): void;
  /** An object exists, or has changed. */
  onObject(object: DevObject): void;
  /** Windows has removed an object. */
  onRemoved(objectId: string): void;
  /** Every object that existed when the query was created has been reported. */
  onEnumerated(): void;
  /** The query could not be created. It will be tried again. */
  onFailed(fault: Fault): void;
}

export class DeviceQuery {
  readonly #cfgmgr32: Cfgmgr32;
  readonly #calls: NativeCalls;
  readonly #settings: DeviceQuerySettings;
  readonly #objectType: number;
  readonly #filters: readonly DevFilter[];
  readonly #listener: DeviceQueryListener;
  #query: { readonly handle: DevQueryHandle; readonly forget: GiveBack } | undefined;
  /** The last piece of work. Creating and closing a query wait for it, so they never overlap. */
  #lastWork: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #backoffMs: number;
  #isClosed = false;

  constructor(
    { cfgmgr32, calls, settings }: { cfgmgr32: Cfgmgr32; calls: NativeCalls; settings: DeviceQuerySettings },
    objectType: number,
    filters: readonly DevFilter[],
    listener: DeviceQueryListener,
  ) {
    this.#cfgmgr32 = cfgmgr32;
    this.#calls = calls;
    this.#settings = settings;
    this.#objectType = objectType;
    this.#filters = filters;
    this.#listener = listener;
    this.#backoffMs = settings.reopenBackoffMinMs;
  }

  start(): void {
    this.#lastWork = this.#create();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#enqueue(() => this.#discard());
  }

  async #create(): Promise<void> {
    this.#listener.onCreating();
    let isDead = false;
    const context = devQueryResultCallbacks.registerContext((result) => {
      if (isDead) return;
      // An aborted query reports nothing more. It is closed outside of its callback.
      isDead = result.Action === c.DevQueryResultStateChange && result.State === c.DevQueryStateAborted;
      if (isDead) this.#scheduleRetry();
      else this.#dispatch(result);
    });
    const forget = once(() => devQueryResultCallbacks.forgetContext(context));
    const { DevCreateObjectQuery } = this.#cfgmgr32;
    const { code, hDevQuery } = await this.#calls
      .run('look', 'DevCreateObjectQuery', () =>
        DevCreateObjectQuery(this.#objectType, c.DevQueryFlagUpdateResults, nodeProperties, this.#filters, context),
      )
      .catch(() => ({ code: c.winerror.ERROR_PROC_NOT_FOUND, hDevQuery: undefined }));
    if (code !== c.winerror.ERROR_SUCCESS || hDevQuery === undefined) {
      forget();
      const { fault } = callOutcome('DevCreateObjectQuery', code);
      if (fault !== undefined && !this.#isClosed) this.#listener.onFailed(fault);
      this.#scheduleRetry();
      return;
    }
    this.#query = { handle: hDevQuery, forget };
  }

  #dispatch(result: DevQueryResult): void {
    if (result.Action === c.DevQueryResultRemove) this.#listener.onRemoved(result.DeviceObject.ObjectId);
    else if (result.Action !== c.DevQueryResultStateChange) this.#listener.onObject(result.DeviceObject);
    else if (result.State === c.DevQueryStateEnumCompleted) {
      this.#backoffMs = this.#settings.reopenBackoffMinMs;
      this.#listener.onEnumerated();
    }
  }

  #scheduleRetry(): void {
    if (this.#isClosed) return;
    clearTimeout(this.#timer);
    // A query can be aborted before the call that creates it has returned.
    this.#timer = setTimeout(() => void this.#enqueue(() => this.#recreate()), this.#backoffMs);
    this.#timer.unref();
    this.#backoffMs = Math.min(this.#backoffMs * 2, this.#settings.reopenBackoffMaxMs);
  }

  async #recreate(): Promise<void> {
    await this.#discard();
    if (!this.#isClosed) await this.#create();
  }

  #enqueue(work: () => Promise<void>): Promise<void> {
    this.#lastWork = this.#lastWork.then(work, work);
    return this.#lastWork;
  }

  async #discard(): Promise<void> {
    const query = this.#query;
    this.#query = undefined;
    if (query === undefined) return;
    await this.#calls.run('end', 'DevCloseObjectQuery', async () => {
      await this.#cfgmgr32.DevCloseObjectQuery(query.handle);
      return { code: c.winerror.ERROR_SUCCESS };
    });
    query.forget();
  }
}
