/** Listing sessions: pages (AIP-158), filters, and cursors that are true. */
import { status } from '@grpc/grpc-js';
import test from 'ava';
import { SessionState } from '../../proto/gen/wifidirect/v1/session.js';
import { ListSessionsRequest } from '../../proto/gen/wifidirect/v1/session_service.js';
import { call, failure } from '../harness/calls.js';
import { display, gatewayForThisFile, robot, scanner } from '../harness/gateway.js';

const gateway = gatewayForThisFile('--set', 'session.closeTimeoutMs=300');

function list(fields: Parameters<typeof ListSessionsRequest.fromPartial>[0]) {
  return call(gateway().sessions.listSessions.bind(gateway().sessions), ListSessionsRequest.fromPartial(fields));
}

test.serial('pages come in the order of creation and hold every session once', async (t) => {
  const opened = [];
  for (const sessionId of ['page-1', 'page-2', 'page-3', 'page-4', 'page-5']) {
    opened.push(await gateway().openSession({ deviceAddress: scanner, sessionId }));
  }
  const ids: string[] = [];
  let pageToken = '';
  do {
    const page = await list({ pageSize: 2, pageToken, deviceAddress: scanner });
    t.true(page.sessions.length <= 2);
    ids.push(...page.sessions.map(({ sessionId }) => sessionId));
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  t.deepEqual(ids, ['page-1', 'page-2', 'page-3', 'page-4', 'page-5']);
  for (const { id } of opened) await gateway().close(id, { waitForDisconnect: true });
});

test.serial('a filter on state and device leaves out the others', async (t) => {
  await gateway().open({ deviceAddress: robot }).status();
  const { id } = await gateway().openSession({ deviceAddress: display });
  const open = await list({ states: [SessionState.OPEN] });
  t.deepEqual(
    open.sessions.map(({ sessionId }) => sessionId),
    [id],
  );
  const failed = await list({ states: [SessionState.FAILED], deviceAddress: robot });
  t.is(failed.sessions.length, 1);
  await gateway().close(id, { waitForDisconnect: true });
});

test.serial('the cursor of an answer is one that a watcher passes', async (t) => {
  const watcher = gateway().watch();
  const { id } = await gateway().openSession({ deviceAddress: display });
  const { cursor } = await list({});
  const sequence = (text: string) => Number(text.split('.')[1]);
  await watcher.first((message) => message.cursor !== '' && sequence(message.cursor) >= sequence(cursor));
  t.true(watcher.typesOf(id).includes('OPENED'));
  watcher.cancel();
  await gateway().close(id, { waitForDisconnect: true });
});

test.serial('bad pages and filters are named', async (t) => {
  const bad: readonly [string, Parameters<typeof list>[0]][] = [
    ['page_size', { pageSize: -1 }],
    ['page_token', { pageToken: 'garbage' }],
    ['states[0]', { states: [77 as SessionState] }],
    ['device_address', { deviceAddress: 'x' }],
  ];
  for (const [field, fields] of bad) {
    const error = await failure(list(fields));
    t.is(error.code, status.INVALID_ARGUMENT);
    t.deepEqual(error.fields, [field]);
  }
});
