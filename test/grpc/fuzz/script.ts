/**
 * What a fuzzed connection does, step by step: HTTP/2 frames that are mostly well-formed, in an
 * order and at a pace that no good client has. Its random numbers alone decide, never the answers,
 * so that a seed repeats it.
 */
import {
  CONNECTION_PREFACE,
  frameFlag as flag,
  frame,
  headers,
  PreparedCall,
  frameType as type,
} from '../../bench/load/frames.js';
import type { Random } from '../../stream/random.js';

export type Step =
  | { readonly do: 'send'; readonly bytes: Buffer }
  | { readonly do: 'wait'; readonly ms: number }
  /** Reads nothing any more, reads again, ends its half of the connection, or resets all of it. */
  | { readonly do: 'pause' | 'resume' | 'end' | 'reset' };

const PRIORITY = 2;
const PUSH_PROMISE = 5;
const CONTINUATION = 9;
const ERROR_CODES = 14;
const STEPS_MAX = 150;
const PAUSE_MS_MAX = 5;

const rpcs = [
  'wifidirect.v1.HostService/GetHost',
  'wifidirect.v1.SessionService/ListSessions',
  'wifidirect.v1.SessionService/WatchSessions',
  'wifidirect.v1.SessionService/OpenSession',
  'wifidirect.v1.SessionService/CloseSession',
  'wifidirect.v1.DeviceService/WatchDevices',
  'grpc.health.v1.Health/Check',
  'grpc.health.v1.Health/Watch',
  'grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
  'no.Such/Thing',
  '',
] as const;
/** The end of a PreparedCall without a message: a DATA frame of five bytes. */
const DATA_BYTES = 14;
const requests = new Map(
  rpcs.map((rpc) => [rpc, new PreparedCall(`/${rpc}`, Buffer.alloc(0)).onStream(1, Buffer.alloc(0))] as const),
);
const emptyMessage = Buffer.alloc(5);

/** How a connection goes about it: one that errs all the time is closed before it gets far. */
const manners = ['resets', 'resets', 'calls', 'calls', 'frames', 'garbage'] as const;

export class Script implements Iterable<Step> {
  readonly #random: Random;
  readonly #authorization: string | undefined;
  readonly #manner: (typeof manners)[number];
  #lastStream = -1;

  /** @param authorization What its calls show; undefined: nothing, or what nobody knows. */
  constructor(random: Random, authorization: string | undefined) {
    this.#random = random;
    this.#authorization = authorization;
    this.#manner = random.pick(manners);
  }

  *[Symbol.iterator](): Iterator<Step> {
    const random = this.#random;
    if (this.#manner !== 'garbage' || !random.isOneIn(2)) {
      yield { do: 'send', bytes: Buffer.concat([CONNECTION_PREFACE, frame(type.settings, 0, 0, Buffer.alloc(0))]) };
    }
    for (let left = 1 + random.below(STEPS_MAX); left > 0; left -= 1) {
      if (random.isOneIn(4)) yield { do: 'wait', ms: random.below(PAUSE_MS_MAX) };
      if (random.isOneIn(100)) yield { do: 'pause' };
      else if (random.isOneIn(20)) yield { do: 'resume' };
      yield* this.#pieces(Buffer.concat(Array.from({ length: 1 + random.below(4) }, () => this.#next())));
    }
    yield { do: random.pick(['end', 'reset', 'reset']) };
  }

