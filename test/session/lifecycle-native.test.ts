/**
 * What the native API leaves undefined and this service defines, on the real ABI: threads,
 * contexts, handles, and what becomes of them when the service or the host stops. The rows that the
 * machine alone keeps are in `machine-native.test.ts`.
 */
import test from 'ava';
import { filter, firstValueFrom } from 'rxjs';
import { openContexts } from '../../native/callbacks.js';
import type { LinkEnd } from '../../native/simulator-types.js';
import type { DisconnectEvidence } from '../../service/session/session.js';
import { display, printer, rigForThisFile, robot, scanner, until, world } from './rig.js';

const start = rigForThisFile();

/** A third device that is in range. */
const forklift = '02:11:22:33:44:05';

test.serial('a callback is matched by its context, in whatever order callbacks come', async (t) => {
  const rig = await start();
  world.setClock('manual');
  world.scriptOpen({ deviceAddress: display, delayMs: 20 });
  world.scriptOpen({ deviceAddress: scanner, delayMs: 10 });
  const slow = rig.open({ deviceAddress: display });
  await rig.completion(slow, 'StartReturned');
  const fast = rig.open({ deviceAddress: scanner });
  await rig.completion(fast, 'StartReturned');
  world.advanceClock(10);
  await rig.event(fast, 'OPENED');
  t.is(rig.session(slow)?.state, 'OPENING');
  world.advanceClock(10);
  await rig.event(slow, 'OPENED');
  const indexOf = (address: string) => world.findDevice(address)?.interfaceIndex;
  t.is(rig.session(slow)?.networkInterface?.index, indexOf(display));
  t.is(rig.session(fast)?.networkInterface?.index, indexOf(scanner));
});

for (const error of [0, 1460]) {
  test.serial(`a callback that comes before the start has returned is the outcome: ${error}`, async (t) => {
    const rig = await start();
    world.scriptOpen({ isCallbackFirst: true, error });
    const id = rig.open();
    await rig.event(id, error === 0 ? 'OPENED' : 'FAILED');
    await rig.close(id);
    t.is(world.counts().closes, error === 0 ? 1 : 0);
  });
}

test.serial('a native call that blocks holds nothing up but itself, and is told when it is late', async (t) => {
  const rig = await start({ nativeCallWarnMs: 5 });
  world.scriptCall({ function: 'WFDStartOpenSession', blockMs: 'never' });
  const blocked = rig.open({ deviceAddress: display });
  await rig.slow('WFDStartOpenSession');
  // The call can be late before its thread has entered the library.
  await until(() => world.counts().callsBlocked === 1);
  const failing = rig.open({ deviceAddress: robot, openTimeoutMs: 1 });
  await rig.event(failing, 'CANCELLING');
  t.is(rig.session(blocked)?.state, 'OPENING');
  world.releaseCalls();
  await rig.event(blocked, 'OPENED');
});

for (const [kind, fn] of [
  ['WIFI_DIRECT', 'WFDStartOpenSession'],
  ['LEGACY', 'WFDOpenLegacySession'],
] as const) {
  test.serial(
    `an open that waits for its turn when it is cancelled never begins, and ends at once: ${kind}`,
    async (t) => {
      const rig = await start();
      world.scriptCall({ function: fn, blockMs: 'never' });
      const deviceAddress = kind === 'LEGACY' ? printer : display;
      const running = rig.open({ kind, deviceAddress });
      await until(() => world.counts().callsBlocked === 1);
      const waiting = rig.open({ kind, deviceAddress });
      // Its turn is behind the other's by then.
      await until(() => rig.driver.calls.waiting.some(([, count]) => count === 1));
      rig.cancel(waiting);
      await rig.event(waiting, 'CANCELLED');
      t.is(rig.session(running)?.state, 'OPENING', 'it has waited for nobody');
      world.releaseCalls();
      await rig.event(running, 'OPENED');
      t.is(world.counts().opens, 1);
    },
  );
}

