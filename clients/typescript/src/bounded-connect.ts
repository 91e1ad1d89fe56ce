/**
 * A timeout for each attempt to connect. grpc-js (1.14) has none: keepalive starts only after the
 * connection is established, so a server that accepts the connection and sends nothing would block
 * every call forever.
 *
 *   waitForReady --TCP--> connect --TLS--> the socket --SETTINGS--> connected
 *   |<------------------------- connectTimeoutMs ----------------->|
 *
 * grpc-js calls its credentials in the first two of these steps, so a wrapper around them can
 * measure the time. If there is a socket, the wrapper destroys it, and grpc-js continues as after
 * any failed attempt. If TCP gets no answer, grpc-js exposes no socket, so the owner of the channel
 * has to replace the channel (`onNoAnswer`).
 */
import type { Socket } from 'node:net';
import { type CallCredentials, ChannelCredentials, type ChannelOptions } from '@grpc/grpc-js';

type SecureConnector = ReturnType<ChannelCredentials['_createSecureConnector']>;
type Target = Parameters<ChannelCredentials['_createSecureConnector']>[0];

/** The size of the header of the first frame that a host sends: SETTINGS. */
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
    // There is only one attempt at a time.
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

/** Waits for TLS and SETTINGS. Destroys the socket if they do not come within `leftMs`. */
async function untilAnswered<Result extends { readonly socket: Socket }>(
  socket: Socket,
  leftMs: number,
  timeoutMs: number,
  connect: () => Promise<Result>,
): Promise<Result> {
  const silence = new Error(`no answer within ${timeoutMs} ms`);
  let established: Socket | undefined;
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => {
        // The first bytes of a host are its settings. With TLS, bytesRead counts only decrypted
        // bytes.
        if ((established?.bytesRead ?? 0) >= FRAME_HEADER_BYTES) return;
        reject(silence);
        established?.destroy(silence);
        socket.destroy();
      },
      Math.max(leftMs, 0),
    );
    socket.once('close', () => clearTimeout(timer));
    connect().then((result) => {
      established = result.socket;
      resolve(result);
    }, reject);
  });
}