  /** Mostly in one write; else cut anywhere. */
  *#pieces(bytes: Buffer): Iterable<Step> {
    if (bytes.length < 2 || !this.#random.isOneIn(10)) return yield { do: 'send', bytes };
    const at = 1 + this.#random.below(bytes.length - 1);
    yield { do: 'send', bytes: bytes.subarray(0, at) };
    yield { do: 'wait', ms: this.#random.below(PAUSE_MS_MAX) };
    yield { do: 'send', bytes: bytes.subarray(at) };
  }

  #next(): Buffer {
    const random = this.#random;
    switch (this.#manner) {
      case 'resets':
        return this.#begun();
      case 'calls':
        return random.isOneIn(3) ? this.#ofSomeStream() : this.#call();
      case 'frames':
        return random.pick([() => this.#call(), () => this.#ofSomeStream(), () => this.#ofConnection()])();
      case 'garbage':
        return random.isOneIn(3) ? this.#garbage() : this.#damaged(this.#call());
    }
  }

  /** A call whose request begins, and often is reset before it has been looked at. */
  #begun(): Buffer {
    const random = this.#random;
    const stream = this.#newStream();
    const begin = Buffer.concat([this.#headers(stream, flag.endHeaders), frame(type.data, 0, stream, emptyMessage)]);
    return random.isOneIn(3) ? Buffer.concat([begin, this.#reset(stream, random.pick([2, 2, 1, 8]))]) : begin;
  }

  #call(): Buffer {
    const random = this.#random;
    const stream = this.#newStream();
    if (random.isOneIn(6)) return this.#headers(stream, flag.endHeaders | flag.endStream);
    const parts = [this.#headers(stream, flag.endHeaders)];
    for (let left = random.below(3); left > 0; left -= 1) parts.push(this.#data(stream));
    if (random.isOneIn(2)) parts.push(frame(type.data, flag.endStream, stream, emptyMessage));
    if (random.isOneIn(4)) parts.push(this.#reset(stream, random.below(ERROR_CODES)));
    return Buffer.concat(parts);
  }

  #headers(stream: number, flags: number): Buffer {
    const random = this.#random;
    const whole = requests.get(random.pick(rpcs)) ?? emptyMessage;
    const block = [whole.subarray(9, -DATA_BYTES), headers(this.#fields())];
    if (random.isOneIn(15)) block.reverse();
    const bytes = random.isOneIn(60) ? this.#damaged(Buffer.concat(block)) : Buffer.concat(block);
    if (!random.isOneIn(10)) return frame(type.headers, flags, stream, bytes);
    const at = random.below(bytes.length);
    return Buffer.concat([
      frame(type.headers, flags & ~flag.endHeaders, stream, bytes.subarray(0, at)),
      frame(CONTINUATION, flag.endHeaders, stream, bytes.subarray(at)),
    ]);
  }

  #fields(): Record<string, string> {
    const random = this.#random;
    const fields: Record<string, string> = {};
    if (this.#authorization !== undefined && !random.isOneIn(5)) fields['authorization'] = this.#authorization;
    else if (random.isOneIn(3)) fields['authorization'] = random.pick(['Bearer nobody', 'Basic YTpi', '', 'a.b.c']);
    if (random.isOneIn(8)) fields['content-length'] = random.pick(['5', '0', '7', '1000000', '-1', 'x']);
    if (random.isOneIn(8)) fields['grpc-timeout'] = random.pick(['1m', '0n', '1S', '99999999H', 'x', '']);
    if (random.isOneIn(15)) fields['grpc-encoding'] = random.pick(['identity', 'gzip', 'x']);
    if (random.isOneIn(30)) fields[random.pick([':path', ':method', 'te', 'connection', 'X-A', ''])] = 'x';
    if (random.isOneIn(30)) fields['x'] = 'x'.repeat(random.below(12_000));
    return fields;
  }

  #data(stream: number): Buffer {
    const random = this.#random;
    const bytes = random.pick([
      () => emptyMessage,
      () => Buffer.alloc(0),
      () => this.#bytes(random.below(40)),
      () => Buffer.concat([emptyMessage, this.#bytes(random.below(2000))]),
      () => Buffer.concat([Buffer.from('0000100000', 'hex'), this.#bytes(random.below(16_000))]),
      () => Buffer.from('00ffffffff', 'hex'),
    ])();
    if (!random.isOneIn(10)) return frame(type.data, random.isOneIn(5) ? flag.endStream : 0, stream, bytes);
    return frame(type.data, flag.padded, stream, Buffer.concat([Buffer.of(random.below(20)), bytes, Buffer.alloc(20)]));
  }

  #reset(stream: number, code: number): Buffer {
    return frame(type.rstStream, 0, stream, uint32(code));
  }

  /** A frame for a stream that was begun, if it still is. */
  #ofSomeStream(): Buffer {
    const random = this.#random;
    const stream = Math.max(this.#lastStream - 2 * random.below(10), 1);
    return random.pick([
      () => this.#data(stream),
      () => this.#data(stream),
      () => this.#reset(stream, random.below(ERROR_CODES)),
      () => frame(type.windowUpdate, 0, stream, uint32(random.pick([1, 100, 65_535, 2 ** 31 - 1, 0]))),
      () => frame(type.headers, flag.endHeaders | flag.endStream, stream, headers({ trailer: 'x' })),
      () => frame(PRIORITY, 0, stream, Buffer.concat([uint32(random.below(20)), Buffer.of(16)])),
    ])();
  }

  #ofConnection(): Buffer {
    const random = this.#random;
    return random.pick([
      () => frame(type.ping, random.isOneIn(3) ? flag.ack : 0, 0, this.#bytes(8)),
      () => frame(type.settings, flag.ack, 0, Buffer.alloc(0)),
      () => frame(type.settings, 0, 0, this.#settings()),
      () => frame(type.windowUpdate, 0, 0, uint32(random.pick([1, 65_535, 2 ** 20, 2 ** 31 - 1, 0]))),
      () => frame(type.goAway, 0, 0, Buffer.concat([uint32(random.below(9)), uint32(random.below(ERROR_CODES))])),
      () => frame(0x20 + random.below(200), random.below(256), random.below(9), this.#bytes(random.below(30))),
      () => (random.isOneIn(10) ? this.#garbage() : frame(type.ping, 0, 0, this.#bytes(8))),
      () => (random.isOneIn(10) ? frame(PUSH_PROMISE, flag.endHeaders, 1, this.#bytes(9)) : this.#settingsAck()),
    ])();
  }

  #settings(): Buffer {
    const random = this.#random;
    const values = [0, 1, 100, 4096, 16_384, 65_535, 2 ** 24 - 1, 2 ** 31 - 1, random.below(2 ** 31)] as const;
    const each = Array.from({ length: random.below(4) }, () => {
      const setting = Buffer.alloc(6);
      setting.writeUInt16BE(1 + random.below(8), 0);
      setting.writeUInt32BE(random.pick(values), 2);
      return setting;
    });
    return Buffer.concat(each);
  }

  #settingsAck(): Buffer {
    return frame(type.settings, flag.ack, 0, Buffer.alloc(0));
  }

  #newStream(): number {
    this.#lastStream += this.#random.isOneIn(40) ? 2 * this.#random.below(50) : 2;
    return Math.max(this.#lastStream, 1);
  }

  #damaged(bytes: Buffer): Buffer {
    const damaged = Buffer.from(bytes);
    if (damaged.length > 0) damaged.writeUInt8(this.#random.below(256), this.#random.below(damaged.length));
    return damaged;
  }

  #garbage(): Buffer {
    const random = this.#random;
    const bytes = this.#bytes(random.below(60));
    return frame(random.below(12), random.below(256), random.below(12), bytes);
  }

  #bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.#random.below(256)));
  }
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
