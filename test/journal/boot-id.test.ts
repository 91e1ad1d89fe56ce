import test from 'ava';
import { bootId, isSameBoot } from '../../service/journal/boot-id.js';

test('one life of the machine has one id', (t) => {
  t.true(isSameBoot(bootId(), bootId()));
});

test('starts that were read in neighbouring minutes can be one, others are not', (t) => {
  t.true(isSameBoot('start-100', 'start-101'));
  t.false(isSameBoot('start-100', 'start-102'));
  t.false(isSameBoot('start-100', 'b2f7'));
  t.false(isSameBoot('a1', 'b2'));
});
