/**
 * The computer sleeps, and what happened meanwhile nobody was told: the driver finds it when it
 * wakes up, not at its next regular look.
 */
import test from 'ava';
import { display, rigForThisFile, world } from '../session/rig.js';

const HOUR = 3_600_000;
const start = rigForThisFile();

test.serial('a link that went down is found', async (t) => {
  const rig = await start({ linkPollMs: HOUR });
  const id = await rig.opened();
  world.setNotifications({ interfaces: false, addresses: false, devices: false });
  world.dropLink(display);
  rig.driver.resume();
  const { session } = await rig.event(id, 'CLOSED');
  t.is(session.end?.reason, 'PEER_DISCONNECTED');
});

test.serial('a WLAN service that has stopped is found before any peer is blamed', async (t) => {
  const rig = await start({ linkPollMs: HOUR });
  const id = await rig.opened();
  world.setNotifications({ interfaces: false, addresses: false, devices: false });
  world.stopService();
  rig.driver.resume();
  const { session } = await rig.event(id, 'LOST');
  t.is(session.end?.reason, 'DRIVER_LOST');
});
