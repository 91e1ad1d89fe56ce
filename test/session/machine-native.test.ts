/**
 * What the native API leaves undefined and the machine defines: the rows of the contract's table
 * that are its to keep. Those that are about threads, contexts and handles are tested on the real
 * ABI, in `lifecycle-native.test.ts`.
 */
import test from 'ava';
import { closeFault } from '../../service/session/transition.js';
import {
  after,
  arrives,
  CLOSE_TIMEOUT_MS,
  ERROR_CANCELLED,
  ERROR_GEN_FAILURE,
  ERROR_INVALID_HANDLE,
  Life,
  livesEnded,
} from './life.js';

const CLOSE = ['→ CloseSession', `→ SetTimer close ${CLOSE_TIMEOUT_MS}`];

test('a close "while a WFDStartOpenSession call is pending will not close the session": it is cancelled instead', (t) => {
  const life = new Life();
  life.in(arrives.started());
  t.deepEqual(life.in(arrives.close()), ['CANCELLING', '→ CancelOpen']);
  t.false(life.commands.includes('→ CloseSession'));
});

test('the close is issued if the open wins over the cancel', (t) => {
  const life = after(arrives.started(), arrives.close());
  t.deepEqual(life.in(arrives.opened()), ['CLOSING', ...CLOSE]);
});

test('a handle "that has become invalid will yield undefined results": it is closed once, whatever is asked', (t) => {
  const life = after(arrives.started(), arrives.opened());
  life.in(arrives.close(), arrives.close(), arrives.streamsEnded(), arrives.hostStopping(), arrives.linkDown());
  life.in(arrives.closeReturned(ERROR_GEN_FAILURE), arrives.close(), arrives.timer('close'), arrives.close());
  t.is(life.commands.filter((command) => command === '→ CloseSession').length, 1);
  t.is(life.session.state, 'CLOSED');
});

test('a handle is not closed after an open that failed, nor after the driver was lost', (t) => {
  for (const life of [livesEnded.FAILED(), livesEnded.CANCELLED(), livesEnded.LOST()]) {
    life.in(arrives.close(), arrives.hostStopping());
    t.false(life.commands.includes('→ CloseSession'), life.session.state);
  }
});

test('a close "queues a future work item": CLOSED waits for evidence, and says which', (t) => {
  const life = after(arrives.started(), arrives.opened(), arrives.close(), arrives.closeReturned());
  t.is(life.session.state, 'CLOSING');
  t.is(life.session.end, undefined);
  life.in(arrives.linkDown('DEVICE_DISCONNECTED'));
  t.is(life.session.end?.evidence, 'DEVICE_DISCONNECTED');
});

for (const isQueued of [false, true]) {
  const when = isQueued ? 'after Windows has queued its close' : 'while its close is under way';
  test(`who closes a session that is lost ${when} is told of the loss, and who asks later is not`, (t) => {
    const life = after(arrives.started(), arrives.opened(), arrives.close());
    if (isQueued) life.in(arrives.closeReturned());
    const asked = life.record;
    t.is(closeFault(asked, asked), undefined);
    life.in(arrives.handlesInvalidated());
    t.is(closeFault(asked, life.record)?.reason, 'WLAN_SERVICE_NOT_RUNNING');
    t.is(closeFault(life.record, life.record), undefined);
  });
}

test('who closes is told what Windows answered, and who asks later is not', (t) => {
  const life = after(arrives.started(), arrives.opened(), arrives.close());
  const asked = life.record;
  life.in(arrives.closeReturned(ERROR_GEN_FAILURE));
  t.is(closeFault(asked, life.record)?.reason, 'NATIVE_ERROR');
  t.is(closeFault(life.record, life.record), undefined);
});

test('after a cancel the callback "will still be called": the session is kept until it has come', (t) => {
  const life = after(arrives.started(), arrives.cancel(), arrives.cancelReturned());
  t.deepEqual(life.in(arrives.timer('open'), arrives.streamsEnded(), arrives.close(), arrives.hostStopping()), []);
  t.is(life.session.state, 'CANCELLING');
  t.deepEqual(life.in(arrives.openFailed(ERROR_CANCELLED)), ['CANCELLED', '→ Release']);
});

test('a cancel that Windows refuses changes nothing: the callback has the last word', (t) => {
  const life = after(arrives.started(), arrives.cancel());
  t.deepEqual(life.in(arrives.cancelReturned(ERROR_GEN_FAILURE)), []);
  t.deepEqual(life.in(arrives.opened()), ['CLOSING', ...CLOSE]);
});

test('a cancel of a handle that Windows does not know gives the callback a last while to come', (t) => {
  const won = after(arrives.started(), arrives.cancel());
  t.deepEqual(won.in(arrives.cancelReturned(ERROR_INVALID_HANDLE)), [`→ SetTimer cancel ${CLOSE_TIMEOUT_MS}`]);
  t.deepEqual(won.in(arrives.opened()), ['CLOSING', ...CLOSE]);
  t.deepEqual(won.in(arrives.timer('cancel')), []);
  const overtaken = after(arrives.started(), arrives.cancel(), arrives.cancelReturned(ERROR_INVALID_HANDLE));
  t.deepEqual(overtaken.in(arrives.openFailed(ERROR_CANCELLED)), ['CANCELLED', '→ Release']);
});

