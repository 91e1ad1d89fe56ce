/**
 * Checks request fields and normalizes them. Each refusal names the field, the value and what would
 * be valid.
 */

import type { Duration } from '../../proto/gen/google/protobuf/duration.js';
import { seal, unseal } from '../codec/cursors.js';
import { fromDuration, fromSessionState } from '../codec/messages.js';
import { FaultError, invalidField } from '../fault.js';
import type { SessionState } from '../session/session.js';

const SESSION_ID = /^[a-z0-9][a-z0-9-]{3,62}$/;
const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;
const DEVICE_ADDRESS = /^[0-9a-f]{2}([:-])(?:[0-9a-f]{2}\1){4}[0-9a-f]{2}$/i;

const PAGE_SIZE_DEFAULT = 50;
const PAGE_SIZE_MAX = 1000;

export function sessionId(value: string, field = 'session_id'): string {
  if (!SESSION_ID.test(value))
    throw invalid(field, value, 'must be 4 to 63 of a-z, 0-9 and "-", beginning with a letter or digit');
  return value;
}

/** Empty, or a UUID in lower case. */
export function requestId(value: string): string {
  if (value !== '' && !UUID.test(value)) throw invalid('request_id', value, 'must be a UUID (RFC 9562), or empty');
  return value.toLowerCase();
}

/** `aa:bb:cc:dd:ee:ff` in lower case. */
export function deviceAddress(value: string, field = 'device_address'): string {
  if (value === '') throw new FaultError(invalidField(field, 'is missing: name the device by its P2P device address'));
  if (!DEVICE_ADDRESS.test(value)) throw invalid(field, value, 'must be a MAC address such as aa:bb:cc:dd:ee:ff');
  const address = value.toLowerCase().replaceAll('-', ':');
  if ((Number.parseInt(address.slice(0, 2), 16) & 1) === 1 || address === '00:00:00:00:00:00') {
    throw invalid(field, value, 'must be the address of one device, neither a group address nor zero');
  }
  return address;
}

/** Whole milliseconds, rounded up after the range check; undefined if the field is not set. */
export function duration(field: string, value: Duration | undefined, minMs: number, maxMs: number): number | undefined {
  if (value === undefined) return undefined;
  const ms = fromDuration(value);
  if (ms >= minMs && ms <= maxMs) return Math.ceil(ms);
  throw invalid(field, inSeconds(ms), `must be ${inSeconds(minMs)} to ${inSeconds(maxMs)}`);
}

/** `0.0005s`, to the nanosecond. */
export function inSeconds(ms: number): string {
  if (Number.isNaN(ms)) return 'not a Duration';
  return `${(ms / 1000).toFixed(9).replace(/\.?0+$/, '')}s`;
}

/**
 * The page size (AIP-158): the default if unset, at most the maximum. A negative one is refused.
 */
export function pageSize(value: number): number {
  if (value < 0) throw invalid('page_size', String(value), `must be 0 (${PAGE_SIZE_DEFAULT}) to ${PAGE_SIZE_MAX}`);
  return value === 0 ? PAGE_SIZE_DEFAULT : Math.min(value, PAGE_SIZE_MAX);
}

export function sessionStates(values: readonly number[]): SessionState[] {
  return values.map((value, index) => {
    const state = fromSessionState(value);
    if (state === undefined) throw invalid(`states[${index}]`, String(value), 'must be a known SessionState');
    return state;
  });
}

/** The ordinal after which the list continues. The list must have the same filter. */
export function fromPageToken(token: string, filter: string): number {
  if (token === '') return 0;
  const opened = unseal(token);
  if (opened === undefined) throw invalid('page_token', token, 'must be a next_page_token of this RPC, or empty');
  if (opened.tag !== digest(filter)) {
    throw invalid('page_token', token, 'belongs to a list with another filter; start anew');
  }
  return opened.position;
}

/** Sealed, because an ordinal would reveal how many sessions there have been. */
export function toPageToken(ordinal: number | undefined, filter: string): string {
  return ordinal === undefined ? '' : seal(ordinal, digest(filter));
}

export function invalid(field: string, value: string, problem: string): FaultError {
  return new FaultError(invalidField(field, `is ${JSON.stringify(value.slice(0, 100))} but ${problem}.`));
}

/** FNV-1a. It only has to detect a token that is used with another filter by mistake. */
function digest(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}
