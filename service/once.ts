/**
 * Resources are given back exactly once. Code that takes something (a place in a quota or a lane,
 * bytes in transit, a callback context) gets a function made by `once` that gives it back. Every
 * exit path can call it, and none has to know whether another came first (D-46).
 */

/** Gives back what was taken. It can be called any number of times. */
export type GiveBack = () => void;

/** Runs `giveBack` only at the first call. */
export function once(giveBack: () => void): GiveBack {
  let isTaken = true;
  return () => {
    if (!isTaken) return;
    isTaken = false;
    giveBack();
  };
}
