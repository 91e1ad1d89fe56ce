/**
 * The gRPC server: binds addresses, serves the tables of methods with health and reflection, and
 * stops gracefully, then by force.
 */
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import {
  logVerbosity,
  Server,
  ServerCredentials,
  type ServerInterceptor,
  type ServiceDefinition,
  setLogVerbosity,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { type CallServices, notServed } from '../api/call-services.js';
import type { Service } from '../api/method.js';
import type { Result } from '../fault.js';
import type { Connections } from './connections.js';
import type { TlsCredentials } from './credentials.js';
import { Health, healthServiceDefinition } from './health.js';
import { bindLocalSocket } from './local-socket.js';
import type { Peers } from './peers.js';
import { addReflection } from './reflection.js';
import { headersTooLarge, refuseMediaType, refuseStream } from './refusals.js';
import { HEADER_BYTES_MAX, HEADERS_MAX, isOfGrpc, normalizeHeaders, sizeOfHeaders } from './request-headers.js';
import { definitionOf, type Interceptors, implementationOf } from './serving.js';
import {
  type ConnectionHooks,
  destroyDeadSockets,
  interceptConnections,
  isCancelled,
  isGone,
  setHttp2Options,
} from './wire.js';

/** Decisions and reports about requests that reach no service. */
interface Refusals {
  /**
   * A connection was refused, by TLS or because of a limit: its origin, and a sentence that says
   * why.
   */
  connection(client: string, message: string): void;
  /** A request for an RPC that is not served. */
  unserved(): void;
  /** Whether the sender may learn that it is not served. */
  recognize(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Result<void>;
}

interface ServerSettings {
  readonly receiveMessageBytesMax: number;
  readonly connectionIdleMs: number;
  readonly keepaliveTimeMs: number;
  readonly keepaliveTimeoutMs: number;
  /** The mode of Unix sockets, as for chmod. */
  readonly socketMode: number;
}

/** Megabytes that Node may hold for one HTTP/2 connection: frames, headers and unsent data. */
const SESSION_MEMORY_MB = 64;

// grpc-js would write the whole of a bad header to standard error, including credentials.
if (process.env['GRPC_VERBOSITY'] === undefined) setLogVerbosity(logVerbosity.NONE);

/** A server that knows the paths of the RPCs that it serves. */
class PathAwareServer extends Server {
  readonly paths = new Set<string>();

  override addService(service: ServiceDefinition, implementation: UntypedServiceImplementation): void {
    for (const { path } of Object.values(service)) this.paths.add(path);
    super.addService(service, implementation);
  }
}

export class GatewayServer {
  readonly #server: PathAwareServer;
  readonly #hooks: ConnectionHooks;
  readonly #connections: Connections;
  readonly #health = new Health();
  readonly #services: string[] = [];
  readonly #addresses: string[] = [];
  readonly #refusals: Refusals;
  readonly #socketMode: number;
  readonly #sweep: NodeJS.Timeout;

  /**
   * Every call of every service passes the interceptors, health and reflection included. The first
   * one is nearest to the wire.
   */
  constructor(
    settings: ServerSettings,
    connections: Connections,
    interceptors: ServerInterceptor[],
    refusals: Refusals,
    peers: Peers,
  ) {
    const refused = refusals.connection;
    this.#server = new PathAwareServer({
      interceptors,
      'grpc.max_receive_message_length': settings.receiveMessageBytesMax,
      'grpc.max_connection_idle_ms': settings.connectionIdleMs,
      'grpc.keepalive_time_ms': settings.keepaliveTimeMs,
      'grpc.keepalive_timeout_ms': settings.keepaliveTimeoutMs,
      'grpc-node.max_session_memory': SESSION_MEMORY_MB,
      'grpc.enable_channelz': 0,
    });
    setHttp2Options(this.#server, {
      maxHeaderListPairs: HEADERS_MAX,
      settings: { maxConcurrentStreams: connections.streamsAtFirst, maxHeaderListSize: HEADER_BYTES_MAX },
    });
    this.#refusals = refusals;
    this.#socketMode = settings.socketMode;
    this.#connections = connections;
    this.#hooks = {
      onConnection: (socket) => this.#connections.admit(socket),
      onSession: (session, socket) => {
        this.#connections.begin(session, socket);
        peers.begin(session);
      },
      onRequest: (stream, headers, raw) => this.#acceptRequest(stream, headers, raw),
      onTlsRefused: (client, why) => refused(client, `TLS refused a connection: ${why}`),
      onAcceptFailed: ({ message }) => refused('unknown', `A connection could not be accepted: ${message}.`),
    };
    this.#sweep = setInterval(() => destroyDeadSockets(this.#server), settings.keepaliveTimeoutMs).unref();
  }

  /** The addresses for clients: `host:port`, or the target of a socket or pipe. */
  get addresses(): readonly string[] {
    return this.#addresses;
  }

  /** The number of open connections. */
  get connections(): number {
    return this.#connections.total;
  }

  /** Serves the methods of a service. */
  add(service: Service, services: CallServices, interceptors: Interceptors): void {
    this.#server.addService(definitionOf(service), implementationOf(service, services, interceptors));
    this.#services.push(service.name);
  }

  addHealth(services: CallServices, interceptors: Interceptors, graceMs: number): void {
    this.#server.addService(healthServiceDefinition, this.#health.implementation(services, interceptors, graceMs));
  }

  /**
   * Serves reflection: the descriptors of the contract, and the names of the services that have
   * been added.
   */
  addReflection(descriptors: URL, services: CallServices, { gate }: Interceptors): void {
    addReflection(this.#server, descriptors, () => [...this.#services], services, gate);
  }

  /**
   * Binds one target, with TLS if there are credentials for it. Resolves to the address for
   * clients.
   */
  async bind(target: string, tls: TlsCredentials | undefined): Promise<string> {
    const credentials = tls ?? ServerCredentials.createInsecure();
    const bind = () => this.#bind(target, credentials);
    const port = target.startsWith('unix:/')
      ? await bindLocalSocket(target.slice('unix:'.length), this.#socketMode, bind)
      : await bind();
    const address = /:0$/.test(target) ? target.replace(/0$/, String(port)) : target;
    this.#addresses.push(address);
    return address;
  }

  #bind(target: string, credentials: ServerCredentials): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.bindAsync(target, credentials, (error, bound) => {
        // In the same turn, so that no connection is missed.
        interceptConnections(this.#server, this.#hooks);
        if (error === null) resolve(bound);
        else reject(error);
      });
    });
  }

  /**
   * Sets which services serve; the empty name is the host as a whole. Watchers get only changes.
   */
  setServing(isServing: (service: string) => boolean): void {
    this.#health.set(this.#services, isServing);
  }

  /** Waits for calls in progress, then closes what is left. */
  async stop(graceMs: number): Promise<void> {
    clearInterval(this.#sweep);
    await new Promise<void>((resolve) => {
      const force = setTimeout(() => {
        this.#server.forceShutdown();
        resolve();
      }, graceMs);
      this.#server.tryShutdown(() => {
        clearTimeout(force);
        resolve();
      });
    });
  }

  #acceptRequest(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, raw: readonly string[]): boolean {
    const { session } = stream;
    if (session === undefined) return false;
    // It was reset meanwhile, so an answer would throw, also one of grpc-js.
    if (isGone(stream)) {
      this.#connections.cancelCall(session);
      return false;
    }
    stream.once('close', () => isCancelled(stream) && this.#connections.cancelCall(session));
    const path = headers[':path'] ?? '';
    if (!isOfGrpc(headers)) {
      refuseMediaType(stream);
    } else if (sizeOfHeaders(raw) > HEADER_BYTES_MAX) {
      refuseStream(stream, headersTooLarge(HEADER_BYTES_MAX));
    } else if (this.#server.paths.has(path)) {
      normalizeHeaders(headers);
      return true;
    } else {
      // An unknown caller does not learn which RPCs are served.
      const recognized = this.#refusals.recognize(stream, headers);
      if (recognized.ok) this.#refusals.unserved();
      refuseStream(stream, recognized.ok ? notServed(path.slice(1)) : recognized.fault);
    }
    this.#connections.refuseCall(session);
    return false;
  }
}
