/** The agent of the TypeScript client; see protocol.ts. */
import { createInterface } from 'node:readline';
import { concatMap, EMPTY, from, ignoreElements, lastValueFrom, map, type Observable, Subject, takeUntil } from 'rxjs';
import {
  type Client,
  connect,
  type Device,
  DisconnectEvidence,
  DriverKind,
  GatewayError,
  HostState,
  type NativeResult,
  nameOf,
  type Session,
  type SessionAt,
  SessionEndReason,
  type SessionEvent,
  SessionEventType,
  SessionState,
  type SessionWatchItem,
  status,
} from '../../../clients/typescript/src/client.js';
import type { Command, ErrorItem } from '../protocol.js';

/** A source of tokens that has none. */
const noToken = (): string => {
  throw new Error('the vault is sealed');
};

let client: Client | undefined;
const leaving = new Map<number, Subject<void>>();

function carryOut(command: Command, left: Observable<unknown>): Observable<unknown> {
  if (command.do === 'connect') {
    const { address, caFile, certFile, keyFile, connectTimeoutMs, timeoutMs, metadata } = command;
    const token = command.tokenFails === true ? noToken : command.token;
    const file = (path: string | undefined) => (path === undefined ? undefined : { file: path });
    const tls = caFile === undefined ? undefined : { ca: file(caFile), cert: file(certFile), key: file(keyFile) };
    client?.close();
    client = connect(address, { tls, token, connectTimeoutMs, timeoutMs, metadata: metadata && (() => metadata) });
    return EMPTY;
  }
  if (client === undefined) throw new Error('connect comes first');
  const { sessions, devices } = client;
  switch (command.do) {
    case 'open':
      return sessions.open(command).pipe(
        takeUntil(left),
        map((event) => ({ event: eventItem(event) })),
      );
    case 'watch': {
      const { backoffInitialMs: initialMs = 20, backoffMaxMs: maxMs = 100 } = command;
      return sessions.watch({ ...command, backoff: { initialMs, maxMs } }).pipe(takeUntil(left), map(watchItem));
    }
    case 'leave':
      leaving.get(command.command)?.next();
      return EMPTY;
    case 'get':
      return from(sessions.get(command.sessionId)).pipe(map(sessionAt));
    case 'cancel':
      return from(sessions.cancel(command.sessionId)).pipe(map(sessionAt));
    case 'close':
      return from(sessions.close(command.sessionId, command)).pipe(map(sessionAt));
    case 'renew':
      return from(sessions.renew(command.sessionId, command)).pipe(map(sessionAt));
    case 'sessions':
      return from(sessions.list()).pipe(
        concatMap((page) => page.sessions),
        map((session) => ({ session: sessionItem(session) })),
      );
    case 'devices':
      return from(devices.list()).pipe(
        concatMap((page) => page.devices),
        map((device) => ({ device: deviceItem(device) })),
      );
    case 'find':
      return from(devices.updateVisibility(command.deviceAddress)).pipe(
        map(({ device }) => ({ device: deviceItem(device) })),
      );
    case 'host':
      return from(hostItem(client));
  }
}

async function* hostItem(client: Client) {
  const { state, driver } = await client.host();
  const host = { state: nameOf(HostState, state), driver: nameOf(DriverKind, driver?.kind ?? 0) };
  yield { host, health: await client.health() };
}

function watchItem(item: SessionWatchItem) {
  switch (item.kind) {
    case 'snapshot':
      return { ...item, sessions: item.sessions.map(sessionItem) };
    case 'event':
      return { ...item, event: eventItem(item.event) };
    case 'disconnected':
      return { ...item, error: errorItem(item.error) };
    case 'bookmark':
      return item;
  }
}

function sessionAt({ session, cursor }: SessionAt) {
  return { session: sessionItem(session), cursor };
}

function eventItem({ type, sequence, session, nativeResult }: SessionEvent) {
  return {
    type: nameOf(SessionEventType, type),
    sequence: Number(sequence),
    session: session && sessionItem(session),
    native: nativeItem(nativeResult),
  };
}

function sessionItem({ sessionId, state, owner, end }: Session) {
  return {
    id: sessionId,
    state: nameOf(SessionState, state),
    owner,
    reason: end && nameOf(SessionEndReason, end.reason),
    evidence: end && nameOf(DisconnectEvidence, end.evidence),
  };
}

function deviceItem({ deviceAddress, name, isVisible }: Device) {
  return { address: deviceAddress, name, isVisible };
}

function errorItem(thrown: unknown): ErrorItem {
  if (!(thrown instanceof GatewayError)) return { code: 'THREW', reason: String(thrown) };
  const { code, message, reason, metadata, native, retryDelayMs, fieldViolations } = thrown;
  return {
    code: nameOf(status as unknown as Record<string, number>, code),
    message,
    reason: reason ?? null,
    metadata,
    native: nativeItem(native) ?? null,
    retryDelayMs: retryDelayMs ?? null,
    fields: fieldViolations.map(({ field }) => field),
  };
}

function nativeItem(native: NativeResult | undefined) {
  return native && { function: native.function, code: native.code, name: native.name, reasonCode: native.reasonCode };
}

function write(line: object): void {
  process.stdout.write(`${JSON.stringify(line, (_, value) => value ?? undefined)}\n`);
}

async function answer(text: string): Promise<void> {
  const command = JSON.parse(text) as Command;
  const { id } = command;
  const left = new Subject<void>();
  leaving.set(id, left);
  try {
    const items = carryOut(command, left).pipe(
      map((item) => write({ id, item })),
      ignoreElements(),
    );
    await lastValueFrom(items, { defaultValue: undefined });
    write({ id, end: {} });
  } catch (error) {
    write({ id, end: { error: errorItem(error) } });
  } finally {
    leaving.delete(id);
  }
}

createInterface({ input: process.stdin })
  .on('line', (text) => void answer(text))
  .on('close', () => client?.close());
