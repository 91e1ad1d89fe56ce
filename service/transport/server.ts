/**
 * The gRPC server: binds, serves the services with health and reflection, and stops gracefully, then by force.
 *
 * Health answers per service and in all.
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
import { type ConnectionLimits, Connections } from './connections.js';
import type { TlsCredentials } from './credentials.js';
import type { Edge } from './edge.js';
import { Health, healthServiceDefinition } from './health.js';
import { bindLocalSocket } from './local-socket.js';
import type { Peers } from './peers.js';
import { addReflection } from './reflection.js';
import { refuseUnserved } from './refusals.js';
import { isOfGrpc, putRight } from './request-headers.js';
import { closeGivenUp, isGone, lookOut, type Outlook } from './wire.js';

/** Who hears of what comes to no service. */
export interface RefusalListener {
  /** A connection was refused, by TLS or for their number: where from, and why, as a sentence. */
  connection(client: string, message: string): void;
  /** An RPC was asked for that nobody serves. */
  unserved(): void;
}

export interface ServerSettings extends ConnectionLimits {
  readonly receiveMessageBytesMax: number;
  readonly streamsPerConnectionMax: number;
  readonly connectionIdleMs: number;
  readonly keepaliveTimeMs: number;
  readonly keepaliveTimeoutMs: number;
  /** Of Unix sockets, as chmod takes it. */
  readonly socketMode: number;
}

/** One HTTP/2 connection may make Node keep at most this many megabytes: frames, headers and what is unsent. */
const SESSION_MEMORY_MB = 64;

// What grpc-js would write of a bad header to the standard error is the whole of it, credentials too.
if (process.env['GRPC_VERBOSITY'] === undefined) setLogVerbosity(logVerbosity.NONE);

/** A server that knows which RPCs it serves. */
class KnowingServer extends Server {
  readonly paths = new Set<string>();

  override addService(service: ServiceDefinition, implementation: UntypedServiceImplementation): void {
    for (const { path } of Object.values(service)) this.paths.add(path);
    super.addService(service, implementation);
  }
}

export class GatewayServer {
  readonly #server: KnowingServer;
  readonly #outlook: Outlook;
  readonly #connections: Connections;
  readonly #health = new Health();
  readonly #services: string[] = [];
  readonly #addresses: string[] = [];
  readonly #unserved: () => void;
  readonly #socketMode: number;
  readonly #sweep: NodeJS.Timeout;

  /**
   * Every call of every service passes the interceptors, health and reflection too; the first is the nearest to the wire.
   */
  constructor(
    settings: ServerSettings,
    interceptors: ServerInterceptor[],
    { connection: refused, unserved }: RefusalListener,
    peers: Peers,
  ) {
    this.#server = new KnowingServer({
      interceptors,
      'grpc.max_receive_message_length': settings.receiveMessageBytesMax,
      'grpc.max_concurrent_streams': settings.streamsPerConnectionMax,
      'grpc.max_connection_idle_ms': settings.connectionIdleMs,
      'grpc.keepalive_time_ms': settings.keepaliveTimeMs,
      'grpc.keepalive_timeout_ms': settings.keepaliveTimeoutMs,
      'grpc-node.max_session_memory': SESSION_MEMORY_MB,
      'grpc.enable_channelz': 0,
    });
    this.#unserved = unserved;
    this.#socketMode = settings.socketMode;
    this.#connections = new Connections(settings, refused);
    this.#outlook = {
      connected: (socket) => this.#connections.admit(socket),
      begun: (session) => peers.begin(session),
      requested: (stream, headers) => this.#take(stream, headers),
      tlsRefused: (client, why) => refused(client, `TLS refused a connection: ${why}`),
      acceptFailed: ({ message }) => refused('unknown', `A connection could not be accepted: ${message}.`),
    };
    this.#sweep = setInterval(() => closeGivenUp(this.#server), settings.keepaliveTimeoutMs).unref();
  }

  /** Where clients reach it: `host:port`, or the target of a socket or pipe. */
  get addresses(): readonly string[] {
    return this.#addresses;
  }

  /** How many are open. */
  get connections(): number {
    return this.#connections.total;
  }

  add(name: string, definition: ServiceDefinition, implementation: UntypedServiceImplementation): void {
    this.#server.addService(definition, implementation);
    this.#services.push(name);
  }

  addHealth(edge: Edge, graceMs: number): void {
    this.#server.addService(healthServiceDefinition, this.#health.service(edge, graceMs));
  }

  /** Answers for descriptors with the contract as it was generated, and lists the services that have been added when it is asked. */
  addReflection(descriptors: URL, edge: Edge): void {
    addReflection(this.#server, descriptors, () => [...this.#services], edge);
  }

  /** Binds one target, without TLS where there are no credentials for it; resolves to the address that clients use. */
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
        // In the same turn, so that nothing comes in unseen.
        lookOut(this.#server, this.#outlook);
        if (error === null) resolve(bound);
        else reject(error);
      });
    });
  }

  /** Says which services serve; the empty name is the host in all. Who watches is told only what has changed. */
  setServing(isServing: (service: string) => boolean): void {
    this.#health.set(this.#services, isServing);
  }

  /** Waits for calls under way, then cuts what is left. */
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

  #take(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): boolean {
    // Reset since it came; an answer would throw, grpc-js's too.
    if (isGone(stream)) return false;
    putRight(headers);
    const path = headers[':path'] ?? '';
    if (this.#server.paths.has(path) || !isOfGrpc(headers)) return true;
    refuseUnserved(stream, path);
    this.#unserved();
    return false;
  }
}
