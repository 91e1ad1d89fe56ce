/**
 * What the log has to know of an encoded event, read from its bytes. A start reads every event of a
 * full journal: to decode them all would take ten times as long.
 */
import { SessionEventType } from '../../proto/gen/wifidirect/v1/session.js';

// Field numbers of SessionEvent and Session.
const TYPE = 4;
const SESSION = 5;
const OWNER = 5;

const VARINT = 0;
const FIXED_64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED_32 = 5;

interface Peeked {
  readonly owner: string;
  readonly isRenewal: boolean;
}

/** A function that reads events one after another. Most have the owner of the one before. */
export function eventPeeker(): (event: Uint8Array) => Peeked {
  let ownerBytes = new Uint8Array();
  let owner = '';
  const readOwner = (bytes: Uint8Array, from: number, to: number) => {
    if (!isEqual(ownerBytes, bytes, from, to)) {
      ownerBytes = bytes.slice(from, to);
      owner = Buffer.from(ownerBytes).toString();
    }
    return owner;
  };
  return (event) => {
    const fields = new Fields(event, 0, event.length);
    const peeked = { owner: '', isRenewal: false };
    while (fields.next()) {
      if (fields.number === TYPE) peeked.isRenewal = fields.value === SessionEventType.LEASE_RENEWED;
      if (fields.number !== SESSION) continue;
      const session = new Fields(event, fields.end - fields.value, fields.end);
      while (session.next()) {
        if (session.number === OWNER) peeked.owner = readOwner(event, session.end - session.value, session.end);
      }
    }
    return peeked;
  };
}

function isEqual(known: Uint8Array, bytes: Uint8Array, from: number, to: number): boolean {
  if (known.length !== to - from) return false;
  for (let i = 0; i < known.length; i++) if (known[i] !== bytes[from + i]) return false;
  return true;
}

/** The fields of a message, one after another. */
class Fields {
  readonly #bytes: Uint8Array;
  readonly #length: number;
  /** Of the field that was read last. */
  number = 0;
  /**
   * The number that it holds, if it is a varint; its length in bytes, if it is length-delimited.
   */
  value = 0;
  /** Where it ends. */
  end: number;

  constructor(bytes: Uint8Array, from: number, to: number) {
    this.#bytes = bytes;
    this.end = from;
    this.#length = to;
  }

  /** Reads the next field; false where there is none. */
  next(): boolean {
    if (this.end >= this.#length) return false;
    const tag = this.#varint();
    this.number = tag >>> 3;
    const wireType = tag & 7;
    if (wireType === VARINT) this.value = this.#varint();
    else if (wireType === LENGTH_DELIMITED) {
      this.value = this.#varint();
      this.end += this.value;
    } else if (wireType === FIXED_64) this.end += 8;
    else if (wireType === FIXED_32) this.end += 4;
    else throw new RangeError(`There is no wire type ${wireType}.`);
    return true;
  }

  /** Exact up to 32 bits; what is larger is only passed over. */
  #varint(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.#bytes[this.end++] ?? 0;
      if (shift < 32) value |= (byte & 127) << shift;
      if (byte < 128) return value >>> 0;
    }
  }
}
