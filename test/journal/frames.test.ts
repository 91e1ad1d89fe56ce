import test from 'ava';
import fc from 'fast-check';
import { decodeFrames, encodeFrame, type Frame } from '../../service/journal/frames.js';
import { randomly } from '../session/seed.js';

const frame = fc.record({
  kind: fc.integer({ min: 1, max: 255 }),
  sequence: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
  timeMs: fc.double({ noNaN: true }),
  topic: fc.string({ unit: 'grapheme', maxLength: 40 }),
  payload: fc.uint8Array({ maxLength: 100 }),
});

/** As deepEqual compares them. */
const plain = (frames: readonly Frame[]) =>
  frames.map(({ kind, sequence, timeMs, topic, payload }) => ({
    kind,
    sequence,
    timeMs,
    topic,
    payload: [...payload],
  }));

test('frames are read as they were written', (t) => {
  fc.assert(
    fc.property(fc.array(frame), (frames) => {
      const { frames: read, end } = decodeFrames(Buffer.concat(frames.map(encodeFrame)));
      t.deepEqual(plain(read), plain(frames));
      t.is(end, 'WHOLE');
    }),
    randomly(t, 200),
  );
});

const three: Frame[] = [1, 2, 3].map((sequence) => ({
  kind: 2,
  sequence,
  timeMs: 1000 + sequence,
  topic: 'session-1',
  payload: Buffer.from(`event ${sequence}`),
}));
const bytes = Buffer.concat(three.map(encodeFrame));
const starts = [0, 1, 2, 3].map((count) =>
  three.slice(0, count).reduce((sum, each) => sum + encodeFrame(each).length, 0),
);

test('a file that was cut at any byte has the frames before it, and is torn unless the cut lies between two', (t) => {
  for (let length = 0; length <= bytes.length; length++) {
    const { frames, end, endsAt } = decodeFrames(bytes.subarray(0, length));
    const whole = starts.filter((start) => start > 0 && start <= length).length;
    t.deepEqual(plain(frames), plain(three.slice(0, whole)), `${length}`);
    t.is(end, starts.includes(length) ? 'WHOLE' : 'TORN', `${length}`);
    t.is(endsAt, starts[whole] ?? -1);
  }
});

test('a bit that was flipped anywhere is found: no frame from there on is read, and the end is never torn', (t) => {
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = Buffer.from(bytes);
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    const { frames, end } = decodeFrames(flipped);
    const before = starts.filter((start) => start > 0 && start <= bit >> 3).length;
    if (end !== 'DAMAGED' || frames.length !== before) t.fail(`bit ${bit}: ${end} after ${frames.length}`);
  }
  t.pass();
});

test('zeros after the last frame are a torn end: a power cut leaves them', (t) => {
  for (const count of [1, 11, 12, 4096]) {
    const { frames, end } = decodeFrames(Buffer.concat([bytes, Buffer.alloc(count)]));
    t.is(frames.length, 3);
    t.is(end, 'TORN', `${count}`);
  }
});