test.serial('opens of one principal leave a place for those of another', async (t) => {
  const rig = await start({ nativeCallsMax: 7, slowCallsMax: 2 });
  world.scriptCall({ function: 'WFDStartOpenSession', blockMs: 'never' });
  const [running, waiting] = [display, scanner].map((deviceAddress) => rig.open({ deviceAddress, owner: 'alice' }));
  await until(() => world.counts().callsBlocked === 1);
  const other = rig.open({ deviceAddress: forklift, owner: 'bob' });
  await rig.event(other, 'OPENED');
  t.deepEqual(
    [running, waiting].map((id = '') => rig.session(id)?.state),
    ['OPENING', 'OPENING'],
  );
  world.releaseCalls();
  await Promise.all([running, waiting].map((id = '') => rig.event(id, 'OPENED')));
});

test.serial('a close that waited for its turn uses no handle that was lost meanwhile', async (t) => {
  const rig = await start();
  const [first, second] = [await rig.opened({ deviceAddress: display }), await rig.opened({ deviceAddress: scanner })];
  world.scriptCall({ function: 'WFDCloseSession', blockMs: 'never' });
  const closes = [rig.close(first), rig.close(second)];
  await until(() => world.counts().callsBlocked === 1);
  await until(() => rig.driver.calls.waiting.some(([lane, count]) => lane === 'end' && count === 1));
  // Windows does not know the client any more.
  world.scriptCall({ function: 'WFDStartOpenSession', code: 6 });
  const third = rig.open({ deviceAddress: forklift });
  await Promise.all([first, second, third].map((id) => rig.event(id, 'LOST')));
  let wasNotMade = false;
  // ERROR_OPERATION_ABORTED is the outcome of a call that was not made.
  void rig.returned('WFDCloseSession', 995).then(() => {
    wasNotMade = true;
  });
  // Nor its sessions, as after a restart of the service, which also ends the call that blocks.
  world.stopService();
  world.startService();
  world.releaseCalls();
  await Promise.all(closes);
  await until(() => rig.driver.calls.inFlight === 0);
  t.true(wasNotMade);
});

test.serial('a close waits for no open: it has a lane of its own', async (t) => {
  const rig = await start();
  const open = await rig.opened({ deviceAddress: scanner });
  world.scriptCall({ function: 'WFDStartOpenSession', blockMs: 'never', count: 'always' });
  const blocked = [display, forklift].map((deviceAddress) => rig.open({ deviceAddress }));
  await until(() => world.counts().callsBlocked === 1);
  const closed = await rig.close(open);
  t.true(closed.ok && closed.value.state === 'CLOSED');
  world.clearScripts();
  world.releaseCalls();
  await Promise.all(blocked.map((id) => rig.event(id, 'OPENED')));
});

test.serial('a cancel of an open whose start has not returned is made when it has', async (t) => {
  const rig = await start();
  world.scriptOpen({ delayMs: 'never' });
  world.scriptCall({ function: 'WFDStartOpenSession', blockMs: 'never' });
  const id = rig.open();
  await until(() => world.counts().callsBlocked === 1);
  rig.cancel(id);
  t.is(rig.session(id)?.state, 'CANCELLING');
  world.releaseCalls();
  await rig.event(id, 'CANCELLED');
});

test.serial(
  'a cancel that comes after the callback is not made, however long the callback is on its way to us',
  async (t) => {
    const rig = await start();
    world.setClock('manual');
    world.scriptCall({ function: 'ConvertInterfaceGuidToLuid', blockMs: 'never' });
    const id = rig.open();
    await rig.completion(id, 'StartReturned');
    world.advanceClock(1);
    await until(() => world.counts().callsBlocked === 1);
    world.advanceClock(world.defaults().raceGraceMs + 1);
    rig.cancel(id);
    world.releaseCalls();
    world.setClock('real');
    await rig.event(id, 'CLOSED');
    t.deepEqual(rig.typesOf(id), ['OPENING', 'CANCELLING', 'CLOSING', 'CLOSED']);
  },
);

