/**
 * grpc.health.v1.Health, Check and Watch. Their two messages have one field each: no generated code is worth it.
 */
import { BinaryReader, BinaryWriter } from '@bufbuild/protobuf/wire';
import type { Method } from './connection.js';

const STATUSES = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'] as const;

/** SERVING: the service can do its work, the host in all that of its sessions. NOT_SERVING: it can't; `host()` says why. */
export type HealthStatus = (typeof STATUSES)[number];

/** Takes the name of a service; empty: the host as a whole. */
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

/** The status now, then each that differs from the one before. */
export const watchStatus: Method<string, HealthStatus> = { ...check, path: '/grpc.health.v1.Health/Watch' };
