/**
 * What TLS, client certificates and tokens cost, beside a gateway that lets everybody in without
 * any of them.
 */

import { makeAuthority } from '../../access/authority.js';
import { Files } from '../../access/files.js';
import { type Bench, type Case, inTurns } from '../bench.js';
import { figure } from '../figure.js';
import { GetSession } from '../load/get-session.js';

const SERVER_NAME = 'wfdd.test';
const TOKEN = 'token-of-bench';
const IN_FLIGHT = [1, 100];
const PLAIN = 'plain gateway';

const AUTHENTICATED = ['access.mode=authenticated', 'access.roles=[{"role":"operator","principals":["*"]}]'];

export const security: Case = {
  name: 'security',
  title: 'GetSession over TLS, with client certificates, and with tokens',
  async *figures(bench: Bench) {
    using files = new Files();
    const servers = makeAuthority('servers');
    const clients = makeAuthority('clients');
    const { certFile, keyFile, clientCaFile } = files.writeTls(
      servers.issue({ dnsNames: [SERVER_NAME], isServer: true }),
      clients,
    );
    const withTls = [`tls.certFile=${certFile}`, `tls.keyFile=${keyFile}`];
    const tls = { ca: servers.cert, servername: SERVER_NAME };

    await using plain = await bench.gateway();
    await using encrypted = await bench.gateway({ settings: withTls, reach: { tls } });
    await using certified = await bench.gateway({
      settings: [...withTls, `tls.clientCaFile=${clientCaFile}`, 'tls.requireClientCertificate=true', ...AUTHENTICATED],
      reach: { tls: { ...tls, ...clients.issue({ uris: ['spiffe://example.com/bench'] }) } },
    });
    await using tokened = await bench.gateway({
      settings: [`access.tokensFile=${files.writeTokens({ bench: TOKEN })}`, ...AUTHENTICATED],
      reach: { metadata: { authorization: `Bearer ${TOKEN}` } },
    });

    const subjects = {
      [PLAIN]: await GetSession.on(plain),
      TLS: await GetSession.on(encrypted),
      'TLS and a certificate': await GetSession.on(certified),
      'a token': await GetSession.on(tokened),
    };
    for (const inFlight of IN_FLIGHT) {
      const { [PLAIN]: reference, ...others } = await inTurns(subjects, bench.size(3, 1), (subject) =>
        subject.measure(inFlight, bench.extent.roundMs),
      );
      for (const [name, rounds] of Object.entries(others)) {
        const show = (what: string, unit: string, key: string) =>
          figure('security', { name: `${what}, ${name}, ${inFlight} in flight`, unit, key }, rounds, reference, PLAIN);
        yield show('calls', '/s', 'perSecond');
        yield show('latency p50', 'ms', 'p50Ms');
      }
    }
  },
};
