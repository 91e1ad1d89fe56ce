/**
 * Generated grpc-js clients as promises and lists, and errors with their details decoded: what the
 * tests say calls with.
 */
import { type ClientReadableStream, Metadata, type ServiceError, type status } from '@grpc/grpc-js';
import {
  BadRequest,
  ErrorInfo,
  PreconditionFailure,
  QuotaFailure,
  ResourceInfo,
  RetryInfo,
} from '../../proto/gen/google/rpc/error_details.js';
import { Status } from '../../proto/gen/google/rpc/status.js';
import { NativeResult } from '../../proto/gen/wifidirect/v1/error.js';

type Unary<Request, Response> = (
  request: Request,
  metadata: Metadata,
  options: { deadline?: number },
  callback: (error: ServiceError | null, response: Response) => void,
) => unknown;

/** Calls, and fails rather than waits for ever: only a daemon that hangs takes so long. */
export function call<Request, Response>(
  method: Unary<Request, Response>,
  request: Request,
  deadlineMs = 45_000,
  metadata = new Metadata(),
): Promise<Response> {
  return new Promise((resolve, reject) => {
    method(request, metadata, { deadline: Date.now() + deadlineMs }, (error, response) =>
      error === null ? resolve(response) : reject(error),
    );
  });
}

/** A server stream that is read as it comes; what has come can be waited for. */
export class Received<Message> implements AsyncDisposable {
  readonly messages: Message[] = [];
  readonly stream: ClientReadableStream<Message>;
  /** Resolves when the stream has ended well, or with its error. */
  readonly ended: Promise<ServiceError | undefined>;
  readonly headers: Promise<Metadata>;
  readonly #waiting = new Set<() => void>();
  #isOver = false;

  constructor(stream: ClientReadableStream<Message>) {
    this.stream = stream;
    this.headers = new Promise((resolve) => stream.once('metadata', resolve));
    this.ended = new Promise((resolve) => {
      stream.once('end', () => resolve(undefined));
      stream.once('error', (error: ServiceError) => resolve(error));
    });
    void this.ended.then(() => {
      this.#isOver = true;
      for (const wake of this.#waiting) wake();
    });
    stream.on('error', () => {});
    stream.on('data', (message: Message) => {
      this.messages.push(message);
      for (const wake of this.#waiting) wake();
    });
  }

  /**
   * The first message, past or to come, that is so; fails with what came instead when the stream
   * ends before.
   */
  async first(isSo: (message: Message) => boolean): Promise<Message> {
    for (;;) {
      const found = this.messages.find(isSo);
      if (found !== undefined) return found;
      if (this.#isOver) {
        const error = await this.ended;
        throw new Error(
          `the stream ended (${error?.message ?? 'OK'}) after ${JSON.stringify(this.messages, bigints, 1)}`,
        );
      }
      await new Promise<void>((resolve) => {
        const wake = () => {
          this.#waiting.delete(wake);
          resolve();
        };
        this.#waiting.add(wake);
      });
    }
  }

  cancel(): void {
    this.stream.cancel();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cancel();
    await this.ended;
  }
}

/** An error as a client in any language can read it. */
export interface ReadError {
  readonly code: status;
  readonly message: string;
  readonly info: ErrorInfo | undefined;
  readonly fields: readonly string[];
  readonly resource: ResourceInfo | undefined;
  readonly retry: RetryInfo | undefined;
  readonly precondition: PreconditionFailure | undefined;
  readonly quota: QuotaFailure | undefined;
  readonly native: NativeResult | undefined;
}

export function readError(error: ServiceError): ReadError {
  const [bytes] = error.metadata?.get('grpc-status-details-bin') ?? [];
  const details = Buffer.isBuffer(bytes) ? Status.decode(bytes).details : [];
  const find = <T>(name: string, type: { decode(bytes: Uint8Array): T }): T | undefined => {
    const any = details.find(({ typeUrl }) => typeUrl === `type.googleapis.com/${name}`);
    return any && type.decode(any.value);
  };
  return {
    code: error.code,
    message: error.details,
    info: find('google.rpc.ErrorInfo', ErrorInfo),
    fields: find('google.rpc.BadRequest', BadRequest)?.fieldViolations.map(({ field }) => field) ?? [],
    resource: find('google.rpc.ResourceInfo', ResourceInfo),
    retry: find('google.rpc.RetryInfo', RetryInfo),
    precondition: find('google.rpc.PreconditionFailure', PreconditionFailure),
    quota: find('google.rpc.QuotaFailure', QuotaFailure),
    native: find('wifidirect.v1.NativeResult', NativeResult),
  };
}

/** What a call failed with; a call that succeeds fails the test. */
export async function failure(answer: Promise<unknown>): Promise<ReadError> {
  const error = await answer.then(
    () => undefined,
    (reason: ServiceError) => reason,
  );
  if (error === undefined) throw new Error('the call was to fail, but it succeeded');
  return readError(error);
}

function bigints(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}
