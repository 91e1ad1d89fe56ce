/** Several values under one key, found without a walk over all. */
export class Index<Key, Value> {
  readonly #values = new Map<Key, Set<Value>>();

  get(key: Key): ReadonlySet<Value> {
    return this.#values.get(key) ?? new Set();
  }

  add(key: Key, value: Value): void {
    const values = this.#values.get(key) ?? new Set();
    this.#values.set(key, values.add(value));
  }

  delete(key: Key, value: Value): void {
    const values = this.#values.get(key);
    values?.delete(value);
    if (values?.size === 0) this.#values.delete(key);
  }
}
