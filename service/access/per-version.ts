/** Memoizes a function of a value that is replaced as a whole: it is computed once per version. */
export function perVersion<T, R>(current: () => T, compute: (version: T) => R): () => R {
  let last: { readonly version: T; readonly result: R } | undefined;
  return () => {
    const version = current();
    if (last?.version !== version) last = { version, result: compute(version) };
    return last.result;
  };
}
