/**
 * What every call of this library rejects with, and every Observable of it errors with: the status of gRPC with its
 * details (see the table in `error.proto`) as one typed value.
 */
import { type Metadata, status } from '@grpc/grpc-js';
import { toMilliseconds } from './duration.js';
import { BadRequest, ErrorInfo, RetryInfo } from './gen/google/rpc/error_details.js';
import { Status } from './gen/google/rpc/status.js';
import { type ErrorReason, NativeResult } from './gen/wifidirect/v1/error.js';

/** The reasons that this version knows: the names of `ErrorReason`. */
export type Reason = Exclude<keyof typeof ErrorReason, 'UNSPECIFIED' | 'UNRECOGNIZED'>;

/** A field of the request that the host refused, by its path as in the .proto files, and what would be right. */
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

export class GatewayError extends Error {
  override readonly name = 'GatewayError';

  /** The status code of gRPC. */
  readonly code: status;

  /**
   * Why the host refused; also a name that this version does not know, where the host is newer. Undefined where the host
   * did not speak: the connection broke, the call's own deadline passed, or it was cancelled here.
   */
  readonly reason: Reason | (string & {}) | undefined;

  /** The variable parts of the message, by the keys that `error.proto` names at each reason. */
  readonly metadata: Readonly<Record<string, string>>;

  /** What the Windows function, or its callback, said; where one of them is what failed. */
  readonly native: NativeResult | undefined;

  /** How long to wait before asking again, where the host said so. */
  readonly retryDelayMs: number | undefined;

  /** What is wrong with the request; empty unless the reason is INVALID_FIELD. */
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

  /** Whatever was thrown or received, as a GatewayError. */
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

/** A code that gRPC doesn't know is UNKNOWN, as gRPC wants it. */
function fromStatus(received: ReceivedStatus): GatewayError {
  const { code, details, metadata } = received;
  if (status[code] !== undefined) return new GatewayError(code, details, decode(metadata), received);
  return new GatewayError(status.UNKNOWN, `${details} (status code ${code})`.trimStart(), decode(metadata), received);
}

function isStatus(thrown: unknown): thrown is ReceivedStatus {
  return thrown instanceof Error && 'code' in thrown && 'details' in thrown && 'metadata' in thrown;
}

const DOMAIN = 'wifidirect.v1';

/** Details that can't be read, or that a proxy added, are left out: the status alone says enough. */
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
      // Who asks for a negative pause asks for none.
      return retryDelayMs > 0 ? { retryDelayMs } : {};
    }
    case 'wifidirect.v1.NativeResult':
      return { native: NativeResult.decode(value) };
    default:
      return {};
  }
}