test.serial('a success that comes after a cancel is closed and never handed out', async (t) => {
  const rig = await start();
  world.scriptOpen({ doesCancelLose: true, delayMs: 20 });
  const id = rig.open();
  await rig.completion(id, 'StartReturned');
  rig.cancel(id);
  await rig.event(id, 'CLOSED');
  t.deepEqual(rig.typesOf(id), ['OPENING', 'CANCELLING', 'CLOSING', 'CLOSED']);
  t.is(world.counts().closes, 1);
});

test.serial(
  'a cancelled open whose handle Windows does not know ends LOST; a success that comes late is closed',
  async (t) => {
    const rig = await start({ closeTimeoutMs: 10, endedSessionsMax: 0 });
    world.setClock('manual');
    world.scriptOpen({ delayMs: 5 });
    world.scriptCall({ function: 'WFDCancelOpenSession', code: 6 });
    const id = rig.open();
    await rig.completion(id, 'StartReturned');
    rig.cancel(id);
    const { session } = await rig.event(id, 'LOST');
    t.is(session.end?.fault?.reason, 'NATIVE_HANDLE_LOST');
    // The name is free, and what is still to come for the one who had it does not reach the next.
    world.scriptOpen({ delayMs: 1000 });
    const started = rig.completion(id, 'StartReturned');
    rig.open({ sessionId: id, deviceAddress: scanner });
    await started;
    world.advanceClock(5);
    await until(() => world.counts().closes === 1);
    t.is(rig.session(id)?.state, 'OPENING');
    world.advanceClock(1000);
    await rig.event(id, 'OPENED');
  },
);

test.serial('a success that is on its way when a cancelled open is given up is closed', async (t) => {
  const rig = await start({ closeTimeoutMs: 10 });
  world.setClock('manual');
  world.scriptCall({ function: 'WFDCancelOpenSession', code: 6 });
  world.scriptCall({ function: 'ConvertInterfaceGuidToLuid', blockMs: 'never' });
  const id = rig.open();
  await rig.completion(id, 'StartReturned');
  const cancelled = rig.completion(id, 'CancelReturned');
  rig.cancel(id);
  await cancelled;
  world.advanceClock(1);
  await until(() => world.counts().callsBlocked === 1);
  await rig.event(id, 'LOST');
  world.releaseCalls();
  await until(() => world.counts().closes === 1);
  t.is(rig.eventsOf(id).filter(({ session }) => session.end).length, 1);
});

test.serial('a link that drops by itself ends the session, and its handle is closed', async (t) => {
  const rig = await start();
  const id = await rig.opened();
  world.dropLink(display);
  const { session } = await rig.event(id, 'CLOSED');
  t.is(session.end?.reason, 'PEER_DISCONNECTED');
  t.is(world.counts().sessions, 0);
});

const ends: readonly [how: string, end: LinkEnd, evidence: DisconnectEvidence][] = [
  ['device and interface say so', {}, 'DEVICE_DISCONNECTED'],
  ['the interface is gone', { nodeMs: 'never' }, 'INTERFACE_GONE'],
  ['the interface is down', { nodeMs: 'never', interfaceEffect: 'down' }, 'INTERFACE_DOWN'],
];

for (const [how, end, evidence] of ends) {
  test.serial(
    `when a peer leaves and ${how}, the evidence is ${evidence}, and the handle is closed once`,
    async (t) => {
      const rig = await start();
      const id = await rig.opened();
      // Only what has been seen up is seen to go down.
      await rig.event(id, 'NETWORK_INTERFACE_CHANGED');
      await until(() => rig.driver.devices?.get(display)?.isConnected === true);
      const { closes } = world.counts();
      world.dropLink(display, end);
      const { session } = await rig.event(id, 'CLOSED');
      t.like(session.end, { reason: 'PEER_DISCONNECTED', evidence });
      t.is(world.counts().closes - closes, 1);
    },
  );
}

