/**
 * The validator believes a host that tells the truth, however often its watchers go away and its
 * life begins anew.
 */
import test from 'ava';
import fc from 'fast-check';
import type { OpenSessionResponse } from '../../proto/gen/wifidirect/v1/session_service.js';
import type { SessionInput } from '../../service/session/session.js';
import { arrives, ERROR_CANCELLED, RPC_S_CALL_FAILED } from '../session/life.js';
import { NativeModel } from '../session/native-model.js';
import { effort, randomly } from '../session/seed.js';
import { OpenStreamValidator, StreamValidator } from './validator.js';
import { type Watch, WatchedHost } from './watched-host.js';

const inputs: readonly SessionInput[] = [
  arrives.started(),
  arrives.started(RPC_S_CALL_FAILED),
  arrives.opened(),
  arrives.openFailed(ERROR_CANCELLED),
  arrives.closeReturned(),
  arrives.linkDown(),
  arrives.addresses('192.168.137.1'),
  arrives.timer('close'),
  arrives.cancel(),
  arrives.close(),
  arrives.renew(),
  arrives.handlesInvalidated(),
];

/**
 * A host whose sessions do what Windows allows, and one watcher of it that reads, leaves and comes
 * back.
 */
class Scene {
  readonly validator: StreamValidator;
  readonly #ids: readonly string[] | undefined;
  readonly #models = new Map<string, NativeModel>();
  #host = new WatchedHost({ epoch: 1n.toString(16).padStart(16, '0') });
  #watch: Watch | undefined;
  #lives = 1n;
  #opened = 0;

  constructor(ids: readonly string[] | undefined) {
    this.#ids = ids;
    this.validator = new StreamValidator({ filtered: ids !== undefined });
  }

  open(): void {
    this.#opened += 1;
    const id = `session-${this.#opened}`;
    this.#host.open(id);
    this.#models.set(id, new NativeModel(true));
  }

  input(which: number, input: SessionInput): void {
    const live = [...this.#models].filter(([, model]) => !model.hasEnded && model.allows(input));
    const [id, model] = live[which % live.length] ?? [];
    const life = this.#host.lives.get(id ?? '');
    if (id === undefined || life === undefined) return;
    model?.enter(life, input);
    this.#host.publish(id);
  }

  read(max: number): void {
    for (const message of this.#watch?.read(max) ?? []) this.validator.message(message);
  }

  bookmark(): void {
    this.read(Number.POSITIVE_INFINITY);
    if (this.#watch !== undefined) this.validator.message(this.#watch.bookmark());
  }

  leave(): void {
    this.#watch?.close();
    this.#watch = undefined;
    this.validator.disconnected();
  }

  /** Comes back where it was; anew where that has expired, or as it likes. */
  join(isAnew: boolean): void {
    this.leave();
    const cursor = isAnew ? '' : this.validator.cursor;
    this.validator.connected(cursor);
    this.#watch = this.#host.watch(cursor, this.#ids);
    if (this.#watch === undefined) this.join(true);
  }

  /** From earlier than it had come to: what it knows comes again. */
  joinEarlier(): void {
    const [epoch, sequence] = this.validator.cursor.split('.');
    if (epoch !== this.#host.events.log.epoch || this.validator.epochs.at(-1) !== epoch) return;
    this.leave();
    const cursor = `${epoch}.${BigInt(sequence ?? 0) / 2n}`;
    this.validator.connected(cursor);
    this.#watch = this.#host.watch(cursor, this.#ids);
  }

  restart(): void {
    this.leave();
    this.#lives += 1n;
    this.#models.clear();
    this.#host = new WatchedHost({ epoch: this.#lives.toString(16).padStart(16, '0'), eventsMax: 20 });
  }

  /**
   * The watch may have been left behind by a log as short as this, so the last word is that of one
   * that has just joined.
   */
  finish(): void {
    this.join(false);
    this.bookmark();
    this.leave();
    this.validator.finish(this.#host.events.log.newest);
  }
}

const act = fc.oneof(
  { weight: 3, arbitrary: fc.constant((scene: Scene) => scene.open()) },
  {
    weight: 12,
    arbitrary: fc.tuple(fc.nat(), fc.constantFrom(...inputs)).map(
      ([which, input]) =>
        (scene: Scene) =>
          scene.input(which, input),
    ),
  },
  { weight: 5, arbitrary: fc.integer({ min: 1, max: 3 }).map((max) => (scene: Scene) => scene.read(max)) },
  { weight: 2, arbitrary: fc.constant((scene: Scene) => scene.bookmark()) },
  { weight: 1, arbitrary: fc.constant((scene: Scene) => scene.leave()) },
  { weight: 3, arbitrary: fc.nat(3).map((n) => (scene: Scene) => scene.join(n === 0)) },
  { weight: 1, arbitrary: fc.constant((scene: Scene) => scene.joinEarlier()) },
  { weight: 1, arbitrary: fc.nat(5).map((n) => (scene: Scene) => (n === 0 ? scene.restart() : undefined)) },
);

for (const ids of [undefined, ['session-1', 'session-3']]) {
  test(`a true host is never accused, whoever watches ${ids === undefined ? 'all of it' : 'a part of it'}`, (t) => {
    fc.assert(
      fc.property(fc.array(act, { maxLength: 80, size: 'max' }), (acts) => {
        const scene = new Scene(ids);
        for (const each of acts) each(scene);
        scene.finish();
      }),
      randomly(t, effort(2000)),
    );
    t.pass();
  });
}

/** The life of one session as its OpenSession stream tells it. */
function stream(first = 1): OpenSessionResponse[] {
  const host = new WatchedHost();
  host.open('one');
  host.open('two');
  host.in('one', arrives.started(), arrives.opened(), arrives.close(), arrives.closeReturned(), arrives.linkDown());
  return host.opened('one', first);
}

function validate(...streams: OpenSessionResponse[][]): string {
  const validator = new OpenStreamValidator();
  for (const [i, messages] of streams.entries()) {
    for (const message of messages) validator.message(message);
    if (i === streams.length - 1) validator.ended();
    else validator.disconnected();
  }
  try {
    validator.finish();
  } catch (error) {
    return (error as Error).message;
  }
  return '';
}

test('an OpenSession stream that tells a whole life breaks no promise', (t) => {
  t.is(validate(stream()), '');
});

test('streams that attach again, with what was last or what is new, break no promise', (t) => {
  t.is(validate(stream().slice(0, 2), stream(2)), '');
  t.is(validate(stream().slice(0, 2), stream(4)), '');
  t.is(validate(stream(), stream(4)), '');
});

test('what an OpenSession stream loses, repeats, or leaves out is found', (t) => {
  t.regex(validate(stream().toSpliced(1, 1)), /CLOSING of one: it can't come in OPENING/);
  t.regex(validate(stream().toSpliced(2, 0, ...stream().slice(1, 2))), /twice, or out of order/);
  t.regex(validate(stream().slice(0, 3)), /ended well, and the session has not ended/);
  t.regex(validate(stream().slice(0, 3), stream(1)), /twice, or out of order/);
  t.regex(validate([...stream(), ...stream(4)]), /an event after the end/);
  const beat = { event: undefined, cursor: '0123456789abcdef.9', hostTime: new Date() };
  t.regex(validate([beat]), /no event/);
  t.regex(validate([...stream(), beat]), /no event/);
  t.regex(validate(stream().toSpliced(2, 0, { ...beat, hostTime: undefined })), /no host_time/);
  t.is(validate(stream().toSpliced(2, 0, beat)), '', 'a heartbeat between two events');
});
