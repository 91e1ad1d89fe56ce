/** The root of the repository or of the bundle, as a URL. Both `dist/service`, where this is compiled to, and `dist/wfdd` are two below. */
export const root = new URL('../../', import.meta.url);

/** The contract as it was generated, for reflection. Not compiled, so it is in the same place in both. */
export const descriptors = new URL('service/transport/gen/descriptors.binpb', root);
