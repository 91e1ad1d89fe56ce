import test from 'ava';
import { SessionEvent, SessionEventType } from '../../proto/gen/wifidirect/v1/session.js';
import { eventPeeker } from '../../service/journal/peek.js';

test('peeking at events tells the owner and the type that decoding them would tell', (t) => {
  const peek = eventPeeker();
  const owners = ['me', 'me', '', 'you', 'Jürgen', `${'x'.repeat(300)}`];
  const types = [SessionEventType.LEASE_RENEWED, SessionEventType.OPENED];
  for (const [index, owner] of owners.entries()) {
    for (const type of types) {
      const time = new Date(index);
      const event = SessionEvent.fromPartial({
        sequence: 2n ** 53n - 1n,
        epoch: '00000000000000aa',
        time,
        type,
        session: { sessionId: `s-${index}`, owner, createTime: time },
        nativeResult: { function: 'WFDOpenHandle', code: 0xffff_ffff },
      });
      const isRenewal = type === SessionEventType.LEASE_RENEWED;
      t.deepEqual(peek(SessionEvent.encode(event).finish()), { owner, isRenewal });
    }
  }
});
