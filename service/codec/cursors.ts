/**
 * Cursors and page tokens for callers. A plain cursor counts events, so it reveals how much happens
 * on the host. Callers that may not see all sessions get sealed ones: `<epoch>.<22 letters>`, which
 * only this host can read.
 *
 * Invariant: a caller that gets sealed cursors can't use plain ones. It could find the newest one
 * by guessing.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Caller } from '../access/caller.js';
import type { Fault, Result } from '../fault.js';

/**
 * Cursors that were sealed with another key have expired. A journal keeps the key for the next life
 * of this host.
 */
let key: Buffer = randomBytes(16);

/** The key of sealed cursors, in base64url. */
export function cursorKey(): string {
  return key.toString('base64url');
}

/** Uses the key of the previous life. */
export function takeCursorKey(text: string): void {
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.length === 16) key = bytes;
}
const SEALED = /^([0-9a-f]{16})\.([A-Za-z0-9_-]{22})$/;
const PLAIN = /^[0-9a-f]{16}\.[0-9]{1,16}$/;
/** Well-formed, but of no life. */
const EXPIRED = `${'0'.repeat(16)}.0`;

type Viewer = Pick<Caller, 'maySeeAll'>;

/** Converts a plain cursor for this caller. */
export function shownTo({ maySeeAll }: Viewer, cursor: string): string {
  const [epoch = '', sequence] = cursor.split('.');
  return sequence === undefined || maySeeAll() ? cursor : `${epoch}.${seal(Number(sequence), 0)}`;
}

/**
 * Converts a caller's cursor to a plain one. Text that is not a cursor is returned as it is, and
 * refused later.
 */
export function readFrom({ maySeeAll }: Viewer, text: string): string {
  const [, epoch, sealed] = SEALED.exec(text) ?? [];
  if (epoch !== undefined && sealed !== undefined) {
    const opened = unseal(sealed);
    return opened?.tag === 0 ? `${epoch}.${opened.position}` : EXPIRED;
  }
  return PLAIN.test(text) && !maySeeAll() ? EXPIRED : text;
}

/** Converts a fault for this caller, because it may have a cursor to resume from. */
export function resultFor<T>(viewer: Viewer, result: Result<T>): Result<T> {
  return result.ok ? result : { ok: false, fault: faultFor(viewer, result.fault) };
}

function faultFor(viewer: Viewer, fault: Fault): Fault {
  const { oldest_cursor: oldest } = fault.metadata ?? {};
  if (oldest === undefined) return fault;
  return { ...fault, metadata: { ...fault.metadata, oldest_cursor: shownTo(viewer, oldest) } };
}

/** One block of AES: a position, a tag of 32 bits, and zeros that identify it. */
export function seal(position: number, tag: number): string {
  const block = Buffer.alloc(16);
  block.writeBigUInt64BE(BigInt(position));
  block.writeUInt32BE(tag, 8);
  return createCipheriv('aes-128-ecb', key, null).setAutoPadding(false).update(block).toString('base64url');
}

/** Undefined if this process has not sealed it. */
export function unseal(text: string): { readonly position: number; readonly tag: number } | undefined {
  const sealed = Buffer.from(text, 'base64url');
  if (sealed.length !== 16 || sealed.toString('base64url') !== text) return undefined;
  const block = createDecipheriv('aes-128-ecb', key, null).setAutoPadding(false).update(sealed);
  if (block.readUInt32BE(12) !== 0) return undefined;
  const position = Number(block.readBigUInt64BE());
  return Number.isSafeInteger(position) ? { position, tag: block.readUInt32BE(8) } : undefined;
}
