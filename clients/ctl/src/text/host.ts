/** Formats the host for people, and its message for programs. */
import { ErrorReason } from '../../../../proto/gen/wifidirect/v1/error.js';
import {
  type Driver,
  DriverKind,
  type GetHostResponse,
  HostState,
  GetHostResponse as Hosts,
  type Limits,
} from '../../../../proto/gen/wifidirect/v1/host_service.js';
import { DisconnectEvidence } from '../../../../proto/gen/wifidirect/v1/session.js';
import { toMilliseconds } from '../../../typescript/src/duration.js';
import { nameOf } from '../../../typescript/src/enums.js';
import { formatDuration } from './duration.js';
import { paintOf, type Style } from './style.js';
import { pairs } from './table.js';

export function describeHost(host: GetHostResponse, style: Style): string {
  const { driver, limits } = host;
  const state = nameOf(HostState, host.state);
  const about = pairs(
    [
      ['Host', host.hostId === host.hostname ? host.hostId : `${host.hostId} (${host.hostname})`],
      ['State', { text: state, paint: paintOf(style, state) }],
      ['Reason', reasonOf(host)],
      ['Driver', driver && driverOf(driver)],
      [
        'Missing',
        driver?.missingFunctions.map(({ library, function: name }) => `${library} ${name}`.trim()).join(', '),
      ],
      ['Evidence', driver?.disconnectEvidence.map((evidence) => nameOf(DisconnectEvidence, evidence)).join(', ')],
      ['Version', host.serviceVersion],
      ['Epoch', host.epoch],
      ['Oldest cursor', host.oldestCursor],
      ['Newest cursor', host.newestCursor],
    ],
    style.bold,
  );
  return limits === undefined ? about : `${about}\n${style.bold('Limits')}\n${describeLimits(limits, style)}`;
}

/** `DRIVER_NOT_AVAILABLE: ...`, or undefined if the host is well. */
export function reasonOf({ stateReason, stateMessage }: GetHostResponse): string | undefined {
  if (stateReason === ErrorReason.UNSPECIFIED) return undefined;
  return `${nameOf(ErrorReason, stateReason)}: ${stateMessage}`;
}

function driverOf({ kind, libraryPath, negotiatedVersion }: Driver): string {
  const version = negotiatedVersion === 0 ? '' : `, API version ${negotiatedVersion}`;
  return `${nameOf(DriverKind, kind)}, ${libraryPath}${version}`;
}

/** With the field names of the API, such as `sessionsMax`. */
function describeLimits(limits: Limits, style: Style): string {
  const entries = Object.entries(limits).map(([name, value]: [string, Limits[keyof Limits]]): [string, string] => {
    const text = typeof value === 'object' ? formatDuration(toMilliseconds(value)) : String(value ?? '');
    return [`  ${name}`, text];
  });
  return pairs(entries, style.dim);
}

/** GetHostResponse. */
export function hostMessage(response: GetHostResponse): unknown {
  const { limits, ...rest } = Hosts.toJSON(response) as { limits?: Record<string, unknown> };
  return { ...rest, ...(limits && { limits: Object.fromEntries(Object.entries(limits).map(withDuration)) }) };
}

/** ts-proto writes a Duration as its fields, but ProtoJSON as `3600s`. */
function withDuration([name, value]: [string, unknown]): [string, unknown] {
  if (typeof value !== 'object' || value === null) return [name, value];
  const { seconds = '0', nanos = 0 } = value as { seconds?: string; nanos?: number };
  const fraction = nanos === 0 ? '' : `.${String(nanos).padStart(9, '0').replace(/0+$/, '')}`;
  return [name, `${seconds}${fraction}s`];
}
