/**
 * The session check of `--open`: it opens, holds and closes a session, cancels an open, and kills a
 * process that has a session. It records what Windows shows at each step and judges it at the end.
 *
 * Invariant: every opened session is closed, whatever happens in between.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { findProperty } from '../../native/cfgmgr32.js';
import * as c from '../../native/constants.js';
import type { NativeLibraries } from '../../native/load.js';
import { macToBytes } from '../../native/types.js';
import { type ClientHandle, type OpenSessionComplete, openSessionCallbacks } from '../../native/wlanapi.js';
import { LATE, within } from '../deadline.js';
import { type Check, codeText, type Facts, type Finding, failed, ok, timed, together, warning } from './check.js';
import type { SessionWish } from './host.js';

/** How often the link is polled. */
const LOOK_MS = 1000;
/** When the interface is queried after the open. */
const INTERFACE_AT_MS = [0, 100, 1000, 3000];
/** An open that takes longer has hung. */
const OPEN_LIMIT_MS = 150_000;

export const session: Check = {
  id: 'session',
  title: 'Test session',
  notHere: ({ session: wish }) => (wish === undefined ? 'needs --open ADDRESS' : undefined),
  limitMs: ({ session: wish }) => 3 * OPEN_LIMIT_MS + (wish?.holdMs ?? 0) + 3 * (wish?.watchMs ?? 0),
  run: async ({ native, session: wish, isSimulated }) => {
    if (wish === undefined) return ok('No session was requested.');
    const { code, hClientHandle } = await native.wlanapi.WFDOpenHandle(c.WFD_API_VERSION);
    if (code !== 0) return failed(`WFDOpenHandle failed: ${codeText(code)}.`, 'See the check "Wi-Fi Direct" above.');
    try {
      const whole = await openHoldClose(native, hClientHandle, wish);
      if (whole.state === 'failed') return whole;
      const cancelled = await openAndCancel(native, hClientHandle, wish);
      return together([whole, cancelled, await openAndDie(native, wish, isSimulated)]);
    } finally {
      await native.wlanapi.WFDCloseHandle(hClientHandle);
    }
  },
};

interface Opening {
  readonly code: number;
  readonly hSessionHandle: Parameters<NativeLibraries['wlanapi']['WFDCloseSession']>[0];
  readonly returnedMs: number;
  /** Undefined if no callback came in time. */
  readonly completion: (OpenSessionComplete & { readonly atMs: number; readonly beforeReturn: boolean }) | undefined;
}

/** Starts an open and waits for its outcome. Calls `started` if WFDStartOpenSession returns 0. */
async function open(
  { wlanapi }: NativeLibraries,
  client: ClientHandle,
  address: string,
  started: (handle: Opening['hSessionHandle']) => Promise<void> = async () => {},
): Promise<Opening> {
  const startMs = performance.now();
  const sinceStart = () => Math.round(performance.now() - startMs);
  let hasReturned = false;
  let arrive: (completion: Opening['completion']) => void = () => {};
  const arrived = new Promise<Opening['completion']>((resolve) => {
    arrive = resolve;
  });
  const context = openSessionCallbacks.registerContext((event) =>
    arrive({ ...event, atMs: sinceStart(), beforeReturn: !hasReturned }),
  );
  const { code, hSessionHandle } = await wlanapi.WFDStartOpenSession(client, address, context);
  hasReturned = true;
  const returnedMs = sinceStart();
  if (code !== 0) {
    openSessionCallbacks.forgetContext(context);
    return { code, hSessionHandle, returnedMs, completion: undefined };
  }
  await started(hSessionHandle);
  const answer = await within(OPEN_LIMIT_MS, arrived);
  const completion = answer === LATE ? undefined : answer;
  // The context is kept until its callback has come, which may still happen.
  if (completion !== undefined) openSessionCallbacks.forgetContext(context);
  return { code, hSessionHandle, returnedMs, completion };
}

