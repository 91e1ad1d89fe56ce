/** `wifidirect.v1.HostService`: what this host is, its state, and the bounds of its event log. */

import {
  type DriverKind,
  Durability,
  type GetHostRequest,
  type GetHostResponse,
  HostServiceDefinition,
  HostState,
  type Limits,
  PreviousEnd,
} from '../../proto/gen/wifidirect/v1/host_service.js';
import { shownTo } from '../codec/cursors.js';
import { toEvidence, toReason } from '../codec/messages.js';
import type { DriverStatus } from '../driver/driver.js';
import type { Fault } from '../fault.js';
import type { Lifecycle } from '../session/lifecycle.js';
import type { DisconnectEvidence } from '../session/session.js';
import { type Context, type Service, serviceOf } from './method.js';

/** Facts that do not change while the daemon runs. */
export interface HostFacts {
  readonly hostId: string;
  readonly hostname: string;
  readonly serviceVersion: string;
  readonly driverKind: DriverKind;
  readonly libraryPath: string;
  readonly missing: readonly { readonly library: string; readonly function: string }[];
  /** One fault for all missing functions; undefined if none is missing. */
  readonly incomplete: Fault | undefined;
  readonly evidenceKinds: readonly DisconnectEvidence[];
  readonly limits: Limits;
  readonly startTime: Date;
  /** How the previous life of the daemon ended. */
  readonly previousEnd: 'CLEAN' | 'CRASHED' | 'UNKNOWN';
  readonly labels: Readonly<Record<string, string>>;
}

/** The state of the host that can change. */
interface HostReadings {
  readonly driver: DriverStatus;
  readonly durability: 'MEMORY' | 'PROCESS' | 'DISK';
  /** Why the journal is not kept, if one is configured. */
  readonly journalFault: Fault | undefined;
}

export function hostService(facts: HostFacts, lifecycle: Lifecycle, read: () => HostReadings): Service {
  const getHost = (_request: GetHostRequest, { caller }: Context): GetHostResponse => {
    const { driver, durability, journalFault } = read();
    const { fault: now, negotiatedVersion, devicesFault } = driver;
    // What cannot be reached now takes precedence over what is missing for good.
    const lasting = facts.incomplete ?? devicesFault ?? journalFault;
    const fault = now?.reason === 'DRIVER_NOT_AVAILABLE' ? facts.incomplete : (now ?? lasting);
    const { log } = lifecycle.events;
    const state = lifecycle.isStopping ? 'DRAINING' : fault === undefined ? 'READY' : 'DEGRADED';
    return {
      hostId: facts.hostId,
      hostname: facts.hostname,
      epoch: log.epoch,
      state: HostState[state],
      stateReason: toReason(state === 'DRAINING' ? 'HOST_STOPPING' : fault?.reason),
      stateMessage: state === 'DRAINING' ? 'The host is stopping.' : (fault?.message ?? ''),
      driver: {
        kind: facts.driverKind,
        libraryPath: facts.libraryPath,
        negotiatedVersion,
        missingFunctions: facts.missing.map((missing) => ({ ...missing })),
        disconnectEvidence: facts.evidenceKinds.map(toEvidence),
      },
      serviceVersion: facts.serviceVersion,
      oldestCursor: shownTo(caller, lifecycle.events.oldestCursor),
      newestCursor: shownTo(caller, lifecycle.events.visibleCursor),
      limits: facts.limits,
      startTime: facts.startTime,
      durability: Durability[durability],
      previousEnd: PreviousEnd[facts.previousEnd],
      labels: { ...facts.labels },
    };
  };
  return serviceOf(HostServiceDefinition, { getHost: { answer: getHost } });
}
