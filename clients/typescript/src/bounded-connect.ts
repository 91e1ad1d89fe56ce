/**
 * A bound on each attempt to connect, which grpc-js (1.14) lacks: keepalive begins when a connection stands, and until
 * then an address that accepts and says nothing holds every call, for good.
 *
 *   waitForReady --TCP--> connect --TLS--> the socket --SETTINGS--> the connection stands
 *   |<------------------------- connectTimeoutMs ----------------->|
 *
 * grpc-js asks its credentials at the first two of these steps, so a layer around them can measure. Where a socket is there,
 * it is destroyed, and grpc-js goes on as after any failed attempt. Where TCP itself gets no answer, grpc-js shows no
 * socket: then the owner of the channel has to replace it (`onNoAnswer`).
 */
import type { Socket } from 'node:net';
import { type CallCredentials, ChannelCredentials, type ChannelOptions } from '@grpc/grpc-js';

type SecureConnector = ReturnType<ChannelCredentials['_createSecureConnector']>;
type Target = Parameters<ChannelCredentials['_createSecureConnector']>[0];

/** The header of the frame with which a host begins: SETTINGS. */
const FRAME_HEADER_BYTES = 9;

export class BoundedConnect extends ChannelCredentials {
  readonly #inner: ChannelCredentials;
  readonly #timeoutMs: number;
  readonly #onNoAnswer: () => void;

  constructor(inner: ChannelCredentials, timeoutMs: number, onNoAnswer: () => void) {
    super();
    this.#inner = inner;
    this.#timeoutMs = timeoutMs;
    this.#onNoAnswer = onNoAnswer;
  }

  override _isSecure(): boolean {
    return this.#inner._isSecure();
  }

  override _equals(other: ChannelCredentials): boolean {
    return this === other;
  }

  override _createSecureConnector(
    target: Target,
    options: ChannelOptions,
    callCredentials?: CallCredentials,
  ): SecureConnector {
    const inner = this.#inner._createSecureConnector(target, options, callCredentials);
    const timeoutMs = this.#timeoutMs;
    const onNoAnswer = this.#onNoAnswer;
    // There is one attempt at a time.
    let deadline = 0;
    let dialing: NodeJS.Timeout | undefined;
    return {
      async waitForReady() {
        await inner.waitForReady();
        clearTimeout(dialing);
        deadline = performance.now() + timeoutMs;
        dialing = setTimeout(onNoAnswer, timeoutMs);
      },
      async connect(socket) {
        clearTimeout(dialing);
        return untilAnswered(socket, deadline - performance.now(), timeoutMs, () => inner.connect(socket));
      },
      getCallCredentials: () => inner.getCallCredentials(),
      destroy: () => inner.destroy(),
    };
  }
}

/** TLS and SETTINGS, in the time that is left; then the socket is destroyed. */
async function untilAnswered<Result extends { readonly socket: Socket }>(
  socket: Socket,
  leftMs: number,
  timeoutMs: number,
  connect: () => Promise<Result>,
): Promise<Result> {
  const silence = new Error(`no answer within ${timeoutMs} ms`);
  let established: Socket | undefined;
  return new Promise((resolve, reject) => {
    const patience = setTimeout(
      () => {
        // What a host sends first are its settings; on TLS only what was decrypted counts.
        if ((established?.bytesRead ?? 0) >= FRAME_HEADER_BYTES) return;
        reject(silence);
        established?.destroy(silence);
        socket.destroy();
      },
      Math.max(leftMs, 0),
    );
    socket.once('close', () => clearTimeout(patience));
    connect().then((result) => {
      established = result.socket;
      resolve(result);
    }, reject);
  });
}