async function openHoldClose(native: NativeLibraries, client: ClientHandle, wish: SessionWish): Promise<Finding> {
  const { wlanapi } = native;
  const opening = await open(native, client, wish.address);
  const outcome = await describeOpening(native, opening);
  if (opening.completion === undefined || opening.completion.dwError !== 0) {
    const help = 'Check that the device is on, in range and paired. The code and the reason come from Windows.';
    return failed(`The session did not open: ${outcome.text}.`, help, { open: outcome.facts });
  }
  let held: Held;
  try {
    held = await hold(native, opening.completion.guidSessionInterface, wish);
  } catch (error) {
    await wlanapi.WFDCloseSession(opening.hSessionHandle);
    throw error;
  }
  const closed = await timed(() => wlanapi.WFDCloseSession(opening.hSessionHandle));
  const gone = await watchGone(native, held.luid, wish);
  const close = { code: codeText(closed.answer.code), ms: closed.ms, ...gone };
  const facts = { open: outcome.facts, hold: held.facts, close };
  return judgeSession({ text: outcome.text, held, closeCode: closed.answer.code, gone, wish }, facts);
}

interface Judged {
  readonly text: string;
  readonly held: Pick<Held, 'luid' | 'lostAtMs' | 'connectedAtMs'>;
  readonly closeCode: number;
  readonly gone: { readonly disconnectedMs: number | undefined; readonly downMs: number | undefined };
  readonly wish: Pick<SessionWish, 'holdMs' | 'watchMs'>;
}

/** Compares what was observed with what the daemon assumes. */
export function judgeSession({ text, held, closeCode, gone, wish }: Judged, facts: Facts): Finding {
  const findings: Finding[] = [];
  if (held.lostAtMs !== undefined) {
    const seen = `The link went down ${held.lostAtMs} ms after the open, before it was closed.`;
    findings.push(failed(seen, 'Send us the report. Windows may drop sessions that no WinRT object holds.'));
  }
  if (held.luid === undefined) {
    findings.push(warning('The interface of the session could not be found by its GUID.', 'Send us the report.'));
  }
  if (held.connectedAtMs === undefined) {
    findings.push(
      warning(
        'Windows never showed the device as connected.',
        'Send us the report. The daemon relies on this property.',
      ),
    );
  }
  if (closeCode !== 0) findings.push(failed(`WFDCloseSession failed: ${codeText(closeCode)}.`, 'Send us the report.'));
  if (gone.disconnectedMs === undefined && gone.downMs === undefined) {
    const seen = `Windows did not show within ${wish.watchMs} ms that the closed link is down.`;
    findings.push(warning(seen, 'Send us the report. Another program may hold the link.'));
  }
  if (findings.length > 0) return together(findings, facts);
  const evidence = [
    ...(gone.disconnectedMs === undefined ? [] : [`the device disconnected after ${gone.disconnectedMs} ms`]),
    ...(gone.downMs === undefined ? [] : [`the interface went down after ${gone.downMs} ms`]),
  ];
  return ok(`${text}; held for ${wish.holdMs} ms; closed: ${evidence.join(', ')}.`, facts);
}

async function describeOpening({ wlanapi }: NativeLibraries, { code, returnedMs, completion }: Opening) {
  if (completion === undefined) {
    const text = code === 0 ? 'no callback came' : `WFDStartOpenSession failed: ${codeText(code)}`;
    return { text, facts: { code: codeText(code), returnedMs } };
  }
  const { dwError, dwReasonCode, atMs, beforeReturn, guidSessionInterface } = completion;
  const reason = dwReasonCode === 0 ? '' : (await wlanapi.WlanReasonCodeToString(dwReasonCode)).stringBuffer;
  const text =
    dwError === 0 ? `opened in ${atMs} ms` : `${codeText(dwError)}, reason ${dwReasonCode} ${reason}, after ${atMs} ms`;
  const facts = { code, returnedMs, callbackMs: atMs, beforeReturn, dwError: codeText(dwError), dwReasonCode, reason };
  return { text, facts: { ...facts, interface: guidSessionInterface } };
}

