/** What becomes of a status that grpc-js makes by itself. */
import { status } from '@grpc/grpc-js';
import test from 'ava';
import { refusals } from '../../service/grpc/refusals.js';
import { createLog } from '../../service/telemetry/log.js';
import { readError } from '../harness/calls.js';
import { KeptLog } from '../harness/kept-log.js';

async function explained(details: string) {
  const kept = new KeptLog();
  const log = await createLog({ level: 'debug', format: 'json', addresses: true }, kept);
  const outcome = refusals(1024, log)({ code: status.INTERNAL, details, metadata: null }, 'a.Service/Call', undefined);
  return { outcome, events: kept.all.map(({ event }) => event) };
}

test('a message that could not be written is no error of this host: its client has gone', async (t) => {
  const { outcome, events } = await explained('Internal server error');
  t.is(outcome.details, 'Internal server error');
  t.deepEqual(events, []);
});

test('any other INTERNAL is logged, and its client learns nothing of it', async (t) => {
  const { outcome, events } = await explained('a secret of the host');
  t.is(readError(outcome as Parameters<typeof readError>[0]).info?.reason, 'INTERNAL');
  t.notRegex(outcome.details ?? '', /secret/);
  t.deepEqual(events, ['rpc-failed']);
});
