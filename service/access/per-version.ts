/** A function of something that is replaced as a whole, computed once for each version of it. */
export function perVersion<T, R>(current: () => T, compute: (version: T) => R): () => R {
  let last: { readonly version: T; readonly result: R } | undefined;
  return () => {
    const version = current();
    if (last?.version !== version) last = { version, result: compute(version) };
    return last.result;
  };
}
