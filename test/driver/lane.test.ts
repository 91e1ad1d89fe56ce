/** Who goes first where native calls wait: fair among principals, with a share for each. */
import test from 'ava';
import { Lane, type Wish } from '../../service/driver/lane.js';

/** Enters, and notes the name when it is let in. */
class Queue {
  readonly lane: Lane;
  readonly order: string[] = [];
  readonly left: string[] = [];
  readonly #leave = new Map<string, () => void>();

  constructor(max: number, share?: number) {
    this.lane = new Lane(max, share);
  }

  async ask(name: string, wish: Wish): Promise<void> {
    const leave = await this.lane.enter(wish);
    if (leave === undefined) {
      this.left.push(name);
      return;
    }
    this.order.push(name);
    this.#leave.set(name, leave);
  }

  async finish(name: string): Promise<void> {
    this.#leave.get(name)?.();
    await new Promise(setImmediate);
  }
}

const turn = () => new Promise(setImmediate);

test('principals take turns, however many calls one of them has waiting', async (t) => {
  const queue = new Queue(1);
  for (let i = 1; i <= 64; i += 1) void queue.ask(`a${i}`, { principal: 'alice' });
  void queue.ask('b1', { principal: 'bob' });
  void queue.ask('b2', { principal: 'bob' });
  void queue.ask('c1', { principal: 'carol' });
  await turn();
  for (let i = 0; i < 7; i += 1) await queue.finish(queue.order.at(-1) ?? '');
  t.deepEqual(queue.order, ['a1', 'a2', 'b1', 'c1', 'a3', 'b2', 'a4', 'a5']);
  t.is(queue.lane.waiting, 59);
});

test('a principal never has all places, so that another finds one however long its calls take', async (t) => {
  const queue = new Queue(4, 3);
  for (let i = 1; i <= 10; i += 1) void queue.ask(`a${i}`, { principal: 'alice' });
  void queue.ask('b1', { principal: 'bob' });
  await turn();
  t.deepEqual(queue.order, ['a1', 'a2', 'a3', 'b1']);
  await queue.finish('b1');
  t.is(queue.lane.running, 3, 'what is left of its place is not theirs');
  void queue.ask('host', {});
  await turn();
  t.is(queue.order.at(-1), 'host');
});

test('the calls of the host itself take any place', async (t) => {
  const queue = new Queue(3, 1);
  for (const name of ['h1', 'h2', 'h3', 'h4']) void queue.ask(name, {});
  await turn();
  t.deepEqual(queue.order, ['h1', 'h2', 'h3']);
});

test('a lane of one place serves everybody in turn', async (t) => {
  const queue = new Queue(1, 0);
  void queue.ask('a1', { principal: 'alice' });
  void queue.ask('b1', { principal: 'bob' });
  await turn();
  await queue.finish('a1');
  t.deepEqual(queue.order, ['a1', 'b1']);
});

test('what is no longer wanted leaves the queue at once, and takes nobody’s turn', async (t) => {
  const queue = new Queue(1);
  const unwanted = new AbortController();
  void queue.ask('a1', { principal: 'alice' });
  void queue.ask('a2', { principal: 'alice', signal: unwanted.signal });
  void queue.ask('b1', { principal: 'bob' });
  await turn();
  unwanted.abort();
  await turn();
  t.deepEqual(queue.left, ['a2']);
  t.is(queue.lane.waiting, 1);
  await queue.finish('a1');
  t.deepEqual(queue.order, ['a1', 'b1']);
  void queue.ask('late', { principal: 'bob', signal: unwanted.signal });
  await turn();
  t.deepEqual(queue.left, ['a2', 'late']);
});

test('a place is given back once, however often it is left', async (t) => {
  const lane = new Lane(2);
  const leave = await lane.enter({ principal: 'alice' });
  const other = await lane.enter({ principal: 'alice' });
  leave?.();
  leave?.();
  t.is(lane.running, 1);
  other?.();
  t.is(lane.running, 0);
});
