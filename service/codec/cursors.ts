/**
 * Cursors and page tokens as callers see them. A plain cursor counts events, and so tells how much
 * happens on the host. Those who may not see all sessions get it sealed: `<epoch>.<22 letters>`, of
 * use to this host alone.
 *
 * The rule that must not be broken: who gets sealed ones can't use plain ones. By guessing they
 * would find the newest.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Caller } from '../access/caller.js';
import type { Fault, Result } from '../fault.js';

/**
 * What was sealed with another key has expired. A journal keeps the key for the next life of this
 * host.
 */
let key: Buffer = randomBytes(16);

/** The key that cursors are sealed with, in base64url. */
export function cursorKey(): string {
  return key.toString('base64url');
}

/** Takes over the key of the life before. */
export function takeCursorKey(text: string): void {
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.length === 16) key = bytes;
}
const SEALED = /^([0-9a-f]{16})\.([A-Za-z0-9_-]{22})$/;
const PLAIN = /^[0-9a-f]{16}\.[0-9]{1,16}$/;
/** Well-formed, and of no life that ever was. */
const EXPIRED = `${'0'.repeat(16)}.0`;

type Viewer = Pick<Caller, 'maySeeAll'>;

/** The cursor as this caller gets it. */
export function shownTo({ maySeeAll }: Viewer, cursor: string): string {
  const [epoch = '', sequence] = cursor.split('.');
  return sequence === undefined || maySeeAll() ? cursor : `${epoch}.${seal(Number(sequence), 0)}`;
}

/**
 * The plain cursor for what this caller sent; what is no cursor stays as it is, for others to
 * refuse.
 */
export function readFrom({ maySeeAll }: Viewer, text: string): string {
  const [, epoch, sealed] = SEALED.exec(text) ?? [];
  if (epoch !== undefined && sealed !== undefined) {
    const opened = unseal(sealed);
    return opened?.tag === 0 ? `${epoch}.${opened.position}` : EXPIRED;
  }
  return PLAIN.test(text) && !maySeeAll() ? EXPIRED : text;
}

/** A fault as this caller gets it: it may name a cursor to go on from. */
export function resultFor<T>(viewer: Viewer, result: Result<T>): Result<T> {
  return result.ok ? result : { ok: false, fault: faultFor(viewer, result.fault) };
}

function faultFor(viewer: Viewer, fault: Fault): Fault {
  const { oldest_cursor: oldest } = fault.metadata ?? {};
  if (oldest === undefined) return fault;
  return { ...fault, metadata: { ...fault.metadata, oldest_cursor: shownTo(viewer, oldest) } };
}

/** One block of AES: a position, a tag of 32 bits, and zeros by which it is known again. */
export function seal(position: number, tag: number): string {
  const block = Buffer.alloc(16);
  block.writeBigUInt64BE(BigInt(position));
  block.writeUInt32BE(tag, 8);
  return createCipheriv('aes-128-ecb', key, null).setAutoPadding(false).update(block).toString('base64url');
}

/** `undefined` where this process has not sealed it. */
export function unseal(text: string): { readonly position: number; readonly tag: number } | undefined {
  const sealed = Buffer.from(text, 'base64url');
  if (sealed.length !== 16 || sealed.toString('base64url') !== text) return undefined;
  const block = createDecipheriv('aes-128-ecb', key, null).setAutoPadding(false).update(sealed);
  if (block.readUInt32BE(12) !== 0) return undefined;
  const position = Number(block.readBigUInt64BE());
  return Number.isSafeInteger(position) ? { position, tag: block.readUInt32BE(8) } : undefined;
}
