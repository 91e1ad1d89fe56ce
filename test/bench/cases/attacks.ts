/**
 * What another client notices of each attack: GetHost, one call after another, beside the same in
 * quiet.
 */
import { fork } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { makeAuthority } from '../../access/authority.js';
import { Files } from '../../access/files.js';
import type { Bench, Case } from '../bench.js';
import { figure, type Round } from '../figure.js';
import { attacks as known, type Target } from '../load/attacks.js';
import { PreparedCall } from '../load/frames.js';
import { closedLoop, type Operation } from '../load/loop.js';

const SERVER_NAME = 'wfdd.test';
const TOKENS = { bystander: 'token-of-bystander', attacker: 'token-of-attacker' };
const program = fileURLToPath(new URL('../load/attacker.js', import.meta.url));
const getHost = new PreparedCall('/wifidirect.v1.HostService/GetHost', Buffer.alloc(0));

export const attacks: Case = {
  name: 'attacks',
  title: 'GetHost of another client under each attack, over TLS with tokens',
  async *figures(bench: Bench) {
    using files = new Files();
    const servers = makeAuthority('servers');
    const { certFile, keyFile } = files.writeTls(servers.issue({ dnsNames: [SERVER_NAME], isServer: true }));
    const metricsAddress = `127.0.0.1:${await freePort()}`;
    await using gateway = await bench.gateway({
      settings: [
        `tls.certFile=${certFile}`,
        `tls.keyFile=${keyFile}`,
        'access.mode=authenticated',
        `access.tokensFile=${files.writeTokens(TOKENS)}`,
        `access.jwt.jwksFile=${files.write('keys.json', keySet())}`,
        'access.jwt.issuer=i',
        'access.jwt.audience=a',
        'access.roles=[{"role":"operator","principals":["token:*"]}]',
        `metrics.listen=${metricsAddress}`,
      ],
      reach: {
        tls: { ca: servers.cert, servername: SERVER_NAME, ALPNProtocols: ['h2'] },
        metadata: { authorization: `Bearer ${TOKENS.bystander}` },
      },
    });
    const target: Target = { address: gateway.address, metricsAddress, token: TOKENS.attacker };
    const connection = await gateway.connect();
    const ask: Operation = () => connection.answer(getHost);
    const roundMs = bench.size(5 * bench.extent.roundMs, bench.extent.roundMs);
    const measure = async (): Promise<Round> => ({ ...(await closedLoop(ask, 1, roundMs)) });
    await measure();
    for (const name of Object.keys(known)) {
      const [quiet, attacked]: [Round[], Round[]] = [[], []];
      for (let round = 0; round < bench.extent.rounds; round += 1) {
        quiet.push(await measure());
        attacked.push(await under(name, target, measure));
      }
      const show = (what: string, key: string) =>
        figure('attacks', { name: `${what}, ${name}`, unit: 'ms', key }, attacked, quiet, 'quiet');
      yield show('p50', 'p50Ms');
      yield show('p99', 'p99Ms');
    }
  },
};

async function under(name: string, target: Target, measure: () => Promise<Round>): Promise<Round> {
  const attacker = fork(program, [name, JSON.stringify(target)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  try {
    await once(attacker, 'message');
    return await measure();
  } finally {
    attacker.kill('SIGKILL');
    await once(attacker, 'exit');
  }
}

function keySet(): string {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k', alg: 'ES256', use: 'sig' }] });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