test('a session whose handle is not known and whose callback does not come is LOST, and waits no longer', (t) => {
  const life = after(arrives.started(), arrives.cancel(), arrives.cancelReturned(ERROR_INVALID_HANDLE));
  t.deepEqual(life.in(arrives.timer('cancel')), ['LOST', '→ Release']);
  t.is(life.session.end?.reason, 'DRIVER_LOST');
  t.is(life.session.end?.fault?.reason, 'NATIVE_HANDLE_LOST');
  t.like(life.events.at(-1)?.native, { function: 'WFDCancelOpenSession', code: ERROR_INVALID_HANDLE });
  t.deepEqual(life.in(arrives.opened()), []);
});

test('a lost link is PEER_DISCONNECTED, and its handle is released by one close', (t) => {
  const life = after(arrives.started(), arrives.opened());
  t.deepEqual(life.in(arrives.linkDown('INTERFACE_GONE')), ['CLOSING', ...CLOSE]);
  t.deepEqual(life.in(arrives.linkDown('DEVICE_DISCONNECTED'), arrives.closeReturned()), ['CLOSED', '→ Release']);
  t.is(life.session.end?.reason, 'PEER_DISCONNECTED');
  t.is(life.session.end?.evidence, 'DEVICE_DISCONNECTED');
});

test('the callback may come before WFDStartOpenSession returns: the session is open, and nothing is issued twice', (t) => {
  const life = new Life();
  t.deepEqual(life.in(arrives.opened()), ['OPENED']);
  t.deepEqual(life.in(arrives.started()), []);
  t.deepEqual(life.in(arrives.close()), ['CLOSING', ...CLOSE]);
});

test('a close of a session whose start has not returned is owed until it has', (t) => {
  const life = after(arrives.opened());
  t.deepEqual(life.in(arrives.close()), ['CLOSING']);
  t.deepEqual(life.in(arrives.timer('close')), []);
  t.deepEqual(life.in(arrives.started()), CLOSE);
});

test('a cancel before the start has returned is owed until it has', (t) => {
  const life = new Life();
  t.deepEqual(life.in(arrives.cancel()), ['CANCELLING']);
  t.deepEqual(life.in(arrives.started()), ['→ CancelOpen']);
});

test('a cancel that is owed is dropped when the callback comes first', (t) => {
  const failed = after(arrives.cancel());
  t.deepEqual(failed.in(arrives.openFailed(ERROR_CANCELLED)), ['CANCELLED', '→ Release']);
  t.deepEqual(failed.in(arrives.started()), []);
  const won = after(arrives.cancel());
  t.deepEqual(won.in(arrives.opened()), ['CLOSING']);
  t.deepEqual(won.in(arrives.started()), CLOSE);
  t.false(won.commands.includes('→ CancelOpen'));
});

test('the record says how far each native call has got', (t) => {
  const life = new Life();
  const states = () => {
    const { start, open, cancel, close } = life.record;
    return `start ${start.state}, open ${open}, cancel ${cancel.state}, close ${close.state}`;
  };
  t.is(states(), 'start issued, open pending, cancel none, close none');
  life.in(arrives.cancel());
  t.is(states(), 'start issued, open pending, cancel owed, close none');
  life.in(arrives.started());
  t.is(states(), 'start returned, open pending, cancel issued, close none');
  life.in(arrives.cancelReturned(ERROR_GEN_FAILURE));
  t.is(states(), 'start returned, open pending, cancel returned, close none');
  t.is(life.record.cancel.outcome?.result.code, ERROR_GEN_FAILURE);
  life.in(arrives.opened());
  t.is(states(), 'start returned, open succeeded, cancel returned, close issued');
  life.in(arrives.closeReturned());
  t.is(states(), 'start returned, open succeeded, cancel returned, close returned');
  t.is(life.record.close.outcome?.fault, undefined);
});

test('a cancel that is owed when the open succeeds is owed no longer', (t) => {
  const life = after(arrives.cancel(), arrives.opened());
  t.is(life.record.cancel.state, 'none');
  t.is(life.record.close.state, 'owed');
});

test('a start that fails after a cancel leaves nothing to wait for', (t) => {
  const life = after(arrives.cancel());
  t.deepEqual(life.in(arrives.started(ERROR_GEN_FAILURE)), ['CANCELLED', '→ Release']);
  t.is(life.session.end?.reason, 'CANCELLED');
  t.false(life.commands.includes('→ CancelOpen'));
});

test('on shutdown a pending open is cancelled and an open session closed, each once', (t) => {
  const opening = after(arrives.started());
  t.deepEqual(opening.in(arrives.hostStopping(), arrives.hostStopping()), ['CANCELLING', '→ CancelOpen']);
  const open = after(arrives.started(), arrives.opened());
  t.deepEqual(open.in(arrives.hostStopping(), arrives.hostStopping()), ['CLOSING', ...CLOSE]);
});

test('an open is completed once: what comes again changes nothing', (t) => {
  const life = after(arrives.started(), arrives.opened());
  t.deepEqual(life.in(arrives.opened(), arrives.openFailed()), []);
  t.is(life.session.state, 'OPEN');
});
