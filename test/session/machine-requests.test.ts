/** What clients may ask of a session in each state, and what asking again comes to. */
import test from 'ava';
import {
  arrives,
  ERROR_CANCELLED,
  ERROR_GEN_FAILURE,
  LEASE_MS,
  Life,
  livesEnded,
  livesIn,
  networkInterface,
} from './life.js';

test('a cancel of an open session is refused, with its state', (t) => {
  const life = livesIn.OPEN();
  t.deepEqual(life.in(arrives.cancel()), ['refused SESSION_STATE_INVALID']);
  t.deepEqual(life.lastStep.refusal?.metadata, { session_id: 'session-1', state: 'OPEN' });
  t.is(life.session.state, 'OPEN');
});

test('a cancel of a session that is being closed, was closed, failed or is lost is refused', (t) => {
  for (const make of [livesIn.CLOSING, livesEnded.CLOSED, livesEnded.FAILED, livesEnded.LOST]) {
    const life = make();
    const { state } = life.session;
    t.deepEqual(life.in(arrives.cancel()), ['refused SESSION_STATE_INVALID'], state);
    t.is(life.lastStep.refusal?.metadata?.['state'], state);
  }
});

test('cancelling twice is cancelling once', (t) => {
  const life = livesIn.CANCELLING();
  t.deepEqual(life.in(arrives.cancel(), arrives.cancel()), []);
  life.in(arrives.openFailed(ERROR_CANCELLED));
  t.deepEqual(life.in(arrives.cancel()), []);
});

test('a cancel that came too late may be repeated while the session closes, and after', (t) => {
  const life = livesIn.CANCELLING();
  life.in(arrives.opened());
  t.deepEqual(life.in(arrives.cancel()), []);
  life.in(arrives.closeReturned(), arrives.linkDown());
  t.is(life.session.end?.reason, 'CANCELLED');
  t.deepEqual(life.in(arrives.cancel()), []);
});

test('a cancelled session that is then lost was not cancelled', (t) => {
  const life = livesIn.CANCELLING();
  life.in(arrives.handlesInvalidated());
  t.is(life.session.end?.reason, 'DRIVER_LOST');
  t.deepEqual(life.in(arrives.cancel()), ['refused SESSION_STATE_INVALID']);
});

test('a close is accepted in every state', (t) => {
  for (const make of [...Object.values(livesIn), ...Object.values(livesEnded)]) {
    t.is(make().in(arrives.close()).join(' ').includes('refused'), false);
  }
});

test('closing twice is closing once', (t) => {
  const life = livesIn.CLOSING();
  t.deepEqual(life.in(arrives.close(), arrives.closeReturned(), arrives.close()), []);
});

test('a session ends for the first reason that came', (t) => {
  const life = livesIn.OPENING();
  life.in(arrives.cancel('first'), arrives.close('second'), arrives.timer('open'), arrives.hostStopping());
  life.in(arrives.opened(), arrives.close('third'), arrives.closeReturned(), arrives.linkDown());
  t.is(life.session.end?.reason, 'CANCELLED');
  t.is(life.events.at(-1)?.cause.requestId, 'first');
  t.deepEqual(
    life.events.map(({ type }) => type),
    ['OPENING', 'CANCELLING', 'CLOSING', 'CLOSED'],
  );
});

test('a renewal counts from now, with the ttl that the session has', (t) => {
  const life = Life.leased();
  t.deepEqual(life.in(arrives.renew()), ['LEASE_RENEWED', `→ SetTimer lease ${LEASE_MS}`]);
  t.is(life.session.leaseExpireTimeMs, life.nowMs + LEASE_MS);
  t.is(life.events.at(-1)?.cause.rpc, 'wifidirect.v1.SessionService/RenewSession');
});

