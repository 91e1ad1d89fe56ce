/**
 * Requests over TLS that end badly at any moment, from somebody without a credential: each may
 * cause an error on a stream or a session, also before anybody has looked at it, and none may end
 * the daemon.
 */
import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import { makeAuthority } from '../access/authority.js';
import { Files } from '../access/files.js';
import { frameFlag as flag, frame, headers, PreparedCall, frameType as type } from '../bench/load/frames.js';
import { type DaemonProcess, startSimulated } from '../harness/daemon.js';
import { SERVER_NAME } from '../harness/host.js';
import { RawPeer } from '../harness/raw-peer.js';

const authority = makeAuthority('servers');
const files = new Files();
let daemon: DaemonProcess;

test.before(async () => {
  const { certFile, keyFile } = files.writeTls(authority.issue({ dnsNames: [SERVER_NAME], isServer: true }));
  const settings = [
    `tls.certFile=${certFile}`,
    `tls.keyFile=${keyFile}`,
    'access.mode=authenticated',
    `access.tokensFile=${files.writeTokens({ nobody: 'token-of-nobody' })}`,
    'access.roles=[{"role":"viewer","principals":["nobody"]}]',
  ];
  daemon = await startSimulated(...settings.flatMap((each) => ['--set', each]));
});

test.after.always('the daemon stops in good order, and nothing went past its log', async (t) => {
  t.is(await daemon.stop(), 0);
  t.is(daemon.standardError, '');
  files[Symbol.dispose]();
});

const ROUNDS = 15;
const REQUESTS = 200;
const DATA_BYTES = 14;
const getHost = new PreparedCall('/wifidirect.v1.HostService/GetHost', Buffer.alloc(0));
const begun = (stream: number, fields: Readonly<Record<string, string>> = {}) => {
  const block = getHost.onStream(1, headers(fields)).subarray(9, -DATA_BYTES);
  return [frame(type.headers, flag.endHeaders, stream, block), frame(type.data, 0, stream, Buffer.alloc(5))];
};
const resetWith = (stream: number, code: number) => frame(type.rstStream, 0, stream, Buffer.of(0, 0, 0, code));
const INTERNAL_ERROR = 2;

const badEnds: Readonly<Record<string, (stream: number, index: number) => Buffer[]>> = {
  'are reset with an error': (stream, index) =>
    index % 3 === 0 ? [...begun(stream), resetWith(stream, INTERNAL_ERROR)] : begun(stream),
  'have less content than they say': (stream) => begun(stream, { 'content-length': '3' }),
  'are followed by a frame that breaks the connection': (stream, index) =>
    index === REQUESTS / 4 ? [...begun(stream), frame(type.ping, 0, 0, Buffer.alloc(7))] : begun(stream),
};

for (const [what, make] of Object.entries(badEnds)) {
  test.serial(`requests that ${what} do not end the daemon`, async (t) => {
    t.timeout(120_000);
    const tls = { ca: authority.cert, servername: SERVER_NAME, ALPNProtocols: ['h2'] };
    for (let round = 0; round < ROUNDS; round += 1) {
      const peer = await RawPeer.greet(daemon.address, { tls });
      for (let index = 0; index < REQUESTS && !peer.isClosed; index += 1) {
        peer.socket.write(Buffer.concat(make(1 + 2 * index, index)));
        if (index % 4 === 0) await pause(index % 5);
      }
      peer.destroy();
      await peer.closed;
    }
    const ended = daemon.exited.then((code) => `ended with ${code}`);
    const greeted = RawPeer.greet(daemon.address, { tls }).then((peer) => {
      peer.destroy();
      return 'serves';
    });
    t.is(await Promise.race([ended, greeted]), 'serves');
  });
}
