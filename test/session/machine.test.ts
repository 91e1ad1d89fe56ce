/**
 * Every edge of the life diagram, as a sentence. The orders in which things may arrive are in
 * `machine-orders.test.ts`.
 */
import test from 'ava';
import {
  after,
  arrives,
  by,
  CLOSE_TIMEOUT_MS,
  ERROR_CANCELLED,
  ERROR_INVALID_HANDLE,
  ERROR_SERVICE_NOT_ACTIVE,
  LEASE_MS,
  Life,
  livesEnded,
  livesIn,
  networkInterface,
  OPEN_TIMEOUT_MS,
  RPC_S_CALL_FAILED,
  START_MS,
} from './life.js';

const CLOSE = ['→ CloseSession', `→ SetTimer close ${CLOSE_TIMEOUT_MS}`];

test('a session begins OPENING: the open is started and timed, and the event says who asked', (t) => {
  const { session, events, commands } = new Life({ requestId: 'r-1' });
  t.deepEqual(commands, ['→ StartOpen', `→ SetTimer open ${OPEN_TIMEOUT_MS}`]);
  t.deepEqual(events, [
    { type: 'OPENING', timeMs: START_MS, steadyMs: 0, session, cause: by('OpenSession', 'r-1'), native: undefined },
  ]);
  t.is(session.state, 'OPENING');
  t.is(session.createTimeMs, START_MS);
  t.is(session.leaseExpireTimeMs, undefined);
});

test('a session with a lease begins with its lease running', (t) => {
  const { session, commands } = Life.leased();
  t.true(commands.includes(`→ SetTimer lease ${LEASE_MS}`));
  t.is(session.leaseExpireTimeMs, START_MS + LEASE_MS);
});

test('that the start has returned is no event', (t) => {
  t.deepEqual(new Life().in(arrives.started()), []);
});

test('OPENING → OPEN: the callback says success, and the interface is set', (t) => {
  const life = livesIn.OPENING();
  t.deepEqual(life.in(arrives.opened()), ['OPENED']);
  t.is(life.session.state, 'OPEN');
  t.deepEqual(life.session.networkInterface, networkInterface);
  t.is(life.session.openTimeMs, life.nowMs);
  t.is(life.events.at(-1)?.native?.function, 'WFD_OPEN_SESSION_COMPLETE_CALLBACK');
  t.is(life.events.at(-1)?.cause.source, 'NATIVE');
});

test('OPENING → FAILED: the callback says error; the end tells code and reason', (t) => {
  const life = livesIn.OPENING();
  t.deepEqual(life.in(arrives.openFailed()), ['FAILED', '→ Release']);
  const { state, end, endTimeMs, networkInterface: link } = life.session;
  t.is(state, 'FAILED');
  t.is(endTimeMs, life.nowMs);
  t.is(link, undefined);
  t.is(end?.reason, 'OPEN_FAILED');
  t.is(end?.evidence, undefined);
  t.is(end?.fault?.reason, 'OPEN_FAILED');
  t.like(end?.fault?.metadata, { win32_code: '31', reason_code: String(0x38002), reason_text: 'the peer said no' });
  t.is(life.events.at(-1)?.native?.code, 31);
});

test('OPENING → FAILED: the start itself is refused', (t) => {
  const life = new Life();
  t.deepEqual(life.in(arrives.started(ERROR_SERVICE_NOT_ACTIVE)), ['FAILED', '→ Release']);
  t.is(life.session.end?.fault?.reason, 'WLAN_SERVICE_NOT_RUNNING');
});

test('OPENING → LOST: the start finds that Windows no longer knows the client handle', (t) => {
  const life = new Life();
  t.deepEqual(life.in(arrives.started(ERROR_INVALID_HANDLE)), ['LOST', '→ Release']);
  t.is(life.session.end?.reason, 'DRIVER_LOST');
  t.is(life.session.end?.fault?.reason, 'NATIVE_HANDLE_LOST');
});

const stops = [
  { reason: 'CANCELLED', input: arrives.cancel('c-1'), source: 'CLIENT' },
  { reason: 'REQUESTED', input: arrives.close('c-1'), source: 'CLIENT' },
  { reason: 'OPEN_TIMED_OUT', input: arrives.timer('open'), source: 'TIMEOUT' },
  { reason: 'STREAM_ENDED', input: arrives.streamsEnded(), source: 'STREAM_LOST' },
  { reason: 'HOST_STOPPING', input: arrives.hostStopping(), source: 'SHUTDOWN' },
] as const;

