/** The client handle: opened once for all who ask, replaced when it is lost, closed once. */
import test from 'ava';
import { BehaviorSubject, filter, firstValueFrom } from 'rxjs';
import { LibraryNotAvailable } from '../../native/library.js';
import type { ClientHandle, Wlanapi } from '../../native/wlanapi.js';
import { NativeCalls } from '../../service/driver/native-calls.js';
import { ServiceHandle, type ServiceHandleSettings } from '../../service/driver/service-handle.js';
import { callOutcome } from '../../service/driver/win32-error.js';
import type { NativeOutcome } from '../../service/session/session.js';

const HOUR = 3_600_000;
const stopped = callOutcome('WFDOpenHandle', 1062);
const forgotten = callOutcome('WFDStartOpenSession', 6);

/** A service that answers WFDOpenHandle with `code`, and one handle after another. */
function make(settings: Partial<ServiceHandleSettings> = {}) {
  const service = {
    code: 0,
    /** Set: opens wait for it. */
    gate: undefined as Promise<void> | undefined,
    /** Set: it can't be called at all. */
    isBroken: false,
    opens: [] as number[],
    given: 0n,
    closed: [] as bigint[],
    lost: [] as NativeOutcome[],
    /** Waits until the handle has been asked for so often. */
    opened: (count: number) => firstValueFrom(asked.pipe(filter(() => service.opens.length >= count))),
  };
  const asked = new BehaviorSubject<void>(undefined);
  const wlanapi = {
    async WFDOpenHandle() {
      service.opens.push(performance.now());
      asked.next();
      await service.gate;
      if (service.isBroken) throw new Error('no room for one more call');
      const { code } = service;
      if (code === 0) service.given += 1n;
      return { code, dwNegotiatedVersion: 1, hClientHandle: service.given as ClientHandle };
    },
    async WFDCloseHandle(handle: ClientHandle) {
      service.closed.push(handle);
      return { code: 0 };
    },
  } as unknown as Wlanapi;
  const calls = new NativeCalls(
    { nativeCallsMax: 12, slowCallsMax: 4, nativeCallWarnMs: HOUR },
    { onNativeReturned: () => {}, onNativeSlow: () => {} },
  );
  const all = { probeIntervalMs: HOUR, reopenBackoffMinMs: HOUR, reopenBackoffMaxMs: HOUR, ...settings };
  const handle = new ServiceHandle(wlanapi, calls, all, async (outcome) => {
    service.lost.push(outcome);
  });
  return { handle, service };
}

const turn = () => new Promise(setImmediate);

test('before it is open the service counts as not running; then it is READY, with the version', async (t) => {
  const { handle } = make();
  t.is(handle.status.fault?.reason, 'WLAN_SERVICE_NOT_RUNNING');
  t.is(handle.status.negotiatedVersion, 0);
  t.is((await handle.open()).fault, undefined);
  t.deepEqual(handle.status, { fault: undefined, negotiatedVersion: 1 });
  t.is(handle.current, 1n as ClientHandle);
  await handle.close();
});

test('who asks while it is being opened shares that call', async (t) => {
  const { handle, service } = make();
  await Promise.all([handle.open(), handle.open(), handle.verify(), handle.open()]);
  t.is(service.opens.length, 1);
  await handle.close();
});

test('the service is asked with a second handle, which is closed', async (t) => {
  const { handle, service } = make();
  await handle.open();
  await handle.verify();
  t.is(service.opens.length, 2);
  t.deepEqual(service.closed, [2n]);
  t.is(handle.current, 1n as ClientHandle);
  await handle.close();
  t.deepEqual(service.closed, [2n, 1n]);
});

test('who asks while a question is under way shares the next, as the service may have gone in between', async (t) => {
  const { handle, service } = make();
  await handle.open();
  const early = handle.verify();
  // The question has been put; it will be answered with what was so now.
  await service.opened(2);
  const late = [handle.verify(), handle.verifySoon(), handle.verify()];
  await early;
  t.is(service.opens.length, 2);
  service.code = 1062;
  await Promise.all(late);
  t.is(service.opens.length, 3);
  t.is(service.lost.length, 1);
  await handle.close();
});

