/**
 * Scenarios: what this project's own hosts never send, and a newer, an older or a broken one may;
 * and what the client itself makes of it.
 */
import { equal, match, ok } from 'node:assert/strict';
import type { Session, SessionEvent } from '../../../proto/gen/wifidirect/v1/session.js';
import {
  GetSessionResponse,
  OpenSessionResponse,
  WatchSessionsResponse,
} from '../../../proto/gen/wifidirect/v1/session_service.js';
import { type End, type OtherCall, OtherHost } from '../other-host.js';
import type { ErrorItem } from '../protocol.js';
import { itemOf, matches, type Scenario, type Stage, watchedEvents } from '../scenario.js';

const sessionId = 'a-session';
const deviceAddress = '02:11:22:33:44:01';
/** No enum of the contract has it. */
const NEWER = 99;
const TWO_CENTURIES_MS = 6e12;
const LONGEST_DURATION_S = 315_576_000_000;
const PAUSE_MS_MAX = 300_000 + 100;

const message = (type: { encode: (value: never) => { finish(): Uint8Array } }, value: object): Uint8Array =>
  type.encode(value as never).finish();

function session(state: number): Session {
  return { sessionId, deviceAddress, kind: 1, state, owner: 'somebody', requestId: '' } as Session;
}

const event = (sequence: number, type: number, state: number) =>
  ({ sequence: BigInt(sequence), epoch: 'e1', type, session: session(state) }) as SessionEvent;

const got = (shown: Session | undefined) => message(GetSessionResponse, { session: shown, cursor: 'c1' });
const opened = (of: SessionEvent | undefined) => message(OpenSessionResponse, { event: of });
const watched = (batch: Partial<WatchSessionsResponse>) =>
  message(WatchSessionsResponse, { events: [], cursor: '', snapshot: [], snapshotComplete: false, ...batch });

/** Field 1 is to have a hundred bytes; one follows, and it is a tag without a value. */
const unparsable = Buffer.of(0x0a, 100, 0x08);
/** More than any client takes, but for who asked for more: 4 MiB. */
const tooLarge = Buffer.alloc(5 * 2 ** 20);
const unreadableDetails = Buffer.of(0xff, 0xff, 0xff);

type Play = (stage: Stage, host: OtherHost) => Promise<void>;

function scenario(name: string, answer: (call: OtherCall, asked: number) => void, play: Play): Scenario {
  return {
    name,
    play: async (stage) => {
      let asked = 0;
      await using host = await OtherHost.start((call) => answer(call, asked++));
      await stage.client.connect(host.address);
      await play(stage, host);
    },
  };
}

/** The one way in which a call ends, and what the client's caller sees. */
function failing(name: string, answer: (call: OtherCall) => void, error: Partial<ErrorItem>, text = /./): Scenario {
  return scenario(name, answer, async ({ client }) => {
    const unary = await client.refusal('get', { sessionId });
    const stream = await client.refusal('open', { deviceAddress });
    for (const found of [unary, stream]) {
      matches({ ...found, reason: found.reason || null }, error);
      match(found.message ?? '', text);
    }
  });
}

const ends = (end: End) => (call: OtherCall) => call.end(end);

/** A watch is told of it, goes on, and asks again. */
function healing(name: string, answer: (call: OtherCall) => void, code: string): Scenario {
  const answerFirst = (call: OtherCall, asked: number): void => {
    if (asked === 0) answer(call);
    else call.send(watched({ cursor: 'c1', snapshotComplete: true }));
  };
  return scenario(name, answerFirst, async ({ client }) => {
    const watching = client.do('watch', {});
    await itemOf(watching, 'snapshot');
    matches(watching.items[0], { kind: 'disconnected', error: { code } });
    await client.leave(watching);
  });
}

const newer: readonly Scenario[] = [
  scenario(
    'that has newer states, events and reasons, these are passed on as numbers and names',
    (call) => {
      if (call.rpc === 'GetSession') call.send(got(session(NEWER))).end();
      else if (call.rpc === 'CancelOpenSession') call.end({ code: 9, reason: 'OUT_OF_COFFEE', message: 'Empty.' });
      else if (call.rpc === 'WatchSessions')
        call.send(
          watched({
            cursor: 'c1',
            snapshot: [session(NEWER)],
            snapshotComplete: true,
            events: [event(1, NEWER, NEWER)],
          }),
        );
      else
        call
          .send(opened(event(1, NEWER, NEWER)))
          .send(opened(event(2, 4, 5)))
          .end();
    },
    async ({ client }) => {
      const [shown] = await client.ask('get', { sessionId });
      matches(shown, { session: { id: sessionId, state: String(NEWER) }, cursor: 'c1' });
      const opening = client.do('open', { deviceAddress });
      equal(await opening.outcome(), undefined);
      matches(opening.items[0], { event: { type: String(NEWER), session: { state: String(NEWER) } } });
      const watching = client.do('watch', {});
      matches((await itemOf(watching, 'snapshot')).sessions[0], { state: String(NEWER) });
      await itemOf(watching, 'event', ({ event }) => event.type === String(NEWER));
      await client.leave(watching);
      matches(await client.refusal('cancel', { sessionId }), {
        code: 'FAILED_PRECONDITION',
        reason: 'OUT_OF_COFFEE',
      });
    },
  ),
  scenario(
    'that sends heartbeats, none is returned',
    (call) => {
      for (const message of [event(1, 1, 1), undefined, undefined, event(2, 2, 2), undefined])
        call.send(opened(message));
      call.end();
    },
    async ({ client }) => {
      const opening = client.do('open', { deviceAddress });
      equal(await opening.outcome(), undefined);
      matches(
        opening.items.map(({ event }) => event.sequence),
        [1, 2],
      );
    },
  ),
];

