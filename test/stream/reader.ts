/**
 * A client as a program, so that it can be frozen and killed: `node reader.js ADDRESS SESSION
 * DEVICE WATCHES`. It opens a session that lives with its stream and watches so many times, with
 * windows so wide that it never holds the server back. One watch is resumed when it breaks off. It
 * says `ready` once all stand, and `reached CURSOR` for each cursor that it is given, when that one
 * has come to it.
 */
import { createInterface } from 'node:readline';
import { StreamValidator } from '../harness/validator.js';
import { RawConnection, sequenceOf } from './raw-client.js';

const WIDE_BYTES = 2 ** 31 - 1;
const [address = '', sessionId = '', deviceAddress = '', watches = ''] = process.argv.slice(2);
const validator = new StreamValidator();
const wanted = new Set<string>();

function check(): void {
  for (const cursor of wanted) {
    if (validator.cursor === '' || sequenceOf(validator.cursor) < sequenceOf(cursor)) continue;
    wanted.delete(cursor);
    validator.finish(sequenceOf(cursor));
    console.log(`reached ${cursor}`);
  }
}

/** Watches until the stream breaks off; `stands` is told when the server has answered. */
async function watch(connection: RawConnection, stands: () => void): Promise<void> {
  const stream = connection.watch({ cursor: validator.cursor, bookmarkInterval: { seconds: 1n } });
  validator.connected(validator.cursor);
  stream.read((message) => {
    validator.message(message);
    check();
  });
  void stream.headers.then(stands);
  await stream.ended;
  validator.disconnected();
}

const connection = await RawConnection.open(address, { windowBytes: WIDE_BYTES });
const others = Array.from({ length: Number(watches) - 1 }, () => connection.watch());
const session = connection.openSession({ sessionId, deviceAddress });
for (const stream of [...others, session]) stream.read(() => {});
createInterface({ input: process.stdin }).on('line', (cursor) => {
  wanted.add(cursor);
  check();
});
await Promise.all([...others, session].map(({ headers }) => headers));
let hasSaid = false;
const sayReady = () => {
  if (!hasSaid) console.log('ready');
  hasSaid = true;
};
await watch(connection, sayReady);
for (;;) await watch(await RawConnection.open(address), sayReady);