test('a service that does not answer is lost once, and its handle closed once', async (t) => {
  const { handle, service } = make();
  await handle.open();
  service.code = 1726;
  await handle.verify();
  t.is(service.lost.length, 1);
  t.is(service.lost[0]?.fault?.reason, 'WLAN_SERVICE_UNREACHABLE');
  t.is(handle.current, undefined);
  t.is(handle.status.fault?.reason, 'WLAN_SERVICE_UNREACHABLE');
  t.is(handle.status.negotiatedVersion, 0, 'there is no handle');
  handle.invalidate(stopped);
  await turn();
  t.is(service.lost.length, 1);
  t.deepEqual(service.closed, [1n]);
  await handle.close();
  t.deepEqual(service.closed, [1n]);
});

test('an answer that does not speak of the service loses nothing', async (t) => {
  const { handle, service } = make();
  await handle.open();
  for (const code of [8, 1220, 5, 4319]) {
    service.code = code;
    await handle.verify();
  }
  t.deepEqual(service.lost, []);
  t.is(handle.current, 1n as ClientHandle);
  await handle.close();
});

for (const [code, reason] of [
  [5, 'HOST_ACCESS_DENIED'],
  [0x8007_0005, 'HOST_ACCESS_DENIED'],
  [5023, 'WIFI_DIRECT_DISABLED_BY_POLICY'],
  [4319, 'NATIVE_ERROR'],
] as const) {
  test(`a service that answers a probe with ${code} refuses the host: the status says so until a probe succeeds`, async (t) => {
    const { handle, service } = make();
    const told: (string | undefined)[] = [];
    await handle.open();
    handle.statuses.subscribe(({ fault }) => told.push(fault?.reason));
    service.code = code;
    await handle.verify();
    await handle.verify();
    t.is(handle.status.fault?.reason, reason);
    t.is(handle.status.negotiatedVersion, 1, 'the handle is still there');
    t.is(handle.current, 1n as ClientHandle);
    service.code = 0;
    await handle.verify();
    t.deepEqual(told, [undefined, reason, undefined]);
    t.deepEqual(service.lost, []);
    await handle.close();
    t.deepEqual(service.closed, [2n, 1n]);
  });
}

test('a service that has no room for a second handle, or is too busy, says nothing of the host', async (t) => {
  const { handle, service } = make();
  await handle.open();
  for (const code of [8, 14, 1220, 1723, 0x8007_000e, 0x8007_06bb]) {
    service.code = code;
    await handle.verify();
    t.is(handle.status.fault, undefined, String(code));
    t.is(handle.current, 1n as ClientHandle, String(code));
  }
  await handle.close();
});

test('while the service is gone it is tried again, with a pause that doubles up to its maximum', async (t) => {
  const { handle, service } = make({ reopenBackoffMinMs: 20, reopenBackoffMaxMs: 160 });
  service.code = 1062;
  await handle.open();
  await service.opened(7);
  await handle.close();
  const pauses = service.opens.slice(1).map((time, index) => time - (service.opens[index] ?? 0));
  // 20, 40, 80, 160, 160, 160, each a fifth more or less, and more on a busy machine.
  for (const [index, ms] of [20, 40, 80, 160, 160, 160].entries())
    t.true((pauses[index] ?? 0) > ms * 0.75, `${pauses}`);
});

test('one failure after another is told once, another failure anew', async (t) => {
  const { handle, service } = make({ reopenBackoffMinMs: 1, reopenBackoffMaxMs: 1 });
  const told: (string | undefined)[] = [];
  handle.statuses.subscribe(({ fault }) => told.push(fault?.reason));
  service.code = 1722;
  await handle.open();
  await service.opened(5);
  service.code = 5;
  await handle.open();
  await service.opened(8);
  service.code = 0;
  await handle.open();
  t.deepEqual(told, ['WLAN_SERVICE_NOT_RUNNING', 'WLAN_SERVICE_UNREACHABLE', 'HOST_ACCESS_DENIED', undefined]);
  await handle.close();
});

