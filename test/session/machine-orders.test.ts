/**
 * Every order of arrival: the start's return, the callback, and one or two reasons to end, in each
 * permutation, with each outcome. What must come of an order follows from three questions, which
 * this file answers by position and the machine by its rules: had a reason to end come before the
 * open was decided, could the handle be used by then, and did the open succeed?
 */
import test from 'ava';
import type { SessionInput } from '../../service/session/session.js';
import { arrives, ERROR_CANCELLED, ERROR_GEN_FAILURE, Life } from './life.js';

/** What ends a session, by the reason of the end; whether it can end an open one too. */
const reasons = {
  CANCELLED: { input: arrives.cancel(), endsOpen: false },
  REQUESTED: { input: arrives.close(), endsOpen: true },
  OPEN_TIMED_OUT: { input: arrives.timer('open'), endsOpen: false },
  LEASE_EXPIRED: { input: arrives.timer('lease'), endsOpen: true },
  STREAM_ENDED: { input: arrives.streamsEnded(), endsOpen: true },
  HOST_STOPPING: { input: arrives.hostStopping(), endsOpen: true },
} as const;
type Reason = keyof typeof reasons;

/** How the open goes: what the start and the callback say. A start that fails has no callback. */
const opens = {
  succeeds: { started: arrives.started(), completed: arrives.opened() },
  fails: { started: arrives.started(), completed: arrives.openFailed(ERROR_CANCELLED) },
  'is refused': { started: arrives.started(ERROR_GEN_FAILURE), completed: undefined },
} as const;
type Outcome = keyof typeof opens;

type Arrival = 'started' | 'completed' | Reason;

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length <= 1) return [[...items]];
  return items.flatMap((item, i) => permutations(items.toSpliced(i, 1)).map((rest) => [item, ...rest]));
}

function inputOf(arrival: Arrival, outcome: Outcome): SessionInput {
  if (arrival !== 'started' && arrival !== 'completed') return reasons[arrival].input;
  const input = opens[outcome][arrival];
  if (input === undefined) throw new Error('a refused start has no callback');
  return input;
}

function begin(order: readonly Arrival[]): Life {
  return order.includes('LEASE_EXPIRED') ? Life.leased() : new Life();
}

/**
 * Runs an order to its end: the native close returns once it is called, and the link is then seen
 * going down.
 */
function run(order: readonly Arrival[], outcome: Outcome): Life {
  const life = begin(order);
  for (const arrival of order) life.in(inputOf(arrival, outcome));
  if (life.commands.includes('→ CloseSession')) life.in(arrives.closeReturned(), arrives.linkDown());
  return life;
}

interface Expected {
  readonly events: readonly string[];
  readonly reason: string | undefined;
  readonly natives: readonly string[];
}

function expected(order: readonly Arrival[], outcome: Outcome): Expected {
  const isDecisive = (arrival: Arrival) => arrival === (outcome === 'is refused' ? 'started' : 'completed');
  const decidedAt = order.findIndex(isDecisive);
  const startedAt = order.indexOf('started');
  const hasLease = order.includes('LEASE_EXPIRED');
  const counts = (arrival: Arrival): arrival is Reason =>
    arrival in reasons && !(hasLease && arrival === 'STREAM_ENDED');

  const early = order.slice(0, decidedAt).find(counts);
  const lapse = (reason: Reason) => (reason === 'LEASE_EXPIRED' ? ['LEASE_EXPIRED'] : []);
  if (early !== undefined) {
    const askedAt = order.indexOf(early);
    const isCancelUsable = outcome !== 'is refused' && Math.max(askedAt, startedAt) < decidedAt;
    const cancel = isCancelUsable ? ['→ CancelOpen'] : [];
    const begin = ['OPENING', ...lapse(early), 'CANCELLING'];
    return outcome === 'succeeds'
      ? { events: [...begin, 'CLOSING', 'CLOSED'], reason: early, natives: [...cancel, '→ CloseSession'] }
      : { events: [...begin, 'CANCELLED'], reason: early, natives: cancel };
  }
  if (outcome !== 'succeeds') return { events: ['OPENING', 'FAILED'], reason: 'OPEN_FAILED', natives: [] };
  const late = order
    .slice(decidedAt)
    .find((arrival): arrival is Reason => counts(arrival) && reasons[arrival].endsOpen);
  if (late === undefined) return { events: ['OPENING', 'OPENED'], reason: undefined, natives: [] };
  return {
    events: ['OPENING', 'OPENED', ...lapse(late), 'CLOSING', 'CLOSED'],
    reason: late,
    natives: ['→ CloseSession'],
  };
}