for (const { reason, input, source } of stops) {
  test(`OPENING → CANCELLING → CANCELLED: ${reason}`, (t) => {
    const life = livesIn.OPENING();
    t.deepEqual(life.in(input), ['CANCELLING', '→ CancelOpen']);
    t.is(life.events.at(-1)?.cause.source, source);
    t.deepEqual(life.in(arrives.cancelReturned()), []);
    t.deepEqual(life.in(arrives.openFailed(ERROR_CANCELLED)), ['CANCELLED', '→ Release']);
    t.is(life.session.end?.reason, reason);
    t.is(life.session.end?.evidence, undefined);
    t.is(life.events.at(-1)?.cause.source, source, 'the end is told with the cause that began it');
    t.is(life.events.at(-1)?.native?.code, ERROR_CANCELLED);
    t.is(life.session.openTimeMs, undefined);
    t.is(life.session.closeTimeMs, undefined);
  });

  test(`CANCELLING → CLOSING → CLOSED: ${reason}, but the open won`, (t) => {
    const life = livesIn.OPENING();
    life.in(input);
    t.deepEqual(life.in(arrives.opened()), ['CLOSING', ...CLOSE]);
    t.is(life.session.closeTimeMs, life.nowMs);
    t.is(life.session.openTimeMs, undefined, 'a success after a cancel is never handed out');
    t.deepEqual(life.in(arrives.closeReturned(), arrives.linkDown()), ['CLOSED', '→ Release']);
    t.is(life.session.end?.reason, reason);
    t.is(life.events.at(-1)?.cause.source, source);
  });
}

test('an open that has timed out says so in its error, however it ends', (t) => {
  const cancelled = after(arrives.started(), arrives.timer('open'), arrives.openFailed(ERROR_CANCELLED));
  t.is(cancelled.session.end?.fault?.reason, 'OPEN_TIMED_OUT');
  const won = after(arrives.started(), arrives.timer('open'), arrives.opened());
  won.in(arrives.closeReturned(), arrives.linkDown());
  t.is(won.session.end?.fault?.reason, 'OPEN_TIMED_OUT');
});

test('an end that was wished for has no error', (t) => {
  for (const { reason, input } of stops) {
    if (reason === 'OPEN_TIMED_OUT') continue;
    const { session } = after(arrives.started(), input, arrives.openFailed(ERROR_CANCELLED));
    t.is(session.end?.fault, undefined, reason);
  }
});

const closes = [
  { reason: 'REQUESTED', input: arrives.close('c-2'), source: 'CLIENT' },
  { reason: 'STREAM_ENDED', input: arrives.streamsEnded(), source: 'STREAM_LOST' },
  { reason: 'HOST_STOPPING', input: arrives.hostStopping(), source: 'SHUTDOWN' },
  { reason: 'PEER_DISCONNECTED', input: arrives.linkDown('INTERFACE_GONE'), source: 'PEER' },
] as const;

for (const { reason, input, source } of closes) {
  test(`OPEN → CLOSING → CLOSED: ${reason}`, (t) => {
    const life = livesIn.OPEN();
    t.deepEqual(life.in(input), ['CLOSING', ...CLOSE]);
    t.is(life.events.at(-1)?.cause.source, source);
    t.is(life.session.closeTimeMs, life.nowMs);
    life.in(arrives.closeReturned(), arrives.linkDown('INTERFACE_GONE'));
    t.is(life.session.state, 'CLOSED');
    t.is(life.session.end?.reason, reason);
    t.is(life.session.end?.evidence, 'INTERFACE_GONE');
    t.deepEqual(life.session.networkInterface, networkInterface, 'the interface is kept after the end');
    t.is(life.events.at(-1)?.cause.source, source);
    t.is(life.events.at(-1)?.native?.function, 'WFDCloseSession');
  });
}

for (const state of ['OPENING', 'OPEN'] as const) {
  test(`${state}: the lease lapses, and the lapse is an event before the one that follows from it`, (t) => {
    const life = Life.leased();
    life.in(arrives.started());
    if (state === 'OPEN') life.in(arrives.opened());
    const [lapse, ...follows] = life.in(arrives.timer('lease'));
    t.is(lapse, 'LEASE_EXPIRED');
    t.deepEqual(follows, state === 'OPEN' ? ['CLOSING', ...CLOSE] : ['CANCELLING', '→ CancelOpen']);
    t.deepEqual(
      life.events.slice(-2).map(({ session, cause }) => [session.state, cause.source]),
      [
        [state, 'LEASE'],
        [state === 'OPEN' ? 'CLOSING' : 'CANCELLING', 'LEASE'],
      ],
    );
    life.in(state === 'OPEN' ? arrives.closeReturned() : arrives.openFailed(ERROR_CANCELLED), arrives.linkDown());
    t.is(life.session.end?.reason, 'LEASE_EXPIRED');
  });
}

