/**
 * Many small runs of bytes that come and go in order, side by side: a buffer of its own for each
 * would cost as much again as it holds.
 */
const BOARD_BYTES = 65_536;

export class Shelf {
  #board = Buffer.alloc(0);
  #used = 0;

  /**
   * A copy on the shelf. Its memory is given back when all that was put beside it is forgotten,
   * too.
   */
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