test('a renewal with a ttl of its own may shorten the lease, and gives the session that ttl', (t) => {
  const life = Life.leased();
  t.deepEqual(life.in(arrives.renew(2000)), ['LEASE_RENEWED', '→ SetTimer lease 2000']);
  t.is(life.session.leaseExpireTimeMs, life.nowMs + 2000);
  t.deepEqual(life.in(arrives.renew()), ['LEASE_RENEWED', '→ SetTimer lease 2000']);
});

test('a session without a lease has none to renew, in whatever state', (t) => {
  for (const make of [...Object.values(livesIn), ...Object.values(livesEnded)]) {
    const life = make();
    t.deepEqual(life.in(arrives.renew(5000)), ['refused SESSION_STATE_INVALID']);
    t.regex(life.lastStep.refusal?.message ?? '', /has no lease/);
    t.is(life.session.leaseExpireTimeMs, undefined);
  }
});

test('a session on its way out can no longer be renewed, and its lease no longer lapses', (t) => {
  const cancelling = Life.leased();
  cancelling.in(arrives.started(), arrives.cancel());
  const closing = Life.leased();
  closing.in(arrives.started(), arrives.opened(), arrives.close());
  const closed = Life.leased();
  closed.in(arrives.started(), arrives.opened(), arrives.close(), arrives.closeReturned(), arrives.linkDown());
  for (const life of [cancelling, closing, closed]) {
    t.deepEqual(life.in(arrives.renew(5000)), ['refused SESSION_STATE_INVALID'], life.session.state);
    t.regex(life.lastStep.refusal?.message ?? '', new RegExp(`is ${life.session.state} and can no longer be renewed`));
    t.deepEqual(life.in(arrives.timer('lease')), []);
  }
});

test('the timer of the open means nothing once it is open', (t) => {
  t.deepEqual(livesIn.OPEN().in(arrives.timer('open')), []);
  t.deepEqual(livesIn.CLOSING().in(arrives.timer('open')), []);
  t.deepEqual(livesIn.CANCELLING().in(arrives.timer('open')), []);
});

test('the timer of the close means nothing before the close was issued', (t) => {
  for (const make of [livesIn.OPENING, livesIn.OPEN, livesIn.CANCELLING]) {
    t.deepEqual(make().in(arrives.timer('close')), []);
  }
});

test('an address that comes late is an event of the open session, and of no other', (t) => {
  const life = livesIn.OPEN();
  t.deepEqual(life.in(arrives.addresses('192.168.137.1')), ['NETWORK_INTERFACE_CHANGED']);
  t.deepEqual(life.session.networkInterface, { ...networkInterface, localAddresses: ['192.168.137.1'] });
  t.is(life.session.state, 'OPEN');
  life.in(arrives.close());
  t.deepEqual(life.in(arrives.addresses()), []);
  t.deepEqual(life.session.networkInterface?.localAddresses, ['192.168.137.1']);
});

test('a link can only be found down that stands or is being closed', (t) => {
  for (const make of [livesIn.OPENING, livesIn.CANCELLING]) {
    const life = make();
    t.deepEqual(life.in(arrives.linkDown()), []);
    life.in(arrives.opened(), arrives.close(), arrives.closeReturned());
    t.is(life.session.state, 'CLOSING', 'what was seen before it stood is no evidence');
  }
});

test('what the native close said counts only where nothing was seen of the disconnection', (t) => {
  const unconfirmed = livesIn.CLOSING();
  unconfirmed.in(arrives.closeReturned(ERROR_GEN_FAILURE), arrives.timer('close'));
  t.is(unconfirmed.session.end?.evidence, 'UNCONFIRMED');
  t.is(unconfirmed.session.end?.fault?.reason, 'NATIVE_ERROR');
  t.is(unconfirmed.session.end?.reason, 'REQUESTED');
  const seen = livesIn.CLOSING();
  seen.in(arrives.closeReturned(ERROR_GEN_FAILURE), arrives.linkDown());
  t.is(seen.session.end?.fault, undefined);
  t.is(seen.events.at(-1)?.native?.code, ERROR_GEN_FAILURE);
});
