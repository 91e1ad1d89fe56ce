/**
 * `grpc.health.v1`: whether the host can do its work, as a whole (the empty name) and by service.
 *
 * By hand: its messages have a field or two, and the library for it brings a second runtime of protobuf, which is a tenth of the
 * daemon's memory and a fifth of its start.
 */
import { BinaryReader, BinaryWriter } from '@bufbuild/protobuf/wire';
import { type handleUnaryCall, type MethodDefinition, status } from '@grpc/grpc-js';
import { Subject } from 'rxjs';
import type { Edge } from './edge.js';
import { type Source, serverStream } from './server-stream.js';

/** The numbers of `HealthCheckResponse.ServingStatus`. */
const SERVING = 1;
const NOT_SERVING = 2;
const SERVICE_UNKNOWN = 3;

/** Field numbers and wire types: of the request, of the answer, of the list, and of an entry of its map. */
const SERVICE = (1 << 3) | 2;
const STATUS = 1 << 3;
const STATUSES = (1 << 3) | 2;
const KEY = (1 << 3) | 2;
const VALUE = (2 << 3) | 2;

interface HealthRequest {
  readonly service: string;
}

export const healthServiceDefinition = {
  check: method('Check', false, decodeRequest, encodeStatus),
  watch: method('Watch', true, decodeRequest, encodeStatus),
  list: method('List', false, decodeRequest, encodeList),
};

export class Health {
  readonly #statuses = new Map<string, number>([['', NOT_SERVING]]);
  readonly #changes = new Subject<void>();

  /** Of these services, and of the host as a whole. */
  set(services: Iterable<string>, isServing: (service: string) => boolean): void {
    for (const service of ['', ...services]) {
      this.#statuses.set(service, isServing(service) ? SERVING : NOT_SERVING);
    }
    this.#changes.next();
  }

  /** No quota counts a check: a prober must be answered also where everybody else has had enough. */
  service(edge: Edge, graceMs: number) {
    const check: handleUnaryCall<HealthRequest, number> = ({ request }, callback) => {
      const known = this.#statuses.get(request.service);
      if (known !== undefined) callback(null, known);
      else callback({ code: status.NOT_FOUND, details: 'The host has no such service.' });
    };
    const list: handleUnaryCall<HealthRequest, ReadonlyMap<string, number>> = (_call, callback) =>
      callback(null, this.#statuses);
    const watch = serverStream<HealthRequest, number>(edge, 'grpc.health.v1.Health/Watch', graceMs, ({ service }) =>
      this.#watch(service),
    );
    return { check, watch, list };
  }

  /** The status now, and then each that differs from the last one told. A name that is not known is kept no longer than its watch. */
  #watch(service: string): Source<number> {
    let told: number | undefined;
    return {
      next: () => {
        const now = this.#statuses.get(service) ?? SERVICE_UNKNOWN;
        if (now === told) return undefined;
        told = now;
        return now;
      },
      ready: this.#changes,
      ended: () => undefined,
      waiting: 0,
      carried: () => [],
      behind: () => undefined,
      position: () => ({}),
      close: () => {},
    };
  }
}

function method<Request, Response>(
  name: string,
  responseStream: boolean,
  requestDeserialize: (bytes: Buffer) => Request,
  responseSerialize: (message: Response) => Buffer,
): MethodDefinition<Request, Response> {
  // What a client would need is left to clients.
  const unused = () => {
    throw new Error('This definition is a server’s.');
  };
  return {
    path: `/grpc.health.v1.Health/${name}`,
    requestStream: false,
    responseStream,
    requestSerialize: unused,
    requestDeserialize,
    responseSerialize,
    responseDeserialize: unused,
  };
}

function decodeRequest(bytes: Buffer): HealthRequest {
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
