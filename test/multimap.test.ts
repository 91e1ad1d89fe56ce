import test from 'ava';
import { Multimap } from '../service/multimap.js';

test('a key has each of its values once, and none after they are deleted', (t) => {
  const map = new Multimap<string, number>();
  t.deepEqual([...map.get('a')], []);
  map.add('a', 1);
  map.add('a', 1);
  map.add('a', 2);
  map.add('b', 3);
  t.deepEqual([...map.get('a')], [1, 2]);
  map.delete('a', 1);
  map.delete('a', 7);
  map.delete('c', 1);
  t.deepEqual([...map.get('a')], [2]);
  map.delete('a', 2);
  t.deepEqual([...map.get('a')], []);
  t.deepEqual([...map.get('b')], [3]);
});
