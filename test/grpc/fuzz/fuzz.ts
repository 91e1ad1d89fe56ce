/**
 * Frames by the fuzzer against daemons of their own, over TLS and without it, by callers who are
 * known and by some who are not.
 */

import { setTimeout as pause } from 'node:timers/promises';
import { credentials } from '@grpc/grpc-js';
import { makeAuthority } from '../../access/authority.js';
import { Files } from '../../access/files.js';
import { call } from '../../harness/calls.js';
import { type DaemonProcess, startSimulated } from '../../harness/daemon.js';
import { HostServiceClient } from '../../harness/grpc-services.js';
import { authorize, SERVER_NAME, tlsTo } from '../../harness/host.js';
import { type PeerOptions, RawPeer } from '../../harness/raw-peer.js';
import { Random } from '../../stream/random.js';
import { Script } from './script.js';

export interface Findings {
  /**
   * How many connections were made, and how many calls of the bystander were answered meanwhile.
   */
  readonly connections: number;
  readonly answers: number;
  /** What must not be: a daemon that has ended, that answers nobody, or that says it has erred. */
  readonly faults: readonly string[];
}

/** Connections at once, for each kind. */
const LANES = 4;
const TOKEN = 'token-of-the-fuzzer';
/** Between two calls of the bystander. */
const ASKED_EVERY_MS = 100;
/** A daemon that says nothing for so long has hung. */
const ANSWER_MS_MAX = 30_000;

/** Goes on for this long, or until a daemon fails. */
export async function fuzzFrames(seed: number, durationMs: number): Promise<Findings> {
  using files = new Files();
  const authority = makeAuthority('servers');
  const server = authority.issue({ dnsNames: [SERVER_NAME], isServer: true });
  const { certFile, keyFile } = files.writeTls(server);
  const common = [
    'access.mode=authenticated',
    `access.tokensFile=${files.writeTokens({ fuzzer: TOKEN })}`,
    'access.roles=[{"role":"admin","principals":["*"]}]',
    'keepalive.timeMs=2000',
    // A busy machine may take its time to answer a ping.
    'keepalive.timeoutMs=20000',
    // And for the first call of somebody who is known.
    'limits.identifyMs=20000',
  ];
  const withTls = [...common, `tls.certFile=${certFile}`, `tls.keyFile=${keyFile}`];
  const start = (settings: string[]) => startSimulated(...settings.flatMap((each) => ['--set', each]));
  const plain = await start(common);
  const tls = await start(withTls);
  try {
    const peerTls = { tls: { ca: authority.cert, servername: SERVER_NAME, ALPNProtocols: ['h2'] } };
    const each = await Promise.all([
      fuzzDaemon(plain, {}, credentials.createInsecure(), seed, durationMs),
      fuzzDaemon(tls, peerTls, tlsTo(authority.cert), seed + 1, durationMs),
    ]);
    return {
      connections: each.reduce((sum, { connections }) => sum + connections, 0),
      answers: each.reduce((sum, { answers }) => sum + answers, 0),
      faults: each.flatMap(({ faults }) => faults),
    };
  } finally {
    await Promise.all([plain.kill(), tls.kill()]);
  }
}

async function fuzzDaemon(
  daemon: DaemonProcess,
  options: PeerOptions,
  connection: ReturnType<typeof tlsTo>,
  seed: number,
  durationMs: number,
): Promise<Findings> {
  const what = options.tls === undefined ? 'without TLS' : 'with TLS';
  const client = new HostServiceClient(daemon.address, connection, {
    interceptors: [authorize(`Bearer ${TOKEN}`)],
    'grpc.ssl_target_name_override': SERVER_NAME,
  });
  const faults: string[] = [];
  const over = new AbortController();
  const timer = setTimeout(() => over.abort(), durationMs);
  const isOver = () => over.signal.aborted;
  let connections = 0;
  let answers = 0;

  const lane = async (authorization: string | undefined) => {
    while (!isOver()) {
      connections += 1;
      await play(new Script(new Random(seed, connections), authorization), daemon.address, options, isOver);
    }
  };
  const bystander = async () => {
    while (!isOver()) {
      await call(client.getHost.bind(client), {}, ANSWER_MS_MAX);
      answers += 1;
      await pause(ASKED_EVERY_MS, undefined, { signal: over.signal }).catch(() => {});
    }
  };
  const fail = (why: string) => {
    if (!isOver()) faults.push(`${what}, connection ${connections}: ${why}`);
    over.abort();
  };
  void daemon.exited.then((code) => fail(`the daemon ended with ${code}: ${lastOf(daemon)}`));
  const lanes = () => Array.from({ length: 2 * LANES }, (_, i) => lane(i % 2 === 0 ? `Bearer ${TOKEN}` : undefined));
  const onError = ({ message }: Error) => fail(`a bystander got ${message}; the log ends with ${lastOf(daemon)}`);
  // Its connection is known before others come by the hundred: theirs may displace one that nobody
  // knows.
  await call(client.getHost.bind(client), {}, ANSWER_MS_MAX).catch(onError);
  await Promise.all([bystander().catch(onError), ...lanes()]);
  clearTimeout(timer);
  client.close();
  if (faults.length > 0) return { connections, answers, faults };

  const code = await daemon.stop();
  if (code !== 0) faults.push(`${what}: it stopped with ${code}`);
  const errors = daemon.log.filter(({ level }) => level === 'error');
  faults.push(...errors.map((line) => `${what}: ${JSON.stringify(line)}`));
  if (daemon.standardError !== '') faults.push(`${what}, on its standard error: ${daemon.standardError}`);
  return { connections, answers, faults };
}

async function play(script: Script, address: string, options: PeerOptions, isOver: () => boolean): Promise<void> {
  const peer = await RawPeer.connect(address, options);
  for (const step of script) {
    if (peer.isClosed || isOver()) break;
    if (step.do === 'send') peer.socket.write(step.bytes);
    else if (step.do === 'wait') await pause(step.ms);
    else if (step.do === 'pause') peer.socket.pause();
    else if (step.do === 'resume') peer.socket.resume();
    else if (step.do === 'end') peer.socket.end();
    else peer.reset();
  }
  // Whatever still comes has a moment to do harm in.
  await pause(1);
  peer.destroy();
  await peer.closed;
}

function lastOf({ log }: DaemonProcess): string {
  return JSON.stringify(log.findLast(({ level }) => level === 'error') ?? log.at(-1));
}
