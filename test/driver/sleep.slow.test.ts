/**
 * A daemon that is held and let go, as by a sleep of the computer: links are looked at, and
 * deadlines have left what they had.
 */
import test from 'ava';
import { SessionEndReason } from '../../proto/gen/wifidirect/v1/session.js';
import { display, gatewayForThisFile, scanner } from '../harness/gateway.js';

const HELD_MS = 8000;

const gateway = gatewayForThisFile('--set', 'driver.linkPollMs=3600000');

const seconds = (count: number) => ({ seconds: BigInt(count), nanos: 0 });

test.serial(
  'links that went down meanwhile are found, and no deadline lapses for the time that was slept',
  async (t) => {
    t.timeout(120_000);
    const { world, daemon } = gateway();
    await world.scriptOpen({ deviceAddress: scanner, delayMs: 'never' });
    const { stream: open } = await gateway().openSession({ deviceAddress: display });
    const pending = gateway().open({ deviceAddress: scanner, openTimeout: seconds(6) });
    await pending.event('OPENING');
    await world.setNotifications('none');
    await world.dropLink(display);
    const { pid = 0 } = daemon;
    process.kill(pid, 'SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, HELD_MS));
    process.kill(pid, 'SIGCONT');
    const { session } = await open.event('CLOSED');
    t.is(session.end?.reason, SessionEndReason.PEER_DISCONNECTED);
    t.deepEqual(pending.types, ['OPENING'], 'it is still allowed to open');
    const cancelling = await pending.event('CANCELLING');
    const began = pending.events[0]?.time?.getTime() ?? 0;
    // 6 s of its own, and all but a moment of the 8 s that it was held.
    t.true(
      (cancelling.time?.getTime() ?? 0) - began >= HELD_MS + 3000,
      `${cancelling.time} after ${pending.events[0]?.time}`,
    );
    await pending.ended;
    t.true(Number((await daemon.line('resumed'))['sleptS']) >= 5);
  },
);
