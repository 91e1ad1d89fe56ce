/**
 * A remote client's walk through the life of three sessions, and of a watch that is cut, told as a
 * time line: `walkthrough.js HOST:PORT`. Knows the host only by its address, and fails where
 * something is not as the contract says.
 */
import { styleText } from 'node:util';
import { filter, firstValueFrom, map, ReplaySubject, takeWhile, toArray } from 'rxjs';
import {
  type Client,
  connect,
  type Device,
  DisconnectEvidence,
  DriverKind,
  type GatewayError,
  type HeldSession,
  nameOf,
  type SessionEvent,
  SessionEventType,
  SessionState,
  type SessionWatchItem,
  status,
} from '../../clients/typescript/src/client.js';
import { Way } from '../conformance/way.js';

type Style = Parameters<typeof styleText>[0];

const hasColors = process.stdout.isTTY && process.stdout.hasColors();
const paint = (style: Style, text: string): string => (hasColors ? styleText(style, text) : text);

const stateStyles: Partial<Record<string, Style>> = {
  OPEN: 'green',
  CLOSED: 'cyan',
  FAILED: 'red',
  LOST: 'red',
  CANCELLED: 'yellow',
};

let startedMs = performance.now();

async function walk(client: Client, address: string): Promise<void> {
  const devices = await introduce(client);
  const [near, nextNear] = devices.filter(({ isVisible, isLegacy }) => isVisible && !isLegacy);
  const far = devices.find(({ isVisible }) => isVisible === false);
  if (!near || !nextNear || !far) throw new Error('The host lacks the devices that this walk needs.');

  chapter(1, `A session to ${near.name} opens, and is closed`);
  const first = begin(client, near);
  await first.session.opened;
  await firstValueFrom(first.session.events.pipe(filter(hasAddresses)));
  does('CloseSession');
  const { end } = await first.session.close();
  expect((await first.outcome) === undefined, 'the stream of a closed session ends well');
  expect(end?.evidence !== DisconnectEvidence.UNCONFIRMED, 'the end of the connection was seen');

  chapter(2, `A session to ${far.name}, which is out of range, fails`);
  const second = begin(client, far);
  const { state } = await second.session.ended;
  const failure = await second.outcome;
  expect(state === SessionState.FAILED && failure?.native !== undefined, 'the failure has a native code');
  if (failure?.native) {
    const { function: name, code, name: codeName, reasonCode, reasonText } = failure.native;
    const stream = `the stream ends ${status[failure.code]}, ${failure.reason}`;
    tell('', stream, `${name}: ${code} ${codeName}`, `reason ${reasonCode}: ${reasonText}`);
  }

  chapter(3, `A session to ${nextNear.name} is cancelled while it opens`);
  const third = begin(client, nextNear);
  await firstValueFrom(third.session.events);
  does('CancelOpenSession');
  await client.sessions.cancel(third.session.sessionId);
  expect((await third.session.ended).state === SessionState.CANCELLED, 'a cancelled session ends CANCELLED');
  expect((await third.outcome) === undefined, 'the stream of a cancelled session ends well');

  chapter(4, 'A watch is cut off, misses a session, and resumes');
  await cutWatch(client, address, near);
}

async function introduce(client: Client): Promise<Device[]> {
  const { hostname, driver } = await client.host();
  const isSimulated = driver?.kind === DriverKind.SIMULATOR;
  const reality = isSimulated
    ? 'It runs on the SIMULATOR: no radio is used, and its devices, delays and faults are made up.'
    : 'It runs on the Wi-Fi Direct of Windows.';
  console.log(`A client (process ${process.pid}) has connected to the host ${hostname}. ${reality}\n`);
  console.log('Its paired devices:');
  const devices: Device[] = [];
  for await (const page of client.devices.list()) devices.push(...page.devices);
  for (const { deviceAddress, name, isVisible, isLegacy } of devices) {
    const traits = [...(isLegacy ? ['legacy'] : []), ...(isVisible === false ? ['out of range'] : [])];
    console.log(`  ${paint('dim', deviceAddress)}  ${name}${traits.length > 0 ? ` (${traits})` : ''}`);
  }
  return devices;
}

