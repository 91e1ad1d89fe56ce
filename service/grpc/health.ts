/**
 * `grpc.health.v1`: whether the host can do its work, as a whole (the empty name) and by service.
 *
 * It is implemented here because its messages have one or two fields. The library for it would load
 * a second protobuf runtime: a tenth of the daemon's memory, and a fifth of its start (D-109).
 */
import { BinaryReader, BinaryWriter } from '@bufbuild/protobuf/wire';
import { type handleUnaryCall, type MethodDefinition, status, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { Subject } from 'rxjs';
import { permissionOf } from '../access/permissions.js';
import type { CallServices } from '../api/call-services.js';
import type { StreamMethod } from '../api/method.js';
import type { Source } from '../api/source.js';
import { type Interceptors, streamHandler, unused } from './serving.js';

/** The numbers of `HealthCheckResponse.ServingStatus`. */
const SERVING = 1;
const NOT_SERVING = 2;
const SERVICE_UNKNOWN = 3;

/** Field numbers and wire types: of the request, of the answer, of the list, and of a map entry. */
const SERVICE = (1 << 3) | 2;
const STATUS = 1 << 3;
const STATUSES = (1 << 3) | 2;
const KEY = (1 << 3) | 2;
const VALUE = (2 << 3) | 2;

interface HealthRequest {
  readonly service: string;
}

const SERVICE_NAME = 'grpc.health.v1.Health';

export const healthServiceDefinition = {
  Check: method('Check', false, encodeStatus),
  List: method('List', false, encodeList),
  Watch: method('Watch', true, encodeStatus),
};

export class Health {
  readonly #statuses = new Map<string, number>([['', NOT_SERVING]]);
  readonly #changes = new Subject<void>();

  /** Sets the status of these services, and that of the host as a whole. */
  set(services: Iterable<string>, isServing: (service: string) => boolean): void {
    for (const service of ['', ...services]) {
      this.#statuses.set(service, isServing(service) ? SERVING : NOT_SERVING);
    }
    this.#changes.next();
  }

  /**
   * Check and List take no place of a quota, because a prober must be answered even if all places
   * are taken.
   */
  implementation(services: CallServices, interceptors: Interceptors, graceMs: number): UntypedServiceImplementation {
    const check: handleUnaryCall<HealthRequest, number> = ({ request }, callback) => {
      const known = this.#statuses.get(request.service);
      if (known !== undefined) callback(null, known);
      else callback({ code: status.NOT_FOUND, details: 'The host has no such service.' });
    };
    const list: handleUnaryCall<HealthRequest, ReadonlyMap<string, number>> = (_call, callback) =>
      callback(null, this.#statuses);
    const rpc = `${SERVICE_NAME}/Watch`;
    const watch: StreamMethod<HealthRequest, number> = {
      name: 'Watch',
      rpc,
      permission: permissionOf(rpc),
      decode: decodeRequest,
      encode: encodeStatus,
      open: ({ service }) => this.#watch(service),
      graceMs,
    };
    return { Check: check, List: list, Watch: streamHandler(watch, services, interceptors) };
  }

  /**
   * Sends the current status, then each change. The name of an unknown service is forgotten when
   * its watch ends.
   */
  #watch(service: string): Source<number> {
    let sent: number | undefined;
    return {
      next: () => {
        const now = this.#statuses.get(service) ?? SERVICE_UNKNOWN;
        if (now === sent) return undefined;
        sent = now;
        return now;
      },
      ready: this.#changes,
      outcome: () => undefined,
      close: () => {},
    };
  }
}

function method<Response>(
  name: string,
  responseStream: boolean,
  responseSerialize: (message: Response) => Buffer,
): MethodDefinition<HealthRequest, Response> {
  return {
    path: `/${SERVICE_NAME}/${name}`,
    requestStream: false,
    responseStream,
    requestSerialize: unused,
    requestDeserialize: decodeRequest,
    responseSerialize,
    responseDeserialize: unused,
  };
}

function decodeRequest(bytes: Uint8Array): HealthRequest {
  const reader = new BinaryReader(bytes);
  let service = '';
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag === SERVICE) service = reader.string();
    else reader.skip(tag & 7);
  }
  return { service };
}

function encodeStatus(serving: number): Buffer {
  return Buffer.from(new BinaryWriter().uint32(STATUS).int32(serving).finish());
}

function encodeList(statuses: ReadonlyMap<string, number>): Buffer {
  const writer = new BinaryWriter();
  for (const [service, serving] of statuses) {
    writer.uint32(STATUSES).fork().uint32(KEY).string(service).uint32(VALUE).bytes(encodeStatus(serving)).join();
  }
  return Buffer.from(writer.finish());
}
