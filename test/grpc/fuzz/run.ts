/** `npm run fuzz:frames`: the fuzzer of `frame-fuzz.slow.test.ts` for as long as you like. */
import { parseArgs } from 'node:util';

const help = `Usage: npm run fuzz:frames -- [options]

  --minutes N   how long (default: 60)
  --seed N      repeats what the connections of a run sent (default: a new one, which is printed)
  --valgrind    under valgrind, which must be installed, and finds memory that is used after it was freed;
                it makes the daemons some thirty times slower
  --help        this text

Sends HTTP/2 frames, good and bad, to daemons that it starts on loopback with the simulator, over TLS and without it,
with and without credentials. Exit code 1: one of them ended, hung, logged an error or misused memory.`;

const MINUTE_MS = 60_000;
/**
 * Says nothing unless there is an error. V8 writes code as it runs, and koffi calls on stacks of
 * its own.
 */
const VALGRIND = 'valgrind --quiet --smc-check=all-non-file --undef-value-errors=no --num-callers=30 --fair-sched=yes';
const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 0x7fffffff)) },
    valgrind: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const [minutes, seed] = [Number(values.minutes), Number(values.seed)];
if (values.help) console.log(help);
else if (!(minutes > 0) || !Number.isSafeInteger(seed)) {
  console.error(`--minutes takes a number above 0, --seed a whole number.\n\n${help}`);
  process.exitCode = 64;
} else {
  if (values.valgrind) process.env['WFD_DAEMON_UNDER'] = VALGRIND;
  // Only now, as the harness reads the environment when it is loaded.
  const { fuzzFrames } = await import('./fuzz.js');
  console.log(`fuzzing for ${minutes} min with --seed ${seed}`);
  const { connections, answers, faults } = await fuzzFrames(seed, minutes * MINUTE_MS);
  for (const fault of faults) console.log(fault);
  console.log(
    `${connections} connections, ${answers} calls of others answered, ${faults.length} faults (--seed ${seed})`,
  );
  process.exitCode = faults.length === 0 ? 0 : 1;
}
