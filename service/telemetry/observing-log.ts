/** One log line for each change of a session, and for each native call: at debug level, or as a warning where it is late. */
import { codeAndName } from '../fault.js';
import type { SessionEvent } from '../session/session.js';
import type { Log } from './log.js';
import type { Observer } from './observer.js';

export function observingLog(log: Log): Partial<Observer> {
  return {
    nativeReturned: (fn, code, durationMs, name, { parent, link }) =>
      log.debug('native-call', `${fn} returned ${codeAndName({ code, name })}.`, {
        function: fn,
        code,
        durationMs: Math.round(durationMs),
        trace_id: (parent ?? link)?.traceId,
      }),
    nativeSlow: (fn, warnMs) =>
      log.warn('native-call-slow', `${fn} has not returned within ${warnMs} ms.`, { function: fn, warnMs }),
    sessionChanged: (event) => logChange(log, event),
  };
}

function logChange(log: Log, { type, session, cause, native, sequence }: SessionEvent): void {
  const event = `session-${type.toLowerCase().replaceAll('_', '-')}`;
  log[levelOf(type)](event, `Session ${session.id} is ${session.state}.`, {
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

/** Renewals are routine, and come in great number. */
function levelOf(type: SessionEvent['type']): 'debug' | 'info' | 'warn' {
  if (type === 'LEASE_RENEWED') return 'debug';
  return type === 'FAILED' || type === 'LOST' ? 'warn' : 'info';
}
