/**
 * A daemon in this process, on the simulator and a free port, and clients that show it a
 * credential.
 */

import { type ChannelCredentials, credentials, InterceptingCall, type Interceptor } from '@grpc/grpc-js';
import { openSimulatorControl } from '../../native/simulator-control.js';
import { type Composition, compose } from '../../service/composition.js';
import { chooseDriver } from '../../service/config/driver.js';
import { makeConfig } from '../../service/config/schema.js';
import { Daemon } from '../../service/daemon.js';
import { createLog } from '../../service/telemetry/log.js';
import { DeviceServiceClient, HostServiceClient, SessionServiceClient } from './grpc-services.js';
import { KeptLog } from './kept-log.js';

/** The keys of a configuration that a test sets; the rest is as by default. */
export type ConfigValues = NonNullable<Parameters<typeof makeConfig>[0]>;

export interface Clients {
  readonly sessions: SessionServiceClient;
  readonly devices: DeviceServiceClient;
  readonly host: HostServiceClient;
}

/** Often enough that a test need not wait. */
export const RELOAD_MS = 20;

/** What the certificates of servers name; clients look for it whatever address they call. */
export const SERVER_NAME = 'wfdd.test';

/** A device of the simulator's default world. */
export const display = '02:11:22:33:44:01';

export class Host implements AsyncDisposable {
  readonly log: KeptLog;
  readonly parts: Composition;
  readonly addresses: readonly string[];
  readonly #daemon: Daemon;
  readonly #clients: { close(): void }[] = [];

  private constructor(daemon: Daemon, parts: Composition, log: KeptLog) {
    this.#daemon = daemon;
    this.parts = parts;
    this.log = log;
    this.addresses = log.lines('serving')[0]?.['addresses'] as string[];
  }

  static async start(values: ConfigValues): Promise<Host> {
    const kept = new KeptLog();
    const log = await createLog({ level: 'debug', format: 'json', addresses: true }, kept);
    const config = makeConfig({ listen: ['127.0.0.1:0'], ...values, driver: { ...values.driver, kind: 'simulator' } });
    const parts = await compose(config, '0.0.0', log);
    const daemon = new Daemon(parts);
    try {
      await daemon.start();
    } catch (error) {
      await daemon.stop();
      throw error;
    }
    return new Host(daemon, parts, kept);
  }

  get address(): string {
    return this.addresses[0] ?? '';
  }

  /** Clients that call with this token, or without one, over this kind of connection. */
  clients(
    token?: string,
    connection = credentials.createInsecure(),
    address = this.address,
    serverName = SERVER_NAME,
  ): Clients {
    const options = {
      interceptors: token === undefined ? [] : [authorize(`Bearer ${token}`)],
      'grpc.ssl_target_name_override': serverName,
      // Each with connections of its own: a test may need a new one.
      'grpc.use_local_subchannel_pool': 1,
    };
    const clients = {
      sessions: new SessionServiceClient(address, connection, options),
      devices: new DeviceServiceClient(address, connection, options),
      host: new HostServiceClient(address, connection, options),
    };
    this.#clients.push(...Object.values(clients));
    return clients;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.close();
    await this.#daemon.stop();
  }
}

/** What the hosts of this process did to the native API that they must not. */
export function misuses(): readonly unknown[] {
  const choice = chooseDriver(makeConfig({ driver: { kind: 'simulator' } }), process.platform);
  if (choice.kind !== 'simulator') throw new Error('this is not the simulator');
  return openSimulatorControl(choice.library).misuse().records;
}

/** The header that goes with every call. */
export function authorize(value: string): Interceptor {
  return (options, next) =>
    new InterceptingCall(next(options), {
      start: (metadata, listener, start) => {
        metadata.set('authorization', value);
        start(metadata, listener);
      },
    });
}

/** A connection by TLS to a server of this authority, with a client certificate or without one. */
export function tlsTo(ca: string, client?: { readonly cert: string; readonly key: string }): ChannelCredentials {
  const [key, cert] = client === undefined ? [null, null] : [Buffer.from(client.key), Buffer.from(client.cert)];
  return credentials.createSsl(Buffer.from(ca), key, cert);
}