for (const isOpen of [true, false]) {
  test(`a question that can't be put is put again later, with a handle: ${isOpen}`, async (t) => {
    const { handle, service } = make({ probeIntervalMs: 1, reopenBackoffMinMs: 1 });
    service.code = isOpen ? 0 : 1062;
    await handle.open();
    service.isBroken = true;
    await service.opened(4);
    service.isBroken = false;
    service.code = 0;
    await service.opened(service.opens.length + 2);
    t.deepEqual(service.lost, []);
    t.not(handle.current, undefined);
    await handle.close();
  });
}

test('after it has come back the pause is the shortest again', async (t) => {
  const { handle, service } = make({ reopenBackoffMinMs: 5, reopenBackoffMaxMs: HOUR });
  service.code = 1062;
  // Each failure doubles the pause, up to an hour.
  for (let failures = 0; failures < 30; failures += 1) await handle.open();
  service.code = 0;
  await handle.open();
  const before = service.opens.length;
  handle.invalidate(stopped);
  // Only with the shortest pause does this come to an end.
  await service.opened(before + 1);
  await handle.open();
  t.is(handle.status.fault, undefined);
  await handle.close();
});

test('a handle that a service which answers has forgotten is replaced at once', async (t) => {
  const { handle, service } = make();
  await handle.open();
  handle.invalidate(forgotten);
  t.is(handle.current, undefined);
  t.is(handle.status.fault?.reason, 'NATIVE_HANDLE_LOST');
  await firstValueFrom(handle.statuses.pipe(filter(({ fault }) => fault === undefined)));
  t.is(handle.current, 2n as ClientHandle);
  t.is(handle.status.fault, undefined);
  t.deepEqual(service.lost, [forgotten]);
  await handle.close();
  t.deepEqual(service.closed, [1n, 2n]);
});

test('a handle that is lost while the service is asked is replaced, and the answer says nothing of the new one', async (t) => {
  const { handle, service } = make();
  await handle.open();
  let answer = () => {};
  service.gate = new Promise((resolve) => {
    answer = resolve;
  });
  const asked = handle.verify();
  await service.opened(2);
  service.gate = undefined;
  handle.invalidate(forgotten);
  await firstValueFrom(handle.statuses.pipe(filter(({ fault }) => fault === undefined)));
  t.is(handle.current, 2n as ClientHandle);
  service.code = 1726;
  answer();
  await asked;
  t.is(handle.current, 2n as ClientHandle);
  t.deepEqual(service.lost, [forgotten]);
  await handle.close();
});

test('a question that hangs is not waited for by those who can not', async (t) => {
  const { handle, service } = make();
  await handle.open();
  let answer = () => {};
  service.gate = new Promise((resolve) => {
    answer = resolve;
  });
  await handle.verifySoon();
  t.deepEqual(service.lost, []);
  answer();
  await handle.verify();
  await handle.close();
});

test('a handle that is given while it is being closed is closed too', async (t) => {
  const { handle, service } = make();
  let answer = () => {};
  service.gate = new Promise((resolve) => {
    answer = resolve;
  });
  const opening = handle.open();
  const closing = handle.close();
  answer();
  await Promise.all([opening, closing]);
  t.is(handle.current, undefined);
  t.deepEqual(service.closed, [1n]);
});

test('a handle that is asked for after the close has begun is closed again', async (t) => {
  const { handle, service } = make();
  await handle.close();
  await handle.open();
  t.is(handle.current, undefined);
  t.deepEqual(service.closed, [1n]);
});

test('where Wi-Fi Direct can never be reached nothing is asked, and what is missing is told', async (t) => {
  const { handle, service } = make();
  handle.disable(new LibraryNotAvailable('wlanapi.dll', undefined, 'not there'));
  t.is(handle.status.fault?.reason, 'DRIVER_NOT_AVAILABLE');
  await handle.close();
  t.deepEqual(service.opens, []);
});