interface Held {
  readonly luid: bigint | undefined;
  readonly connectedAtMs: number | undefined;
  readonly lostAtMs: number | undefined;
  readonly facts: Facts;
}

/** Polls the link once a second while the session is held, and records each change. */
async function hold(native: NativeLibraries, guid: string, { address, holdMs }: SessionWish): Promise<Held> {
  const startMs = performance.now();
  const sinceOpen = () => Math.round(performance.now() - startMs);
  const resolved: Facts[] = [];
  let luid: bigint | undefined;
  const resolve = async (): Promise<void> => {
    for (const atMs of INTERFACE_AT_MS.filter((each) => each <= holdMs)) {
      await wait(Math.max(0, atMs - sinceOpen()));
      const { code, InterfaceLuid } = await native.iphlpapi.ConvertInterfaceGuidToLuid(guid);
      resolved.push({ atMs: sinceOpen(), code: codeText(code) });
      if (code === 0) luid ??= InterfaceLuid;
    }
  };
  const resolving = resolve();
  const changes: Facts[] = [];
  let last = '';
  let connectedAtMs: number | undefined;
  let lostAtMs: number | undefined;
  for (;;) {
    const sight = await look(native, address, luid);
    const atMs = sinceOpen();
    const text = JSON.stringify(sight);
    if (text !== last) changes.push({ atMs, ...sight });
    last = text;
    if (sight.isConnected === true) connectedAtMs ??= atMs;
    if (connectedAtMs !== undefined && sight.isConnected !== true) lostAtMs ??= atMs;
    if (atMs >= holdMs || lostAtMs !== undefined) break;
    await wait(Math.min(LOOK_MS, holdMs - atMs));
  }
  await resolving;
  return { luid, connectedAtMs, lostAtMs, facts: { resolved, changes, connectedAtMs, lostAtMs } };
}

interface Sight {
  readonly isConnected: boolean | undefined;
  readonly interfaceCode?: number;
  readonly OperStatus?: number | undefined;
  readonly MediaConnectState?: number | undefined;
  readonly addresses?: number;
  readonly neighbours?: number;
}

/** Reads the state of a link: the device, the interface, its addresses and its neighbours. */
async function look(
  { cfgmgr32, iphlpapi }: NativeLibraries,
  address: string,
  luid: bigint | undefined,
): Promise<Sight> {
  const key = c.DEVPKEY_WiFiDirect_DeviceAddress;
  const Property = { Key: key, Type: c.DEVPROP_TYPE_BINARY, Value: macToBytes(address) };
  const filter = { Operator: c.DEVPROP_OPERATOR_EQUALS, Property };
  const asked = [key, c.DEVPKEY_WiFiDirect_IsConnected];
  const flags = c.DevQueryFlagNone;
  const { code: deviceCode, Objects } = await cfgmgr32.DevGetObjects(c.DevObjectTypeDevice, flags, asked, [filter]);
  const isConnected =
    deviceCode === 0
      ? Objects.some((each) => findProperty(each, c.DEVPKEY_WiFiDirect_IsConnected) === true)
      : undefined;
  if (luid === undefined) return { isConnected };
  const of = new Set([luid]);
  const [entry, addresses, neighbours] = await Promise.all([
    iphlpapi.GetIfEntry2(luid),
    iphlpapi.GetUnicastIpAddressTable(c.AF_UNSPEC, of),
    iphlpapi.GetIpNetTable2(c.AF_UNSPEC, of),
  ]);
  const { OperStatus, MediaConnectState } = entry.code === 0 ? entry.Row : {};
  return {
    isConnected,
    interfaceCode: entry.code,
    ...{ OperStatus, MediaConnectState, addresses: addresses.Table.length, neighbours: neighbours.Table.length },
  };
}

