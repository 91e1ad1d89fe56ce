/** Scenarios: keys and certificates as people have them. */
import { createPrivateKey } from 'node:crypto';
import type { SecureServerOptions } from 'node:http2';
import { makeAuthority } from '../../access/authority.js';
import { Files } from '../../access/files.js';
import type { Agent } from '../agent.js';
import { OtherHost } from '../other-host.js';
import type { Credentials } from '../protocol.js';
import { matches, type Scenario } from '../scenario.js';

/** As `openssl ecparam -genkey` writes it: the parameters (the OID of P-256) before the key. */
const PARAMETERS = '-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n';

const asServer = { dnsNames: ['localhost'], isServer: true };

const exported = (key: string, type: 'pkcs1' | 'sec1'): string =>
  String(createPrivateKey(key).export({ type: type as 'sec1', format: 'pem' }));

/** That the client trusts a host with this certificate, and the host the client. */
async function reaches(client: Agent, tls: SecureServerOptions, credentials: Credentials): Promise<void> {
  await using host = await OtherHost.start((call) => call.end({ code: 5, reason: 'SESSION_NOT_FOUND' }), tls);
  await client.connect(host.address.replace('127.0.0.1', 'localhost'), credentials);
  const { code, message } = await client.refusal('get', { sessionId: 'a-session' });
  matches({ code, message: code === 'NOT_FOUND' || message }, { code: 'NOT_FOUND', message: true });
}

export const certificates: readonly Scenario[] = [
  {
    name: 'by mTLS, with a key of any form',
    play: async ({ client }) => {
      const [servers, clients] = [makeAuthority('servers'), makeAuthority('clients')];
      const [ec, rsa, edwards] = (['ec', 'rsa', 'ed25519'] as const).map((keyType) =>
        clients.issue({ commonName: 'agent', keyType }),
      );
      if (!ec || !rsa || !edwards) throw new Error('a certificate was not issued');
      const tls = { ...servers.issue(asServer), ca: clients.cert, requestCert: true, rejectUnauthorized: true };
      for (const { cert, key } of [
        ec,
        { ...ec, key: exported(ec.key, 'sec1') },
        { ...ec, key: PARAMETERS + exported(ec.key, 'sec1') },
        rsa,
        { ...rsa, key: exported(rsa.key, 'pkcs1') },
        edwards,
        { cert: ec.cert.replaceAll('\n', '\r\n'), key: ec.key.replaceAll('\n', '\r\n') },
        { ...ec, cert: `Subject: agent\n    M\u00fcnchen\n${ec.cert}` },
      ]) {
        using files = new Files();
        const caFile = files.write('ca.pem', servers.cert);
        const certFile = files.write('agent.pem', cert);
        await reaches(client, tls, { caFile, certFile, keyFile: files.write('agent.key', key) });
      }
    },
  },
  {
    name: 'to the hosts of two authorities that have one name',
    play: async ({ client }) => {
      const both = [makeAuthority('servers'), makeAuthority('servers')];
      for (const order of [both, both.toReversed()]) {
        using files = new Files();
        const caFile = files.write('ca.pem', order.map(({ cert }) => cert).join(''));
        for (const authority of both) await reaches(client, authority.issue(asServer), { caFile });
      }
    },
  },
  {
    name: 'to a host whose own certificate is all that it trusts',
    play: async ({ client }) => {
      using files = new Files();
      const issued = makeAuthority('servers').issue(asServer);
      await reaches(client, issued, { caFile: files.write('host.pem', issued.cert) });
    },
  },
];