test.serial('when sessions are lost, the callbacks of their opens are awaited no longer', async (t) => {
  const rig = await start({ probeIntervalMs: 10 });
  world.setClock('manual');
  world.scriptOpen({ delayMs: 1000 });
  const id = rig.open();
  await rig.completion(id, 'StartReturned');
  const awaited = () => new Map(openContexts()).get('WFD_OPEN_SESSION_COMPLETE_CALLBACK');
  t.is(awaited(), 1);
  // They never come.
  world.stopService({ openError: 0 });
  await rig.event(id, 'LOST');
  t.is(awaited(), 0);
});

test.serial(
  'a legacy open that returns after its client handle was lost is told to nobody, and not used',
  async (t) => {
    const rig = await start({ probeIntervalMs: 10 });
    world.scriptCall({ function: 'WFDOpenLegacySession', blockMs: 'never', code: 31 });
    const id = rig.open({ deviceAddress: printer, kind: 'LEGACY' });
    await until(() => world.counts().callsBlocked === 1);
    const { closes } = world.counts();
    world.scriptCall({ function: 'WFDOpenHandle', code: 1062 });
    await rig.event(id, 'LOST');
    world.releaseCalls('WFDOpenLegacySession');
    t.true(await rig.driver.close(10_000), 'the call has returned');
    t.deepEqual(rig.typesOf(id), ['OPENING', 'LOST']);
    t.is(world.counts().closes, closes);
  },
);

test.serial(
  'when the WLAN service stops every session is LOST once, and new ones open when it runs again',
  async (t) => {
    const rig = await start({ probeIntervalMs: 20 });
    const open = await rig.opened({ deviceAddress: display });
    world.scriptClose({ deviceAddress: scanner, delayMs: 'never' });
    const closing = await rig.opened({ deviceAddress: scanner });
    await rig.close(closing, { wait: false });
    const before = world.counts().closes;
    world.stopService();
    const { session } = await rig.event(open, 'LOST');
    t.is(session.end?.reason, 'DRIVER_LOST');
    t.is(session.end?.fault?.reason, 'WLAN_SERVICE_NOT_RUNNING');
    // That its link is down and that the service has stopped can be noticed in either order.
    await until(() => rig.session(closing)?.end !== undefined);
    t.true(['LOST', 'CLOSED'].includes(rig.session(closing)?.state ?? ''));
    t.is(world.counts().closes, before, 'handles that are gone are not closed');
    const refused = rig.open();
    await rig.event(refused, 'FAILED');
    t.is(rig.session(refused)?.end?.fault?.reason, 'WLAN_SERVICE_NOT_RUNNING');
    world.startService();
    await firstValueFrom(rig.driver.statuses.pipe(filter(({ fault }) => fault === undefined)));
    const again = await rig.opened();
    await rig.close(again);
    for (const id of [open, closing, again]) t.is(rig.eventsOf(id).filter(({ session }) => session.end).length, 1);
  },
);

test.serial('a service that is too busy for a question is not gone: no session is lost by it', async (t) => {
  const rig = await start({ probeIntervalMs: 10 });
  const id = await rig.opened();
  const RPC_S_SERVER_TOO_BUSY = 1723;
  const refused = rig.returned('WFDOpenHandle', RPC_S_SERVER_TOO_BUSY);
  world.scriptCall({ function: 'WFDOpenHandle', code: RPC_S_SERVER_TOO_BUSY });
  await refused;
  await rig.returned('WFDOpenHandle', 0);
  t.is(rig.session(id)?.state, 'OPEN');
});

