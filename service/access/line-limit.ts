/** How many lines of a kind the log takes: somebody who guesses, scans or errs in a loop may fill the counters, not the disk. */

const PER_SECOND_MAX = 20;

export class LineLimit {
  #second = 0;
  #lines = 0;
  #unlogged = 0;

  /** Undefined: write no line now. Else how many were not written since the last, for the line to tell; nothing where there were none. */
  take(): { readonly unlogged?: number } | undefined {
    const second = Math.floor(performance.now() / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#lines = 0;
    }
    if (this.#lines === PER_SECOND_MAX) {
      this.#unlogged += 1;
      return undefined;
    }
    this.#lines += 1;
    const unlogged = this.#unlogged;
    this.#unlogged = 0;
    return unlogged === 0 ? {} : { unlogged };
  }
}
