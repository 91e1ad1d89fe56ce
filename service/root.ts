/** The root of the repository or of the bundle: two levels above `dist/service` and `dist/wfdd`. */
export const root = new URL('../../', import.meta.url);

/**
 * The contract as it was generated, for reflection. Not compiled, so it is in the same place in
 * both.
 */
export const descriptors = new URL('proto/gen/descriptors.binpb', root);
