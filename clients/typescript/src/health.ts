/**
 * grpc.health.v1.Health, with Check and Watch. Each message has one field, so generated code is not
 * worth its size.
 */
import { BinaryReader, BinaryWriter } from '@bufbuild/protobuf/wire';
import type { Method } from './methods.js';

const STATUSES = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'] as const;

/** SERVING: the host or service can do its work. NOT_SERVING: it can't, and `host()` says why. */
export type HealthStatus = (typeof STATUSES)[number];

/** The request is the name of a service. An empty name means the host as a whole. */
export const check: Method<string, HealthStatus> = {
  path: '/grpc.health.v1.Health/Check',
  requestSerialize: (service) => Buffer.from(new BinaryWriter().uint32(10).string(service).finish()),
  responseDeserialize: (bytes) => {
    const reader = new BinaryReader(bytes);
    let status = 0;
    while (reader.pos < reader.len) {
      const tag = reader.uint32();
      if (tag === 8) status = reader.int32();
      else reader.skip(tag & 7);
    }
    return STATUSES[status] ?? 'UNKNOWN';
  },
};

/** Sends the current status, then each change. */
export const watchStatus: Method<string, HealthStatus> = { ...check, path: '/grpc.health.v1.Health/Watch' };
