/**
 * A `google.rpc.Status` as grpc-js takes it: code and message, and all of it in the trailer
 * `grpc-status-details-bin`.
 */
import { Metadata, type StatusObject } from '@grpc/grpc-js';
import { Status } from '../../proto/gen/google/rpc/status.js';
import { toStatus } from '../codec/status.js';
import type { Fault } from '../fault.js';

/** The trailer with the details of a status. */
export const DETAILS_KEY = 'grpc-status-details-bin';

export function toGrpcStatus(status: Status): StatusObject {
  const metadata = new Metadata();
  metadata.set(DETAILS_KEY, Buffer.from(Status.encode(status).finish()));
  return { code: status.code, details: status.message, metadata };
}

export function faultToGrpcStatus(fault: Fault): StatusObject {
  return toGrpcStatus(toStatus(fault));
}