const nativeCalls = (life: Life) => life.commands.filter((c) => c === '→ CancelOpen' || c === '→ CloseSession');
const eventTypes = (life: Life) => life.events.map(({ type }) => type as string);

const pairs: readonly (readonly Reason[])[] = (Object.keys(reasons) as Reason[]).flatMap((first, i, all) => [
  [first],
  ...all.slice(i + 1).map((second) => [first, second]),
]);

for (const outcome of Object.keys(opens) as Outcome[]) {
  test(`an open that ${outcome} comes to the same in every order of its arrivals and of the reasons to end it`, (t) => {
    const natives: Arrival[] = outcome === 'is refused' ? ['started'] : ['started', 'completed'];
    let orders = 0;
    for (const asked of pairs) {
      for (const order of permutations<Arrival>([...natives, ...asked])) {
        const life = run(order, outcome);
        const { events, reason, natives: calls } = expected(order, outcome);
        const told = `${order.join(', ')}: ${outcome}`;
        t.deepEqual(eventTypes(life), events, told);
        t.is(life.session.end?.reason, reason as typeof reason & never, told);
        t.deepEqual(nativeCalls(life), calls, told);
        orders += 1;
      }
    }
    t.log(`${orders} orders`);
  });

  test(`an open that ${outcome} ends LOST wherever the driver is lost before its end, and no native call follows`, (t) => {
    const natives: Arrival[] = outcome === 'is refused' ? ['started'] : ['started', 'completed'];
    for (const reason of Object.keys(reasons) as Reason[]) {
      for (const order of permutations<Arrival>([...natives, reason])) {
        for (let at = 0; at <= order.length; at += 1) {
          const life = begin(order);
          for (const arrival of order.slice(0, at)) life.in(inputOf(arrival, outcome));
          const wasOver = life.session.end !== undefined;
          const calls = nativeCalls(life);
          life.in(arrives.handlesInvalidated(), ...order.slice(at).map((arrival) => inputOf(arrival, outcome)));
          const told = `${order.slice(0, at).join(', ')} | lost | ${order.slice(at).join(', ')}: ${outcome}`;
          t.deepEqual(nativeCalls(life), calls, told);
          t.is(life.session.end?.reason === 'DRIVER_LOST', !wasOver, told);
          t.is(life.events.filter(({ session }) => session.end !== undefined).length, 1, told);
        }
      }
    }
  });
}

test('a link that goes down around a close ends the session once, in every order', (t) => {
  const arrivals = [arrives.close(), arrives.linkDown(), arrives.started()];
  for (const order of permutations(arrivals)) {
    const life = new Life();
    life.in(arrives.opened(), ...order);
    const told = order.map(({ type }) => type).join(', ');
    t.deepEqual(nativeCalls(life), ['→ CloseSession'], told);
    life.in(arrives.closeReturned(), arrives.linkDown());
    t.deepEqual(eventTypes(life), ['OPENING', 'OPENED', 'CLOSING', 'CLOSED'], told);
    const isPeer =
      order.findIndex(({ type }) => type === 'LinkDown') < order.findIndex(({ type }) => type === 'CloseRequested');
    t.is(life.session.end?.reason, isPeer ? 'PEER_DISCONNECTED' : 'REQUESTED', told);
  }
});