test('a session with a lease outlives its streams, in every state', (t) => {
  const life = Life.leased();
  t.deepEqual(life.in(arrives.streamsEnded(), arrives.started(), arrives.streamsEnded()), []);
  t.deepEqual(life.in(arrives.opened(), arrives.streamsEnded()), ['OPENED']);
});

test('CLOSING → CLOSED: the close has returned, then the disconnection is seen', (t) => {
  const life = livesIn.CLOSING();
  t.deepEqual(life.in(arrives.closeReturned()), []);
  t.deepEqual(life.in(arrives.linkDown('INTERFACE_DOWN')), ['CLOSED', '→ Release']);
  t.is(life.session.end?.evidence, 'INTERFACE_DOWN');
});

test('CLOSING → CLOSED: the disconnection is seen before the close has returned, which is waited for', (t) => {
  const life = livesIn.CLOSING();
  t.deepEqual(life.in(arrives.linkDown('INTERFACE_DOWN')), []);
  t.deepEqual(life.in(arrives.closeReturned()), ['CLOSED', '→ Release']);
  t.is(life.session.end?.evidence, 'INTERFACE_DOWN');
});

test('CLOSING → CLOSED: nothing is seen in time, and the end says UNCONFIRMED', (t) => {
  const life = livesIn.CLOSING();
  t.deepEqual(life.in(arrives.closeReturned(), arrives.timer('close')), ['CLOSED', '→ Release']);
  t.is(life.session.end?.evidence, 'UNCONFIRMED');
  t.is(life.session.end?.fault, undefined);
});

test('CLOSING → CLOSED: the native close has not even returned in time', (t) => {
  const silent = livesIn.CLOSING();
  t.deepEqual(silent.in(arrives.timer('close')), ['CLOSED', '→ Release']);
  t.is(silent.session.end?.evidence, 'UNCONFIRMED');
  const seen = livesIn.CLOSING();
  seen.in(arrives.linkDown('INTERFACE_GONE'), arrives.timer('close'));
  t.is(seen.session.end?.evidence, 'INTERFACE_GONE');
});

for (const [state, make] of Object.entries(livesIn)) {
  test(`${state} → LOST: the WLAN service or the client handle is gone`, (t) => {
    const life = make();
    t.deepEqual(life.in(arrives.handlesInvalidated()), ['LOST', '→ Release']);
    t.is(life.session.end?.reason, 'DRIVER_LOST');
    t.is(life.session.end?.evidence, undefined);
    t.is(life.session.end?.fault?.reason, 'WLAN_SERVICE_NOT_RUNNING');
    t.is(life.events.at(-1)?.cause.source, 'DRIVER');
    t.is(life.session.endTimeMs, life.nowMs);
  });
}

for (const code of [ERROR_INVALID_HANDLE, ERROR_SERVICE_NOT_ACTIVE, RPC_S_CALL_FAILED]) {
  test(`CLOSING → LOST: the close returns ${code}, so the handle or the service is gone`, (t) => {
    const life = livesIn.CLOSING();
    t.deepEqual(life.in(arrives.closeReturned(code)), ['LOST', '→ Release']);
    t.is(life.session.end?.fault?.native?.code, code);
    t.is(life.record.close.outcome?.fault?.native?.code, code, 'whoever asked for the close is told of it');
  });
}

for (const [state, make] of Object.entries(livesEnded)) {
  test(`${state} is final: whatever arrives, nothing happens any more`, (t) => {
    const life = make();
    const { session } = life;
    t.is(session.state, state as typeof session.state);
    const late = [
      arrives.close(),
      arrives.streamsEnded(),
      arrives.hostStopping(),
      arrives.timer('open'),
      arrives.timer('lease'),
      arrives.timer('close'),
      arrives.started(),
      arrives.opened(),
      arrives.openFailed(),
      arrives.cancelReturned(),
      arrives.closeReturned(),
      arrives.linkDown(),
      arrives.addresses('192.168.1.2'),
      arrives.handlesInvalidated(),
    ];
    t.deepEqual(life.in(...late), []);
    t.is(life.session, session);
  });
}
