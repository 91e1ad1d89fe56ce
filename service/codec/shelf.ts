/**
 * Stores many small byte strings that come and go in order. A buffer for each would double their
 * memory.
 */
const BOARD_BYTES = 65_536;

export class Shelf {
  #board = Buffer.alloc(0);
  #used = 0;

  /** Returns a stored copy. Its memory is freed when its neighbours have been dropped, too. */
  put(bytes: Uint8Array): Uint8Array {
    if (this.#board.length - this.#used < bytes.length) {
      this.#board = Buffer.allocUnsafeSlow(Math.max(BOARD_BYTES, bytes.length));
      this.#used = 0;
    }
    const copy = this.#board.subarray(this.#used, this.#used + bytes.length);
    copy.set(bytes);
    this.#used += bytes.length;
    return copy;
  }
}
