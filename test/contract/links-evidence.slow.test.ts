/** What a CLOSED rests on: the evidence of each kind of end, after a close and without one. */
import test from 'ava';
import {
  DisconnectEvidence,
  EventSource,
  SessionEndReason,
  SessionKind,
} from '../../proto/gen/wifidirect/v1/session.js';
import { patience } from '../harness/daemon.js';
import { devicesForThisFile } from '../harness/devices.js';
import { display, gatewayForThisFile, type Opened, printer, scanner } from '../harness/gateway.js';
import type { LinkEnd } from '../harness/world.js';

const gateway = gatewayForThisFile(
  ...['--set', `session.closeTimeoutMs=${1500 * patience}`],
  ...['--set', 'driver.linkPollMs=50'],
);
const devices = devicesForThisFile(gateway);

test.serial.beforeEach(() => gateway().world.setDefaults({ open: 5, legacyOpen: 5, close: 5, address: 5 }));

type Evidence = Exclude<keyof typeof DisconnectEvidence, 'UNSPECIFIED' | 'UNRECOGNIZED'>;

/**
 * How a link ends → what shows it. The device speaks first; what it does not say, the interface
 * does.
 */
const ends: readonly [string, LinkEnd, Evidence][] = [
  ['device and interface say so at once', {}, 'DEVICE_DISCONNECTED'],
  ['the device says so and the interface stays up', { interfaceMs: 'never' }, 'DEVICE_DISCONNECTED'],
  ['the device says so and the interface is down', { effect: 'DOWN' }, 'DEVICE_DISCONNECTED'],
  ['only the interface is gone', { nodeMs: 'never' }, 'INTERFACE_GONE'],
  ['only the interface is down', { nodeMs: 'never', effect: 'DOWN' }, 'INTERFACE_DOWN'],
  ['only the medium is disconnected', { nodeMs: 'never', effect: 'DISCONNECTED' }, 'INTERFACE_DOWN'],
];

/** Opens, and waits until both device and interface have been seen up. */
async function openLink(deviceAddress: string): Promise<{ stream: Opened; id: string }> {
  const opened = await gateway().openSession({ deviceAddress });
  await opened.stream.event('NETWORK_INTERFACE_CHANGED');
  await devices().connected(deviceAddress);
  return opened;
}

for (const [how, end, evidence] of ends) {
  test.serial(`after a close, ${how}: ${evidence}`, async (t) => {
    const { stream, id } = await openLink(display);
    await gateway().world.scriptClose({ deviceAddress: display, end });
    const { session } = await gateway().close(id, { waitForDisconnect: true });
    t.is(session?.end?.evidence, DisconnectEvidence[evidence]);
    t.is(session?.end?.reason, SessionEndReason.REQUESTED);
    t.is(await stream.status(), undefined);
    t.deepEqual(stream.types, ['OPENING', 'OPENED', 'CLOSING', 'CLOSED']);
  });

  test.serial(`without a close, ${how}: PEER_DISCONNECTED, ${evidence}, and the handle is released once`, async (t) => {
    const { stream } = await openLink(scanner);
    const { closes } = await gateway().world.counts();
    await gateway().world.dropLink(scanner, end);
    const { session, cause } = await stream.event('CLOSED');
    t.is(session.end?.evidence, DisconnectEvidence[evidence]);
    t.is(session.end?.reason, SessionEndReason.PEER_DISCONNECTED);
    t.is(session.end?.error, undefined);
    t.is(cause?.source, EventSource.PEER);
    t.is(await stream.status(), undefined);
    t.deepEqual(stream.types, ['OPENING', 'OPENED', 'CLOSING', 'CLOSED']);
    const counts = await gateway().world.counts();
    t.is(counts.closes - closes, 1n);
    t.is(counts.sessions, 0);
  });
}

