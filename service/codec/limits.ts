/** The current limits for `GetHost`. */

import type { Limits } from '../../proto/gen/wifidirect/v1/host_service.js';
import type { Config } from '../config/schema.js';
import { toDuration } from './messages.js';

export function limitsOf({ limits, events, session }: Config): Limits {
  return {
    sessionsMax: limits.sessionsMax,
    sessionsPerPrincipalMax: limits.sessionsPerPrincipalMax,
    watchersMax: limits.watchersMax,
    watchersPerPrincipalMax: limits.watchersPerPrincipalMax,
    watchedIdsMax: limits.watchedIdsMax,
    watchedIdsPerPrincipalMax: limits.watchedIdsPerPrincipalMax,
    requestsInFlightMax: limits.requestsInFlightMax,
    requestsInFlightPerPrincipalMax: limits.requestsPerPrincipalMax,
    watcherQueueEventsMax: events.watcherQueueEventsMax,
    eventLogEventsMax: events.logEventsMax,
    eventLogAgeMax: toDuration(events.logAgeMs),
    sessionRetention: toDuration(session.retentionMs),
    openTimeoutDefault: toDuration(session.openTimeoutMs),
    openTimeoutMax: toDuration(session.openTimeoutMaxMs),
    closeTimeout: toDuration(session.closeTimeoutMs),
    leaseTtlMin: toDuration(session.leaseTtlMinMs),
    leaseTtlMax: toDuration(session.leaseTtlMaxMs),
    endedSessionsMax: session.endedSessionsMax,
    requestMemoryMax: session.requestMemoryMax,
    requestBytesMax: limits.receiveMessageBytesMax,
    transitMax: toDuration(limits.transitMs),
    transitBytesMax: limits.transitBytesMax,
    connectionsMax: limits.connectionsMax,
    connectionsPerAddressMax: limits.connectionsPerAddressMax,
    unidentifiedConnectionsMax: limits.unidentifiedConnectionsMax,
    unidentifiedConnectionsPerAddressMax: limits.unidentifiedConnectionsPerAddressMax,
    identifyMax: toDuration(limits.identifyMs),
    callsMax: limits.callsMax,
    callsPerPrincipalMax: limits.callsPerPrincipalMax,
    connectionIdleMax: toDuration(limits.connectionIdleMs),
    streamsPerConnectionMax: limits.streamsPerConnectionMax,
    eventLogBytesMax: events.logBytesMax,
    changesPerSecondPerPrincipal: limits.changesPerSecondPerPrincipalMax,
    watchesPerSecondPerPrincipal: limits.watchesPerSecondPerPrincipalMax,
  };
}

/** The limits for metrics, with the names of the contract. Those of durations end in `_seconds`. */
export function limitFigures(limits: Limits): readonly (readonly [string, number])[] {
  return Object.entries(limits).flatMap(([name, value]: [string, unknown]) => {
    const snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    if (typeof value === 'number') return [[snake, value] as const];
    const { seconds, nanos } = (value ?? {}) as { seconds?: unknown; nanos?: number };
    return seconds === undefined ? [] : [[`${snake}_seconds`, Number(seconds) + (nanos ?? 0) / 1e9] as const];
  });
}
