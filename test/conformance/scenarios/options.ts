/**
 * Scenarios: options that cannot be right are refused by `connect`, in the same way everywhere, and
 * named.
 */
import { match } from 'node:assert/strict';
import type { ConnectCommand } from '../protocol.js';
import { matches, type Scenario, type Stage } from '../scenario.js';

const here = '127.0.0.1:50051';
const elsewhere = 'host.example:50051';

/** That each of these is refused, in words that name the option. */
function refused(name: string, named: RegExp, makes: (stage: Stage) => readonly ConnectCommand[]): Scenario {
  return {
    name,
    play: async (stage) => {
      for (const command of makes(stage)) {
        const error = await stage.client.refusal('connect', command);
        matches({ ...error, of: command }, { code: 'INVALID_ARGUMENT', of: command });
        match(error.message ?? '', named, `${JSON.stringify(command)}: ${error.message}`);
      }
    },
  };
}

const tokens = ['secret\n', 'sécret', 'sec\u0000ret', ''];
const addresses = [
  '',
  ' ',
  'http://127.0.0.1:50051',
  'https://host.example:50051',
  'grpc://host.example:50051',
  'host.example:50051/path',
  'host.example:0',
  'host.example:65536',
  'host.example:port',
];

export const options: readonly Scenario[] = [
  refused('for a token that a header cannot hold', /token/i, () => tokens.map((token) => ({ address: here, token }))),
  refused('for an invalid address', /address/i, () => addresses.map((address) => ({ address }))),
  refused('for an invalid timeout', /time-?out/i, () =>
    [-1, 0].flatMap((ms) => [
      { address: here, timeoutMs: ms },
      { address: here, connectTimeoutMs: ms },
    ]),
  ),
  refused('for a certificate without its key', /key|cert|tls|identity/i, ({ hosts }) => {
    const { caFile = '', certFile = '', keyFile = '' } = hosts.credentials({ certificate: true });
    return [
      { address: elsewhere, caFile, certFile },
      { address: elsewhere, caFile, keyFile },
    ];
  }),
];
