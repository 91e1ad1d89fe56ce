/** `wfdctl close`, `cancel`, `renew`, `get`, `list`: one question to the host, one answer. */
import { type Session, type SessionAt, SessionState } from '../../../typescript/src/client.js';
import { EXIT, type ExitCode } from '../exit-code.js';
import type { Invocation } from '../invocation.js';
import * as messages from '../text/messages.js';
import { describeSession, listOfSessions, sentenceOfSession } from '../text/session.js';

export interface CallOptions {
  /** How long the answer may take, in ms. */
  readonly timeout?: number;
}

export async function close(
  id: string,
  options: CallOptions & { wait?: boolean },
  invocation: Invocation,
): Promise<ExitCode> {
  const { wait = false, timeout: timeoutMs } = options;
  const { sessions } = await invocation.client();
  const answer = sessions.close(id, { wait, timeoutMs });
  return tell(await invocation.pending(`Closing session ${id}`, answer), invocation);
}

export async function cancel(
  id: string,
  { timeout: timeoutMs }: CallOptions,
  invocation: Invocation,
): Promise<ExitCode> {
  const { sessions } = await invocation.client();
  return tell(await invocation.pending(`Cancelling session ${id}`, sessions.cancel(id, { timeoutMs })), invocation);
}

export async function renew(
  id: string,
  options: CallOptions & { ttl?: number },
  invocation: Invocation,
): Promise<ExitCode> {
  const { ttl: leaseTtlMs, timeout: timeoutMs } = options;
  const { sessions } = await invocation.client();
  const answer = sessions.renew(id, { leaseTtlMs, timeoutMs });
  return tell(await invocation.pending(`Renewing the lease of session ${id}`, answer), invocation);
}

export async function get(id: string, { timeout: timeoutMs }: CallOptions, invocation: Invocation): Promise<ExitCode> {
  const { sessions } = await invocation.client();
  const shown = await invocation.pending(`Waiting for ${invocation.host}`, sessions.get(id, { timeoutMs }));
  invocation.output.result({
    text: (style) => describeSession(shown.session, shown.cursor, style, Date.now()),
    message: () => messages.sessionAt(shown),
  });
  return EXIT.ok;
}

export interface ListOptions extends CallOptions {
  readonly state?: readonly (keyof typeof SessionState)[];
  readonly device?: string;
}

export async function list(
  { state = [], device, timeout: timeoutMs }: ListOptions,
  invocation: Invocation,
): Promise<ExitCode> {
  const client = await invocation.client();
  const states = state.map((name) => SessionState[name]);
  const pages = client.sessions.list({ states, deviceAddress: device, pageSize: PAGE_SIZE, timeoutMs });
  const { sessions, cursor } = await invocation.pending(`Waiting for ${invocation.host}`, allOf(pages));
  invocation.output.result({
    text: (style) => (sessions.length === 0 ? 'No sessions.\n' : listOfSessions(sessions, style, Date.now())),
    message: () => messages.listSessions(sessions, cursor),
  });
  return EXIT.ok;
}

/** The most that a host puts on one. */
const PAGE_SIZE = 1000;

/** A watch from the cursor of the first page misses nothing that came while the others were read. */
async function allOf(pages: AsyncIterable<{ sessions: readonly Session[]; cursor: string }>) {
  const sessions: Session[] = [];
  let first: string | undefined;
  for await (const page of pages) {
    first ??= page.cursor;
    sessions.push(...page.sessions);
  }
  return { sessions, cursor: first ?? '' };
}

function tell(shown: SessionAt, { output }: Invocation): ExitCode {
  output.result({
    text: (style) => sentenceOfSession(shown.session, style, Date.now()),
    message: () => messages.sessionAt(shown),
  });
  return EXIT.ok;
}
