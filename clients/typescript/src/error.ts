/**
 * GatewayError, the error of every call and Observable of this library: a gRPC status with its
 * details as one typed value. `error.proto` has a table of the reasons.
 */
import { type Metadata, status } from '@grpc/grpc-js';
import { BadRequest, ErrorInfo, RetryInfo } from '../../../proto/gen/google/rpc/error_details.js';
import { Status } from '../../../proto/gen/google/rpc/status.js';
import { type ErrorReason, NativeResult } from '../../../proto/gen/wifidirect/v1/error.js';
import { toMilliseconds } from './duration.js';

/** The reasons that this version of the library knows: the names of `ErrorReason`. */
export type Reason = Exclude<keyof typeof ErrorReason, 'UNSPECIFIED' | 'UNRECOGNIZED'>;

/** An invalid field of a request: its path as in the .proto files, and what is wrong with it. */
export interface FieldViolation {
  readonly field: string;
  readonly description: string;
}

interface Details {
  readonly reason?: GatewayError['reason'];
  readonly metadata?: GatewayError['metadata'];
  readonly native?: NativeResult;
  readonly retryDelayMs?: number;
  readonly fieldViolations?: readonly FieldViolation[];
}

/**
 * An error of the host or of the connection to it. Check `reason` if the error comes from the host,
 * else `code`.
 */
export class GatewayError extends Error {
  override readonly name = 'GatewayError';

  /** The gRPC status code. */
  readonly code: status;

  /**
   * Why the host failed the call. A newer host can send a name that this version does not know.
   * Undefined if the error does not come from the host: the connection broke, the call timed out,
   * or it was cancelled by this program.
   */
  readonly reason: Reason | (string & {}) | undefined;

  /** The variable parts of the message. `error.proto` lists the keys of each reason. */
  readonly metadata: Readonly<Record<string, string>>;

  /** The result of the Windows function, or of its callback, if that caused the error. */
  readonly native: NativeResult | undefined;

  /** How long to wait before a retry, in ms, if the host sent this. */
  readonly retryDelayMs: number | undefined;

  /** The invalid fields of the request. Empty unless the reason is INVALID_FIELD. */
  readonly fieldViolations: readonly FieldViolation[];

  constructor(code: status, text: string, details: Details = {}, cause?: unknown) {
    super(`${details.reason ?? status[code]}: ${text || 'the call failed'}`, cause === undefined ? {} : { cause });
    this.code = code;
    this.reason = details.reason;
    this.metadata = details.metadata ?? {};
    this.native = details.native;
    this.retryDelayMs = details.retryDelayMs;
    this.fieldViolations = details.fieldViolations ?? [];
  }

  /** Converts any thrown value to a GatewayError. */
  static from(thrown: unknown): GatewayError {
    if (thrown instanceof GatewayError) return thrown;
    if (isStatus(thrown)) return fromStatus(thrown);
    return new GatewayError(status.UNKNOWN, thrown instanceof Error ? thrown.message : String(thrown), {}, thrown);
  }
}

interface ReceivedStatus {
  readonly code: status;
  readonly details: string;
  readonly metadata: Metadata;
}

/** gRPC requires that an unknown status code becomes UNKNOWN. */
function fromStatus(received: ReceivedStatus): GatewayError {
  const { code, details, metadata } = received;
  if (status[code] !== undefined) return new GatewayError(code, details, decode(metadata), received);
  return new GatewayError(status.UNKNOWN, `${details} (status code ${code})`.trimStart(), decode(metadata), received);
}

function isStatus(thrown: unknown): thrown is ReceivedStatus {
  return thrown instanceof Error && 'code' in thrown && 'details' in thrown && 'metadata' in thrown;
}

const DOMAIN = 'wifidirect.v1';

/**
 * Ignores details that can't be decoded or that come from a proxy, because the status alone is
 * usable.
 */
function decode(trailers: Metadata): Details {
  const [bytes] = trailers.get('grpc-status-details-bin');
  if (!(bytes instanceof Buffer)) return {};
  try {
    return Object.assign({}, ...Status.decode(bytes).details.map(({ typeUrl, value }) => decodeOne(typeUrl, value)));
  } catch {
    return {};
  }
}

function decodeOne(typeUrl: string, value: Uint8Array): Details {
  switch (typeUrl.slice(typeUrl.lastIndexOf('/') + 1)) {
    case 'google.rpc.ErrorInfo': {
      const { domain, reason, metadata } = ErrorInfo.decode(value);
      return domain === DOMAIN ? { reason, metadata } : {};
    }
    case 'google.rpc.BadRequest':
      return { fieldViolations: BadRequest.decode(value).fieldViolations };
    case 'google.rpc.RetryInfo': {
      const { retryDelay } = RetryInfo.decode(value);
      const retryDelayMs = retryDelay === undefined ? 0 : toMilliseconds(retryDelay);
      // A negative delay counts as none.
      return retryDelayMs > 0 ? { retryDelayMs } : {};
    }
    case 'wifidirect.v1.NativeResult':
      return { native: NativeResult.decode(value) };
    default:
      return {};
  }
}
