/** `npm run fuzz:frames`: the fuzzer of `frame-fuzz.slow.test.ts` for as long as you like. */
import { parseArgs } from 'node:util';
import { fuzzFrames } from './fuzz.js';

const help = `Usage: npm run fuzz:frames -- [options]

  --minutes N   how long (default: 60)
  --seed N      repeats what the connections of a run sent (default: a new one, which is printed)
  --help        this text

Sends HTTP/2 frames, good and bad, to daemons that it starts on loopback with the simulator, over TLS and without it,
with and without credentials. Exit code 1: one of them ended, hung or logged an error.`;

const MINUTE_MS = 60_000;
const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 0x7fffffff)) },
    help: { type: 'boolean', default: false },
  },
});
const [minutes, seed] = [Number(values.minutes), Number(values.seed)];
if (values.help) console.log(help);
else if (!(minutes > 0) || !Number.isSafeInteger(seed)) {
  console.error(`--minutes takes a number above 0, --seed a whole number.\n\n${help}`);
  process.exitCode = 64;
} else {
  console.log(`fuzzing for ${minutes} min with --seed ${seed}`);
  const { connections, answers, faults } = await fuzzFrames(seed, minutes * MINUTE_MS);
  for (const fault of faults) console.log(fault);
  console.log(
    `${connections} connections, ${answers} calls of others answered, ${faults.length} faults (--seed ${seed})`,
  );
  process.exitCode = faults.length === 0 ? 0 : 1;
}
