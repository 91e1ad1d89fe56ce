/** What a full log costs: measured, as nobody can see it in the code. */
import { randomUUID } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import test from 'ava';
import { GetSessionResponse } from '../../proto/gen/wifidirect/v1/session_service.js';
import { encodeAnswer } from '../../service/codec/encode-once.js';
import { sessionEventKind } from '../../service/codec/event-kinds.js';
import { makeConfig } from '../../service/config/schema.js';
import { EventLog } from '../../service/events/log.js';
import { EventStream } from '../../service/events/stream.js';
import type { EventCause, SessionEventDraft } from '../../service/session/session.js';
import { arrives, Life } from '../session/life.js';
import { turn } from './noted.js';

const MEGABYTE = 2 ** 20;
const { logEventsMax, logBytesMax } = makeConfig({}).events;
/** A part of the log is enough to tell what the whole would take. */
const PART = 1 / 5;
const EVENTS = logEventsMax * PART;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function usedBytes(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/**
 * The whole life of a session as a daemon that traces makes it: every event with strings of its
 * own.
 */
function life(id: string): readonly SessionEventDraft[] {
  const it = new Life({ sessionId: id, leaseTtlMs: 30_000 });
  it.in(
    arrives.started(),
    arrives.opened(),
    arrives.renew(),
    arrives.close(),
    arrives.closeReturned(),
    arrives.linkDown(),
  );
  const cause = (draft: SessionEventDraft): EventCause => ({
    ...draft.cause,
    requestId: randomUUID(),
    trace: { traceId: randomUUID().replaceAll('-', ''), spanId: randomUUID().slice(0, 16), traceFlags: 1 },
  });
  return it.events.map((draft) => ({ ...draft, cause: cause(draft) }));
}

test('a full log takes less than 120 MB, bytes that were sent to readers included', async (t) => {
  t.timeout(120_000);
  const limits = {
    eventsMax: EVENTS,
    bytesMax: logBytesMax * PART,
    ageMaxMs: Number.POSITIVE_INFINITY,
    supersededMax: 0,
  };
  const kind = sessionEventKind();
  const stream = new EventStream(new EventLog('0123456789abcdef', limits, kind), kind);
  const before = usedBytes();
  while (stream.log.trimmed === 0) {
    for (const draft of life(randomUUID())) {
      const { session } = stream.append(draft);
      // As it is answered to who asked for the change.
      GetSessionResponse.decode(encodeAnswer({ session, cursor: stream.cursor }));
    }
    await turn();
  }
  const grown = (usedBytes() - before) / MEGABYTE / PART;
  t.log(`${stream.log.size} events have ${stream.log.bytes} bytes; a full log would take ${grown.toFixed(1)} MB`);
  t.true(grown < 120);
  t.is(stream.log.size, EVENTS, 'ordinary events meet the bound in number, not in bytes');
});
