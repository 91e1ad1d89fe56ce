/**
 * What is taken is given back once, on every way out. Whoever takes something (a place of a quota or a
 * lane, bytes in transit, a callback's context) gets the function that gives it back, made by `once`:
 * each way out may then call it, and none has to know whether another came first.
 */

/** Gives back what was taken. It may be called any number of times. */
export type GiveBack = () => void;

/** Runs `giveBack` at the first call alone. */
export function once(giveBack: () => void): GiveBack {
  let isTaken = true;
  return () => {
    if (!isTaken) return;
    isTaken = false;
    giveBack();
  };
}
