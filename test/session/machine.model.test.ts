/**
 * The machine under random inputs in random order, against the model of a native handle. Invariants
 * (each checked after each step in `native-model.ts`): the states follow the diagram, and every
 * change is an event; a session ends exactly once, for the first reason that came; it is cancelled
 * and closed at most once, and only when the handle may be used for it; no command follows the end;
 * and once nothing is owed any more, the session has ended and no handle has leaked.
 */
import test from 'ava';
import fc from 'fast-check';
import type { SessionInput } from '../../service/session/session.js';
import { arrives, ERROR_CANCELLED, ERROR_GEN_FAILURE, ERROR_INVALID_HANDLE, Life, RPC_S_CALL_FAILED } from './life.js';
import { NativeModel } from './native-model.js';
import { effort, randomly } from './seed.js';

const STEPS_IN_CI = 200_000;

class Arrival implements fc.Command<NativeModel, Life> {
  readonly #input: SessionInput;

  constructor(input: SessionInput) {
    this.#input = input;
  }

  check(model: Readonly<NativeModel>): boolean {
    return model.allows(this.#input);
  }

  run(model: NativeModel, life: Life): void {
    model.enter(life, this.#input);
  }

  toString(): string {
    const { type } = this.#input;
    if (type === 'TimerFired') return `${type} ${this.#input.timer}`;
    return 'outcome' in this.#input ? `${type} ${this.#input.outcome.result.code}` : type;
  }
}

const codes = fc.constantFrom(0, 0, 0, ERROR_GEN_FAILURE, ERROR_INVALID_HANDLE, RPC_S_CALL_FAILED);
const inputs: fc.Arbitrary<SessionInput>[] = [
  codes.map((code) => arrives.started(code)),
  fc.constantFrom(arrives.opened(), arrives.opened(), arrives.openFailed(), arrives.openFailed(ERROR_CANCELLED)),
  codes.map((code) => arrives.cancelReturned(code)),
  codes.map((code) => arrives.closeReturned(code)),
  fc
    .constantFrom('open' as const, 'cancel' as const, 'close' as const, 'lease' as const)
    .map((timer) => arrives.timer(timer)),
  fc
    .constantFrom('DEVICE_DISCONNECTED' as const, 'INTERFACE_GONE' as const, 'INTERFACE_DOWN' as const)
    .map((evidence) => arrives.linkDown(evidence)),
  fc.constantFrom(arrives.cancel(), arrives.close()),
  fc.constantFrom(arrives.renew(), arrives.renew(2000)),
  fc.constantFrom(arrives.addresses(), arrives.addresses('192.168.137.1')),
  fc.constantFrom(arrives.streamsEnded(), arrives.streamsEnded(), arrives.hostStopping(), arrives.handlesInvalidated()),
];

test('no order of inputs breaks a rule of the machine', (t) => {
  const runs = effort(STEPS_IN_CI / 10);
  let steps = 0;
  const ends = new Map<string, number>();
  const arrivals = inputs.map((input) => input.map((value) => new Arrival(value)));
  fc.assert(
    fc.property(fc.boolean(), fc.commands(arrivals, { maxCommands: 40, size: 'max' }), (hasLease, commands) => {
      const model = new NativeModel(hasLease);
      const life = hasLease ? Life.leased() : new Life();
      fc.modelRun(() => ({ model, real: life }), commands);
      model.settle(life);
      steps += model.steps;
      const end = `${life.session.state} ${life.session.end?.reason}`;
      ends.set(end, (ends.get(end) ?? 0) + 1);
    }),
    randomly(t, runs),
  );
  t.log(`${steps} steps in ${runs} lives`);
  for (const [end, count] of [...ends].toSorted()) t.log(`${end}: ${count}`);
  t.true(steps >= effort(STEPS_IN_CI / 2), 'the runs were too short to mean much');
  t.is(ends.size, 15, 'an end that was not seen: the inputs no longer lead to all of them');
});
