/** `wfdctl close`, `cancel`, `renew`, `get`, `list`: one question to the host, one answer. */
import { type Session, type SessionAt, type SessionPage, SessionState } from '../../../typescript/src/client.js';
import { EXIT, type ExitCode } from '../exit-code.js';
import { Failure } from '../failure.js';
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
    text: (style) => describeSession(shown.session, shown.cursor, style, nowOf(shown)),
    message: () => messages.sessionAt(shown),
    names: () => [shown.session.sessionId],
  });
  return EXIT.ok;
}

export interface ListOptions extends CallOptions {
  readonly state?: readonly (keyof typeof SessionState)[];
  readonly device?: string;
  readonly owner?: string;
  /** Those that have ended as well. */
  readonly all?: boolean;
}

const LIVE = ['OPENING', 'OPEN', 'CANCELLING', 'CLOSING'] as const satisfies (keyof typeof SessionState)[];

/** Those that live, or that were asked for by their state; with `all`, those that have ended come after. */
export async function list(options: ListOptions, invocation: Invocation): Promise<ExitCode> {
  const { state, device, owner, all = false, timeout: timeoutMs } = options;
  if (all && state !== undefined)
    throw new Failure('usage', '--all is sessions in any state; leave it out, or leave out --state.');
  const client = await invocation.client();
  const states = (state ?? (all ? [] : LIVE)).map((name) => SessionState[name]);
  const pages = client.sessions.list({ states, deviceAddress: device, pageSize: PAGE_SIZE, timeoutMs });
  const { sessions: found, ...at } = await invocation.pending(`Waiting for ${invocation.host}`, allOf(pages));
  const owned = owner === undefined ? found : found.filter((session) => session.owner === owner);
  const live = new Set<SessionState>(LIVE.map((name) => SessionState[name]));
  const sessions = [...owned].sort((one, other) => Number(live.has(other.state)) - Number(live.has(one.state)));
  const none = all || state !== undefined ? 'No sessions.\n' : 'No live sessions; --all shows those that ended.\n';
  invocation.output.result({
    text: (style) => (sessions.length === 0 ? none : listOfSessions(sessions, style, nowOf(at))),
    message: () => messages.listSessions(sessions, at.cursor, at.hostTime),
    names: () => sessions.map(({ sessionId }) => sessionId),
  });
  return EXIT.ok;
}

/** The most that a host puts on one. */
const PAGE_SIZE = 1000;

/** A watch from the cursor of the first page misses nothing that came while the others were read. */
async function allOf(pages: AsyncIterable<SessionPage>): Promise<SessionPage> {
  const sessions: Session[] = [];
  let first: SessionPage | undefined;
  for await (const page of pages) {
    first ??= page;
    sessions.push(...page.sessions);
  }
  return { sessions, cursor: first?.cursor ?? '', hostTime: first?.hostTime };
}

/** By the clock of the host: the one of this machine may differ. Only an older host does not tell it. */
function nowOf({ hostTime }: { readonly hostTime: Date | undefined }): number {
  return hostTime?.getTime() ?? Date.now();
}

function tell(shown: SessionAt, { output }: Invocation): ExitCode {
  output.result({
    text: (style) => sentenceOfSession(shown.session, style, nowOf(shown)),
    message: () => messages.sessionAt(shown),
    names: () => [shown.session.sessionId],
  });
  return EXIT.ok;
}
