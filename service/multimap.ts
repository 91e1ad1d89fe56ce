/** A map with several values for each key. */
export class Multimap<Key, Value> {
  readonly #values = new Map<Key, Set<Value>>();

  /** The values of a key; none if there is no such key. */
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
