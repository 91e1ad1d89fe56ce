/**
 * Logs each session change, and each native call at debug level or, if it is slow, as a warning.
 */
import { codeAndName } from '../fault.js';
import type { SessionEvent } from '../session/session.js';
import type { Log } from './log.js';
import type { Observer } from './observer.js';

export function observingLog(log: Log): Partial<Observer> {
  return {
    onNativeReturned: (fn, code, durationMs, name, { parent, link }) =>
      log.debug('native-call', `${fn} returned ${codeAndName({ code, name })}.`, {
        function: fn,
        code,
        durationMs: Math.round(durationMs),
        trace_id: (parent ?? link)?.traceId,
      }),
    onNativeSlow: (fn, warnMs) =>
      log.warn('native-call-slow', `${fn} has not returned within ${warnMs} ms.`, { function: fn, warnMs }),
    onSessionChanged: (event) => logChange(log, event),
  };
}

/** What happened to the session. */
const WORDS: Readonly<Record<SessionEvent['type'], string>> = {
  OPENING: 'is opening',
  OPENED: 'is open',
  CANCELLING: 'is being cancelled',
  CLOSING: 'is closing',
  CLOSED: 'is closed',
  FAILED: 'could not be opened',
  CANCELLED: 'was cancelled',
  LOST: 'was lost',
  LEASE_RENEWED: 'was renewed',
  LEASE_EXPIRED: 'expired',
  NETWORK_INTERFACE_CHANGED: 'has new addresses',
};

function logChange(log: Log, { type, session, cause, native, sequence }: SessionEvent): void {
  const event = `session-${type.toLowerCase().replaceAll('_', '-')}`;
  const what = `${type === 'LEASE_RENEWED' || type === 'LEASE_EXPIRED' ? 'The lease of session' : 'Session'} ${session.id}`;
  log[levelOf(type)](event, `${what} ${WORDS[type]}.`, {
    sessionId: session.id,
    sequence,
    state: session.state,
    deviceAddress: session.deviceAddress,
    owner: session.owner,
    source: cause.source,
    rpc: cause.rpc || undefined,
    requestId: cause.requestId || undefined,
    endReason: session.end?.reason,
    evidence: session.end?.evidence,
    native: native && `${native.function} ${codeAndName(native)}`,
    trace_id: (cause.trace ?? session.trace)?.traceId,
  });
}

/** Renewals are routine and numerous. */
function levelOf(type: SessionEvent['type']): 'debug' | 'info' | 'warn' {
  if (type === 'LEASE_RENEWED') return 'debug';
  return type === 'FAILED' || type === 'LOST' ? 'warn' : 'info';
}
