/** Native calls in their lanes: bounded, observed, and never in each other's way. */
import test from 'ava';
import { type LaneName, NativeCalls } from '../../service/driver/native-calls.js';

interface Noted {
  readonly returned: string[];
  readonly slow: string[];
}

function make(settings: Partial<ConstructorParameters<typeof NativeCalls>[0]> = {}) {
  const noted: Noted = { returned: [], slow: [] };
  let warn = () => {};
  const warned = new Promise<void>((resolve) => {
    warn = resolve;
  });
  const calls = new NativeCalls(
    { nativeCallsMax: 12, slowCallsMax: 4, nativeCallWarnMs: 60_000, ...settings },
    {
      onNativeReturned: (fn, code) => noted.returned.push(`${fn} ${code}`),
      onNativeSlow: (fn) => {
        noted.slow.push(fn);
        warn();
      },
    },
  );
  return { calls, noted, warned };
}

/** A call that returns when it is told to. */
class Held {
  isRunning = false;
  #release: (answer: { code: number }) => void = () => {};
  #fail: (error: Error) => void = () => {};

  readonly call = () => {
    this.isRunning = true;
    return new Promise<{ code: number }>((resolve, reject) => {
      this.#release = resolve;
      this.#fail = reject;
    });
  };

  release(code = 0): void {
    this.#release({ code });
  }

  fail(): void {
    this.#fail(new Error('no such export'));
  }
}

const turn = () => new Promise(setImmediate);

/** How many calls of a lane run at once. */
async function widthOf(calls: NativeCalls, lane: LaneName): Promise<number> {
  const held = Array.from({ length: 20 }, () => new Held());
  const running = held.map(({ call }) => calls.run(lane, 'f', call));
  await turn();
  const width = held.filter(({ isRunning }) => isRunning).length;
  for (const each of held) {
    each.release();
    await turn();
  }
  await Promise.all(running);
  return width;
}

const lanes: readonly LaneName[] = ['open', 'slow', 'end', 'look'];

test('together the lanes have the calls that may run at once, and each has some', async (t) => {
  for (const [nativeCallsMax, slowCallsMax] of [
    [12, 4],
    [16, 4],
    [7, 2],
    [4, 1],
  ] as const) {
    const { calls } = make({ nativeCallsMax, slowCallsMax });
    const widths = [];
    for (const lane of lanes) widths.push(await widthOf(calls, lane));
    t.true(widths.every((width) => width > 0));
    t.is(
      widths.reduce((sum, width) => sum + width),
      nativeCallsMax,
    );
    t.is(widths[1], slowCallsMax);
  }
});

test('what hangs in one lane holds up none of the others', async (t) => {
  for (const hanging of lanes) {
    const { calls } = make();
    const held = Array.from({ length: 20 }, () => new Held());
    const stuck = held.map(({ call }) => calls.run(hanging, 'hangs', call));
    for (const lane of lanes.filter((name) => name !== hanging)) {
      t.is((await calls.run(lane, 'f', async () => ({ code: 7 }))).code, 7);
    }
    for (const each of held) {
      each.release();
      await turn();
    }
    await Promise.all(stuck);
  }
});

test('calls of one lane run in the order in which they came', async (t) => {
  const { calls } = make({ nativeCallsMax: 4, slowCallsMax: 1 });
  const order: number[] = [];
  const numbers = [1, 2, 3, 4, 5];
  await Promise.all(
    numbers.map((number) =>
      calls.run('slow', 'f', async () => {
        order.push(number);
        await turn();
        return { code: 0 };
      }),
    ),
  );
  t.deepEqual(order, numbers);
});

test('a call that fails gives its place to the next, and reaches whoever made it', async (t) => {
  const { calls } = make({ nativeCallsMax: 4, slowCallsMax: 1 });
  const [first, second] = [new Held(), new Held()];
  const failing = calls.run('slow', 'f', first.call);
  const waiting = calls.run('slow', 'g', second.call);
  await turn();
  t.false(second.isRunning);
  first.fail();
  await t.throwsAsync(failing, { message: 'no such export' });
  await turn();
  t.true(second.isRunning);
  second.release();
  await waiting;
  t.is(calls.inFlight, 0);
});

test('each return is told with its code, each call that takes long once', async (t) => {
  const { calls, noted, warned } = make({ nativeCallWarnMs: 10 });
  await calls.run('open', 'quick', async () => ({ code: 3 }));
  const held = new Held();
  const slow = calls.run('open', 'slow', held.call);
  await warned;
  held.release(5);
  await slow;
  t.deepEqual(noted, { returned: ['quick 3', 'slow 5'], slow: ['slow'] });
});

test('idle is when nothing runs and nothing waits', async (t) => {
  const { calls } = make({ nativeCallsMax: 4, slowCallsMax: 1 });
  await calls.whenIdle();
  const [first, second] = [new Held(), new Held()];
  const running = [calls.run('slow', 'f', first.call), calls.run('slow', 'g', second.call)];
  let isIdle = false;
  const idle = calls.whenIdle().then(() => {
    isIdle = true;
  });
  first.release();
  await turn();
  t.false(isIdle);
  t.is(calls.inFlight, 1);
  second.release();
  await Promise.all([...running, idle]);
  t.true(isIdle);
});

test('a question that fails has no answer', async (t) => {
  const { calls } = make();
  t.deepEqual(await calls.ask('f', async () => ({ code: 9 })), { code: 9 });
  const failing = () => Promise.reject(new Error('no such export'));
  t.is(await calls.ask('f', failing), undefined);
});

test('while a question hangs, none of its function is asked, and others are; when it has answered, it is again', async (t) => {
  const { calls } = make();
  const held = new Held();
  t.is(await calls.ask('hangs', held.call), undefined);
  const next = new Held();
  t.is(await calls.ask('hangs', next.call), undefined);
  t.false(next.isRunning);
  t.deepEqual(await calls.ask('answers', async () => ({ code: 0 })), { code: 0 });
  held.release();
  await turn();
  t.deepEqual(await calls.ask('hangs', async () => ({ code: 4 })), { code: 4 });
});