test.serial(
  'after a close that nothing shows the end of, or that fails: UNCONFIRMED, after close_timeout',
  async (t) => {
    const [silent, failed] = [await openLink(display), await openLink(scanner)];
    await gateway().world.scriptClose({ deviceAddress: display, end: { nodeMs: 'never', interfaceMs: 'never' } });
    await gateway().world.scriptClose({ deviceAddress: scanner, code: 5023 });
    await t.throwsAsync(gateway().close(failed.id));
    const { session } = await gateway().close(silent.id, { waitForDisconnect: true });
    t.is(session?.end?.evidence, DisconnectEvidence.UNCONFIRMED);
    t.is(session?.end?.error, undefined);
    const { session: other } = await failed.stream.event('CLOSED');
    t.is(other.end?.evidence, DisconnectEvidence.UNCONFIRMED);
    t.is(other.end?.error?.nativeResult?.code, 5023);
  },
);

test.serial('a close that takes long is CLOSING until the link has ended', async (t) => {
  const { id, stream } = await openLink(display);
  await gateway().world.setClock('manual');
  await gateway().world.scriptClose({ deviceAddress: display, delayMs: 1000 });
  await gateway().close(id);
  await gateway().world.advance(999);
  t.deepEqual(stream.types, ['OPENING', 'OPENED', 'CLOSING']);
  await gateway().world.advance(1);
  const { session } = await stream.event('CLOSED');
  t.is(session.end?.evidence, DisconnectEvidence.DEVICE_DISCONNECTED);
});

test.serial('a link that drops while its close is queued is closed by what was asked for', async (t) => {
  const { id, stream } = await openLink(display);
  await gateway().world.scriptClose({ deviceAddress: display, delayMs: 'never' });
  await gateway().close(id);
  await gateway().world.dropLink(display);
  const { session } = await stream.event('CLOSED');
  t.is(session.end?.reason, SessionEndReason.REQUESTED);
  t.is(session.end?.evidence, DisconnectEvidence.DEVICE_DISCONNECTED);
});

test.serial('a link that is lost in the moment of its opening is told, and the handle released', async (t) => {
  await gateway().world.scriptOpen({ deviceAddress: display, dropMs: 0 });
  const stream = gateway().open({ deviceAddress: display });
  const { session } = await stream.event('CLOSED');
  t.is(session.end?.reason, SessionEndReason.PEER_DISCONNECTED);
  t.is((await gateway().world.counts()).sessions, 0);
});

test.serial('the link of a legacy session is judged like any other', async (t) => {
  const { stream } = await gateway().openSession({ deviceAddress: printer, kind: SessionKind.LEGACY });
  await devices().connected(printer);
  await gateway().world.dropLink(printer);
  const { session } = await stream.event('CLOSED');
  t.is(session.end?.reason, SessionEndReason.PEER_DISCONNECTED);
  t.is(session.end?.evidence, DisconnectEvidence.DEVICE_DISCONNECTED);
});

test.serial('a device that is unpaired while its session lives has lost it', async (t) => {
  const { stream } = await openLink(display);
  await gateway().world.removeDevice(display);
  const { session } = await stream.event('CLOSED');
  t.is(session.end?.reason, SessionEndReason.PEER_DISCONNECTED);
  t.is(session.end?.evidence, DisconnectEvidence.DEVICE_DISCONNECTED);
  const error = await gateway().open({ deviceAddress: display }).status();
  t.is(error?.info?.reason, 'DEVICE_NOT_PAIRED');
});

test.serial('a service that does not answer the question whether it lives does not hide a lost link', async (t) => {
  const { stream } = await openLink(display);
  await gateway().world.scriptCall({ function: 'WFDOpenHandle', blockMs: 'never' });
  await gateway().world.dropLink(display);
  const { session } = await stream.event('CLOSED');
  t.is(session.end?.reason, SessionEndReason.PEER_DISCONNECTED);
  t.is(await gateway().world.releaseCalls(), 1);
});