const broken: readonly Scenario[] = [
  failing('that refuses with headers only, the error is complete', ends({ code: 5, reason: 'SESSION_NOT_FOUND' }), {
    code: 'NOT_FOUND',
    reason: 'SESSION_NOT_FOUND',
  }),
  failing(
    'whose error details cannot be parsed, the status is still reported',
    ends({ code: 10, details: unreadableDetails }),
    {
      code: 'ABORTED',
      reason: null,
    },
  ),
  failing('whose status code gRPC does not know, the error is `UNKNOWN`', ends({ code: 77, message: 'Odd.' }), {
    code: 'UNKNOWN',
  }),
  failing('whose message cannot be parsed, the error is `INTERNAL`', (call) => call.send(unparsable).end(), {
    code: 'INTERNAL',
    reason: null,
  }),
  healing('whose message cannot be parsed, a watch resumes', (call) => call.send(unparsable), 'INTERNAL'),
  failing('whose message is too large, the error is `RESOURCE_EXHAUSTED`', (call) => call.send(tooLarge).end(), {
    code: 'RESOURCE_EXHAUSTED',
    reason: null,
  }),
  healing('whose message is too large, a watch resumes', (call) => call.send(tooLarge), 'RESOURCE_EXHAUSTED'),
  scenario(
    'that omits a promised field, the error is `INTERNAL`',
    (call) => call.send(got(undefined)).end(),
    async ({ client }) => {
      matches(await client.refusal('get', { sessionId }), { code: 'INTERNAL' });
    },
  ),
  failing('that a proxy cannot reach, the error is `UNAVAILABLE`', (call) => call.http(503), {
    code: 'UNAVAILABLE',
    reason: null,
  }),
  healing('that a proxy cannot reach, a watch resumes', (call) => call.http(502), 'UNAVAILABLE'),
];

const delays: readonly Scenario[] = [
  scenario(
    'that asks for a pause of ten thousand years, a watch waits for five minutes',
    ends({ code: 14, reason: 'HOST_STOPPING', retrySeconds: LONGEST_DURATION_S }),
    async ({ client }) => {
      const watching = client.do('watch', {});
      const { retryInMs, error } = await itemOf(watching, 'disconnected');
      ok(retryInMs >= 300_000 && retryInMs <= PAUSE_MS_MAX, `${retryInMs}`);
      ok(Number(error.retryDelayMs) >= TWO_CENTURIES_MS, `${error.retryDelayMs}`);
      await client.leave(watching);
    },
  ),
  scenario(
    'that asks for a negative pause, there is no pause',
    ends({ code: 14, reason: 'HOST_STOPPING', retrySeconds: -LONGEST_DURATION_S }),
    async ({ client }) => {
      const watching = client.do('watch', {});
      const { retryInMs, error } = await itemOf(watching, 'disconnected');
      ok(retryInMs >= 0 && retryInMs <= 100, `${retryInMs}`);
      ok(!error.retryDelayMs, `${error.retryDelayMs}`);
      await itemOf(watching, 'disconnected', () => watching.items.length >= 3);
      await client.leave(watching);
    },
  ),
];

const own: readonly Scenario[] = [
  scenario(
    'every call carries the metadata of the hook',
    (call) => {
      if (call.rpc === 'GetSession') call.send(got(session(3))).end();
      else if (call.rpc === 'OpenSession') call.send(opened(event(1, 1, 1))).end();
      else call.send(watched({ cursor: 'c1', snapshotComplete: true }));
    },
    async ({ client }, host) => {
      const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
      await client.connect(host.address, { metadata: { traceparent, 'x-tenant': 'berlin' } });
      await client.ask('get', { sessionId });
      await client.ask('open', { deviceAddress });
      const watching = client.do('watch', {});
      await itemOf(watching, 'snapshot');
      await client.leave(watching);
      const sent = host.calls.map(({ rpc, headers }) => [rpc, headers['traceparent'], headers['x-tenant']]);
      matches(
        sent,
        ['GetSession', 'OpenSession', 'WatchSessions'].map((rpc) => [rpc, traceparent, 'berlin']),
      );
    },
  ),
  scenario(
    'a token source that fails is `UNAVAILABLE`, and a watch resumes',
    ends({ code: 0 }),
    async ({ client }, host) => {
      await client.connect(host.address, { tokenFails: true });
      for (const error of [
        await client.refusal('get', { sessionId }),
        await client.refusal('open', { deviceAddress }),
      ]) {
        matches({ ...error, reason: error.reason || null }, { code: 'UNAVAILABLE', reason: null });
        match(error.message ?? '', /the vault is sealed/);
      }
      const watching = client.do('watch', {});
      await itemOf(watching, 'disconnected', () => watching.items.length >= 2);
      await client.leave(watching);
      equal(host.calls.length, 0);
    },
  ),
  scenario(
    'a call past its deadline is `DEADLINE_EXCEEDED`, and a cancelled call returns nothing more',
    () => {},
    async ({ client }, host) => {
      await client.connect(host.address, { timeoutMs: 200 });
      matches(await client.refusal('get', { sessionId }), { code: 'DEADLINE_EXCEEDED' });
      const watching = client.do('watch', {});
      await client.leave(watching);
      matches(watchedEvents(watching.items), []);
    },
  ),
];

export const otherHosts: readonly Scenario[] = [...newer, ...broken, ...delays, ...own];