/**
 * Measures when the device and the interface show that the link is down; undefined if not in time.
 */
async function watchGone(native: NativeLibraries, luid: bigint | undefined, { address, watchMs }: SessionWish) {
  const startMs = performance.now();
  let disconnectedMs: number | undefined;
  let downMs: number | undefined;
  for (;;) {
    const sight = await look(native, address, luid);
    const atMs = Math.round(performance.now() - startMs);
    if (sight.isConnected === false) disconnectedMs ??= atMs;
    const isDown = luid !== undefined && (sight.interfaceCode !== 0 || sight.OperStatus !== c.IfOperStatusUp);
    if (isDown) downMs ??= atMs;
    const isDone = disconnectedMs !== undefined && (luid === undefined || downMs !== undefined);
    if (isDone || atMs >= watchMs) return { disconnectedMs, downMs };
    await wait(Math.min(100, watchMs - atMs));
  }
}

async function openAndCancel(native: NativeLibraries, client: ClientHandle, wish: SessionWish): Promise<Finding> {
  const { wlanapi } = native;
  let cancelCode = 0;
  const opening = await open(native, client, wish.address, async (handle) => {
    cancelCode = (await wlanapi.WFDCancelOpenSession(handle)).code;
  });
  const outcome = await describeOpening(native, opening);
  const facts = { cancel: { ...outcome.facts, cancelCode: codeText(cancelCode) } };
  if (opening.code !== 0) return warning(`A second open failed: ${outcome.text}.`, 'Send us the report.', facts);
  if (opening.completion === undefined) {
    return failed(
      'A cancelled open did not call back.',
      'Send us the report. The daemon would have to wait for it.',
      facts,
    );
  }
  if (opening.completion.dwError === 0) {
    await wlanapi.WFDCloseSession(opening.hSessionHandle);
    return ok('The cancel came too late, so the session was closed.', facts);
  }
  return ok(`A cancelled open ended with ${codeText(opening.completion.dwError)}.`, facts);
}

/** Kills a child that has a session, to see whether Windows takes the link down. */
async function openAndDie(native: NativeLibraries, wish: SessionWish, isSimulated: boolean): Promise<Finding> {
  const child = wish.startChild(wish.address);
  let code: number;
  try {
    code = await child.opened;
  } finally {
    await child.kill();
  }
  if (code !== 0) {
    const facts = { death: { openCode: codeText(code) } };
    return warning(
      `The process to be killed could not open a session: ${codeText(code)}.`,
      'Send us the report.',
      facts,
    );
  }
  if (isSimulated) {
    // Each process has its own simulated world, so the session of the child is not visible here.
    return ok('A process with a session was killed. Its simulated devices ended with it.', { death: 'simulated' });
  }
  const { disconnectedMs } = await watchGone(native, undefined, wish);
  const facts = { death: { disconnectedMs } };
  if (disconnectedMs !== undefined)
    return ok(`The session of a killed process ended within ${disconnectedMs} ms.`, facts);
  const help = 'To end it, restart WLAN AutoConfig (net stop WlanSvc, net start WlanSvc). Send us the report.';
  return failed('The session of a killed process stayed up.', help, facts);
}

/** The child process: opens a session, prints the result code, and waits to be killed. */
export async function openAndStay(
  native: NativeLibraries,
  address: string,
  say: (text: string) => void,
): Promise<void> {
  const { code, hClientHandle } = await native.wlanapi.WFDOpenHandle(c.WFD_API_VERSION);
  const opening = code === 0 ? await open(native, hClientHandle, address) : undefined;
  const outcome = opening?.completion?.dwError ?? (opening?.code || code || c.winerror.ERROR_TIMEOUT);
  say(`opened ${outcome}\n`);
  // The parent kills this process. If the parent dies first, stdin closes and this process kills
  // itself.
  process.stdin.resume().once('close', () => process.kill(process.pid, 'SIGKILL'));
  await new Promise(() => setInterval(() => {}, 60_000));
}