/** Opens a session and tells its events; `outcome` is what its stream ends with. */
function begin(
  client: Client,
  { deviceAddress }: Device,
): { session: HeldSession; outcome: Promise<GatewayError | undefined> } {
  startedMs = performance.now();
  does('OpenSession');
  const session = client.sessions.hold({ deviceAddress });
  const outcome = new Promise<GatewayError | undefined>((resolve) => {
    session.events.subscribe({
      next: (event) => tell(...words(event)),
      error: (error: GatewayError) => resolve(error),
      complete: () => resolve(undefined),
    });
  });
  return { session, outcome };
}

/** Watches by a way of its own, which is cut while a session comes and goes. */
async function cutWatch(client: Client, address: string, { deviceAddress }: Device): Promise<void> {
  startedMs = performance.now();
  await using way = await Way.to(address);
  const watcher = connect(way.address);
  const items = new ReplaySubject<SessionWatchItem>();
  const watching = watcher.sessions.watch({ backoff: { initialMs: 50, maxMs: 200 } }).subscribe(items);
  items.subscribe({ next: tellItem, error: () => {} });
  try {
    await firstValueFrom(items.pipe(filter(({ kind }) => kind === 'snapshot')));
    way.cut();
    const session = client.sessions.hold({ deviceAddress });
    await session.opened;
    await session.close();
    tell('', 'meanwhile, a session came and went');
    way.mend();
    const events = items.pipe(
      filter((item) => item.kind === 'event'),
      map(({ event }) => event),
      takeWhile(
        (event) => event.session?.sessionId !== session.sessionId || event.session.state !== SessionState.CLOSED,
        true,
      ),
      toArray(),
    );
    const numbers = (await firstValueFrom(events)).map(({ sequence }) => sequence);
    expect(
      numbers.every((number, i) => i === 0 || number === (numbers[i - 1] ?? 0n) + 1n),
      'a watch that resumes sees every event once',
    );
  } finally {
    watching.unsubscribe();
    watcher.close();
  }
}

let wasCut = false;

function tellItem(item: SessionWatchItem): void {
  if (item.kind === 'snapshot') tell('snapshot', `${item.sessions.length} sessions`);
  // It tries again and again; once told is enough.
  if (item.kind === 'disconnected' && !wasCut) tell('disconnected', `again in ${item.retryInMs} ms`);
  wasCut = item.kind === 'disconnected';
  const [label = ''] = item.kind === 'event' ? words(item.event) : [];
  if (label !== '') tell(label);
}

/** The new state or what else happened, and what there is to say about it, line by line. */
function words({ type, session }: SessionEvent): [label: string, ...texts: string[]] {
  const { networkInterface, end } = session ?? {};
  switch (type) {
    case SessionEventType.OPENED:
      return ['OPEN', `interface ${networkInterface?.guid} (${networkInterface?.alias})`];
    case SessionEventType.NETWORK_INTERFACE_CHANGED:
      return ['', `addresses: ${networkInterface?.localAddresses.join(', ')}`];
    case SessionEventType.CLOSED:
      return ['CLOSED', `evidence ${nameOf(DisconnectEvidence, end?.evidence ?? 0)}`];
    default:
      return [nameOf(SessionEventType, type)];
  }
}

function hasAddresses({ session }: SessionEvent): boolean {
  return (session?.networkInterface?.peerAddresses.length ?? 0) > 0;
}

function chapter(number: number, title: string): void {
  console.log(`\n${paint('bold', `${number}. ${title}`)}`);
}

/** What the client does, as against what it is told. */
function does(rpc: string): void {
  tell(`> ${rpc}`);
}

function tell(label: string, ...texts: readonly string[]): void {
  const time = paint('dim', `+${((performance.now() - startedMs) / 1000).toFixed(3)} s`);
  const style = stateStyles[label];
  const first = style === undefined ? label.padEnd(12) : paint(style, label.padEnd(12));
  for (const [i, text] of [texts[0] ?? '', ...texts.slice(1)].entries()) {
    console.log(`   ${time}  ${i === 0 ? first : ' '.repeat(12)}  ${text}`.trimEnd());
  }
}

function expect(isSo: boolean, what: string): void {
  if (!isSo) throw new Error(`Not as promised: ${what}.`);
}

const [address] = process.argv.slice(2);
if (address === undefined) {
  console.error('Usage: walkthrough.js HOST:PORT');
  process.exitCode = 64;
} else {
  const client = connect(address);
  await walk(client, address)
    .then(() => console.log('\nok'))
    .catch((error: unknown) => {
      console.error(`\nThe walk ended early: ${error instanceof Error ? error.message : error}`);
      process.exitCode = 1;
    })
    .finally(() => client.close());
}
