/**
 * The daemons that the clients of all languages are run against; a scenario that stops its host
 * starts one of its own.
 */
import { readFileSync } from 'node:fs';
import { createTlsFiles } from '../../service/tls/tls-files.js';
import type { Issued } from '../access/authority.js';
import { Files } from '../access/files.js';
import { type DaemonProcess, startDaemon, startSimulated } from '../harness/daemon.js';
import { Gateway } from '../harness/gateway.js';
import type { Credentials } from './protocol.js';

/**
 * Small limits, so that they are met soon; and a reader that was too slow has all the time to hear
 * of it.
 */
const USUAL = [
  'session.leaseTtlMinMs=50',
  'driver.reopenBackoffMinMs=20',
  'limits.sessionsPerPrincipalMax=3',
  'events.watcherQueueEventsMax=20',
  'events.batchEventsMax=20',
  'events.watcherGraceMs=60000',
  'metrics.listen=127.0.0.1:0',
  'limits.changesPerSecondPerPrincipalMax=1000000',
  'limits.watchesPerSecondPerPrincipalMax=1000000',
];

const FORGETFUL = ['events.logEventsMax=5', 'events.watcherQueueEventsMax=5', 'events.batchEventsMax=5'];

export const AGENT_URI = 'spiffe://example.com/fleet/7';

const set = (...settings: readonly string[]): string[] => settings.flatMap((setting) => ['--set', setting]);

export class Hosts implements AsyncDisposable {
  /** Where nothing else is said. */
  readonly usual: Gateway;
  /** Keeps five events. */
  readonly forgetful: Gateway;
  /** Asks who is calling. */
  readonly #guarded: DaemonProcess;
  /** Has no driver. */
  readonly bare: DaemonProcess;
  readonly #files: Files;
  #slowReaders = 0;

  private constructor([usual, forgetful, guarded, bare]: readonly DaemonProcess[], files: Files) {
    if (!usual || !forgetful || !guarded || !bare) throw new Error('a daemon did not start');
    this.usual = new Gateway(usual);
    this.forgetful = new Gateway(forgetful);
    this.#guarded = guarded;
    this.bare = bare;
    this.#files = files;
  }

  static async start(): Promise<Hosts> {
    const files = new Files();
    const starting = await Promise.allSettled([
      startSimulated(...set(...USUAL)),
      startSimulated(...set(...FORGETFUL)),
      startDaemon('--driver', 'simulator', '--config', configOfGuarded(files)),
      startDaemon('--driver', 'simulator', '--simulator-library', process.execPath),
    ]);
    const daemons = starting.flatMap((daemon) => (daemon.status === 'fulfilled' ? [daemon.value] : []));
    const failure = starting.find((daemon) => daemon.status === 'rejected');
    if (failure === undefined) return new Hosts(daemons, files);
    await Promise.all(daemons.map((daemon) => daemon.kill()));
    throw failure.reason;
  }

  /** By the name that is in its certificate. */
  get guardedAddress(): string {
    return this.#guarded.address.replace('127.0.0.1', 'localhost');
  }

  /** What the guarded host shows: a certificate of `localhost`, and its key. */
  get identity(): Issued {
    const read = (name: string) => readFileSync(this.#files.path(name), 'utf8');
    return { cert: read('host.pem'), key: read('host.key') };
  }

  /** Credentials for the guarded host. */
  credentials(what: { readonly token?: string; readonly certificate?: boolean }): Credentials {
    const path = (name: string) => this.#files.path(name);
    return {
      caFile: path('ca.pem'),
      ...(what.certificate === true && { certFile: path('agent.pem'), keyFile: path('agent.key') }),
      ...(what.token !== undefined && { token: what.token }),
    };
  }

  /** Whether the usual host has ended a stream as read too slowly since this was asked before. */
  async hasEndedSlowReader(): Promise<boolean> {
    const { address } = await this.usual.daemon.line('metrics-serving');
    const metrics = await (await fetch(`http://${address}/metrics`)).text();
    const [, ended = 0] =
      /^wfdd_slow_readers_ended_total\{.*WatchSessions.*\} (\d+)$/m.exec(metrics)?.map(Number) ?? [];
    const hasEnded = ended > this.#slowReaders;
    this.#slowReaders = ended;
    return hasEnded;
  }

  /** Stops them; what each did to the native API that it must not, and its exit code. */
  async stop(): Promise<{ exitCode: number; misuse: unknown }[]> {
    this.usual.disconnect();
    this.forgetful.disconnect();
    return Promise.all(
      this.#daemons.map(async (daemon) => {
        const exitCode = await daemon.stop();
        const report = daemon.log.find(({ event }) => event === 'simulator-report');
        return { exitCode, misuse: report?.['misuse'] ?? {} };
      }),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#daemons.map((daemon) => daemon.kill()));
    this.#files[Symbol.dispose]();
  }

  get #daemons(): DaemonProcess[] {
    return [this.usual.daemon, this.forgetful.daemon, this.#guarded, this.bare];
  }
}

/**
 * The file of a host with TLS that asks who is calling, by certificates of `wfdd tls create`; what
 * it names is written beside it.
 */
export function configOfGuarded(files: Files): string {
  createTlsFiles(
    {
      folder: files.path('.'),
      names: ['localhost', '127.0.0.1'],
      clients: [{ name: 'agent', principal: AGENT_URI }],
      days: 1,
      renew: false,
    },
    () => {},
  );
  const tls = {
    certFile: files.path('host.pem'),
    keyFile: files.path('host.key'),
    clientCaFile: files.path('ca.pem'),
  };
  const roles = [
    { role: 'operator', principals: [`cert:${AGENT_URI}`, 'token:operator'] },
    { role: 'viewer', principals: ['token:viewer'] },
  ];
  const tokensFile = files.writeTokens({ operator: 'token-of-operator', viewer: 'token-of-viewer' });
  return files.write('wfdd.yaml', JSON.stringify({ tls, access: { mode: 'authenticated', tokensFile, roles } }));
}