test.serial('what is still to come for a session that was lost does not reach another of its name', async (t) => {
  const rig = await start({ probeIntervalMs: 10, endedSessionsMax: 0 });
  world.setClock('manual');
  world.scriptOpen({ error: 31, delayMs: 1 });
  const id = rig.open();
  await rig.completion(id, 'StartReturned');
  world.scriptCall({ function: 'WFDOpenHandle', code: 1062 });
  await rig.event(id, 'LOST');
  t.is(rig.session(id), undefined, 'it is forgotten, and its name free');
  const { sequence } = rig.events.log.at(rig.events.log.newest) ?? { sequence: 0 };
  world.scriptOpen({ delayMs: 2 });
  const started = rig.completion(id, 'StartReturned');
  rig.open({ sessionId: id });
  await started;
  world.advanceClock(1);
  world.advanceClock(1);
  await until(() => rig.events.log.newest > sequence + 1);
  t.is(rig.session(id)?.state, 'OPEN');
});

test.serial('a close that returns after its session has ended says nothing to another of its name', async (t) => {
  const rig = await start({ closeTimeoutMs: 5, endedSessionsMax: 0 });
  const id = await rig.opened({ deviceAddress: display });
  world.scriptCall({ function: 'WFDCloseSession', code: 6, blockMs: 'never' });
  await rig.close(id);
  rig.open({ sessionId: id, deviceAddress: scanner });
  await until(() => rig.session(id)?.state === 'OPEN');
  const returned = rig.returned('WFDCloseSession', 6);
  world.releaseCalls();
  await returned;
  await new Promise((resolve) => setImmediate(resolve));
  t.is(rig.session(id)?.state, 'OPEN');
});

test.serial('a start that returns after its session has ended says nothing to another of its name', async (t) => {
  const rig = await start({ endedSessionsMax: 0 });
  world.scriptOpen({ isCallbackFirst: true, error: 31, delayMs: 0 });
  const returned = rig.returned('WFDStartOpenSession', 0);
  const id = rig.open({ deviceAddress: display });
  await rig.event(id, 'FAILED');
  t.is(rig.session(id), undefined);
  world.setClock('manual');
  world.scriptCall({ function: 'WFDStartOpenSession', blockMs: 'never' });
  const said: string[] = [];
  rig.driver.completions.subscribe(({ type }) => said.push(type));
  rig.open({ sessionId: id, deviceAddress: scanner });
  await returned;
  await until(() => world.counts().callsBlocked === 1);
  t.deepEqual(said, []);
  world.releaseCalls();
  world.setClock('real');
  await rig.event(id, 'OPENED');
});

test.serial(
  'the client handle is closed after the closes of its sessions have returned, however many may run',
  async (t) => {
    const rig = await start({ closeTimeoutMs: 1, nativeCallsMax: 12, slowCallsMax: 4 });
    const id = await rig.opened();
    world.scriptCall({ function: 'WFDCloseSession', blockMs: 100 });
    void rig.close(id);
    await rig.event(id, 'CLOSED');
    const order: string[] = [];
    for (const fn of ['WFDCloseSession', 'WFDCloseHandle']) void rig.returned(fn, 0).then(() => order.push(fn));
    t.true(await rig.driver.close(10_000));
    t.deepEqual(order, ['WFDCloseSession', 'WFDCloseHandle']);
  },
);

test.serial(
  'closes that have not returned when the host stops are waited for before the client handle is closed',
  async (t) => {
    const rig = await start({ closeTimeoutMs: 5 });
    const ids = await Promise.all([display, scanner, forklift].map((deviceAddress) => rig.opened({ deviceAddress })));
    world.scriptCall({ function: 'WFDCloseSession', blockMs: 'never', count: 'always' });
    for (const id of ids) void rig.close(id);
    await Promise.all(ids.map((id) => rig.event(id, 'CLOSED')));
    const stopped = rig.driver.close(10_000);
    await new Promise((resolve) => setImmediate(resolve));
    world.clearScripts();
    world.releaseCalls();
    t.true(await stopped);
  },
);
