/**
 * Random frames for most of a minute: the daemon goes on, serves others, and says nothing of an
 * error. For longer: npm run fuzz:frames.
 */
import test from 'ava';
import { fuzzFrames } from './fuzz/fuzz.js';

const { WFD_SEED } = process.env;
const DURATION_MS = 50_000;

test('no order of frames ends the daemon', async (t) => {
  t.timeout(4 * DURATION_MS);
  const seed = WFD_SEED === undefined ? Math.floor(Math.random() * 0x7fffffff) : Number(WFD_SEED);
  t.log(`WFD_SEED=${seed}`);
  const { connections, answers, faults } = await fuzzFrames(seed, DURATION_MS);
  t.log(`${connections} connections, ${answers} calls of others answered`);
  t.deepEqual(faults, []);
  t.true(connections > 100, 'it has tried');
});
