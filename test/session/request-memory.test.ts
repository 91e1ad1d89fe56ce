import test from 'ava';
import { RequestMemory, requestIdReused } from '../../service/session/request-memory.js';

const MINUTE = 60_000;

test('a request id is found with what it was used for, for as long as it is remembered', (t) => {
  const memory = new RequestMemory(10, MINUTE);
  t.is(memory.find('alice\nr-1', 0), undefined);
  memory.remember('alice\nr-1', 'CloseSession s-1', 0);
  t.is(memory.find('alice\nr-1', MINUTE - 1), 'CloseSession s-1');
  t.is(memory.find('alice\nr-1', MINUTE), undefined);
  t.is(memory.size, 0);
});

test('the same id of another principal is another id', (t) => {
  const memory = new RequestMemory(10, MINUTE);
  memory.remember('alice\nr-1', 'CloseSession s-1', 0);
  t.is(memory.find('bob\nr-1', 0), undefined);
});

test('at most so many are remembered, and the oldest is forgotten first', (t) => {
  const memory = new RequestMemory(2, MINUTE);
  for (const [timeMs, key] of ['a', 'b', 'c'].entries()) memory.remember(key, `for ${key}`, timeMs);
  t.is(memory.size, 2);
  t.deepEqual(
    ['a', 'b', 'c'].map((key) => memory.find(key, 3)),
    [undefined, 'for b', 'for c'],
  );
});

test('asking again forgets nobody, however full the memory is', (t) => {
  const memory = new RequestMemory(1, MINUTE);
  memory.remember('a', 'for a', 0);
  t.is(memory.find('a', 1), 'for a');
  t.is(memory.find('a', 2), 'for a');
  t.is(memory.find('b', 3), undefined);
  t.is(memory.find('a', 4), 'for a');
});

test('a memory for none remembers none', (t) => {
  const memory = new RequestMemory(0, MINUTE);
  memory.remember('a', 'for a', 0);
  t.is(memory.find('a', 0), undefined);
});

test('an id used for something else is refused by name, without a bad field: the contract has none in that row', (t) => {
  const fault = requestIdReused('r-1');
  t.is(fault.reason, 'REQUEST_ID_REUSED');
  t.deepEqual(fault.metadata, { request_id: 'r-1' });
  t.is(fault.field, undefined);
});
