/**
 * `wfdctl open`: a session that lives as long as this command or, detached, as long as its lease.
 *
 *   first event ---> time line ---> end of the stream
 *        |               |
 *     none in time    Ctrl+C: close, and go on to the end; once more: leave
 *
 * The rule that must not be broken: no way out leaves a session behind that nobody asked for. What is not closed here, the host
 * closes: a session without a lease ends with its stream, and one with a lease with that.
 */
import {
  type Client,
  GatewayError,
  type HeldSession,
  nameOf,
  type Session,
  type SessionAt,
  SessionEventType,
  SessionKind,
  SessionState,
  status,
} from '../../../typescript/src/client.js';
import { EXIT, type ExitCode } from '../exit-code.js';
import { Failure } from '../failure.js';
import type { Invocation } from '../invocation.js';
import { formatDuration } from '../text/duration.js';
import { opened, sessionAt } from '../text/messages.js';
import { lineOfLife } from '../text/time-line.js';
import { within } from '../within.js';

export interface OpenOptions {
  readonly sessionId?: string;
  readonly legacy?: boolean;
  /** How long the open may take, in ms. */
  readonly timeout?: number;
  readonly detach?: boolean;
  readonly ttl?: number;
}

/** The first event comes as soon as the host has the request. */
const ANSWER_MS = 10_000;

export async function open(deviceAddress: string, options: OpenOptions, invocation: Invocation): Promise<ExitCode> {
  const { sessionId, legacy, timeout: openTimeoutMs, detach = false, ttl: leaseTtlMs } = options;
  if (detach && leaseTtlMs === undefined)
    throw new Failure('usage', 'A detached session lives by its lease; give --ttl too.');
  if (!detach) invocation.output.refuseNames();
  const client = await invocation.client();
  const { host, output } = invocation;
  const kind = legacy === true ? SessionKind.LEGACY : SessionKind.WIFI_DIRECT;
  output.progress.begin(`Waiting for ${host}`);
  const held = client.sessions.hold({ deviceAddress, sessionId, kind, openTimeoutMs, leaseTtlMs });
  const ended = show(held, invocation, detach);
  const begun = Promise.race([seen(held, () => true), ended]);
  const wasOpen = Promise.race([seen(held, ({ openTime }) => openTime !== undefined), ended]);
  // Where the session never begins, nobody asks whether it was open.
  wasOpen.catch(() => {});
  const interrupts = closeAtInterrupt(held, begun, invocation, leaseTtlMs !== undefined);
  const renewals = detach || leaseTtlMs === undefined ? undefined : keepLease(held, leaseTtlMs, client);
  try {
    await Promise.race([interrupts.left, within(ANSWER_MS, begun, `${host} did not answer`)]);
    await Promise.race([interrupts.left, detach ? wasOpen : ended]);
    if (!(await wasOpen)) {
      if (interrupts.hasCome()) return EXIT.interrupted;
      throw new Failure('failed', 'The session was cancelled before it was open; open it again.');
    }
    if (!detach) return EXIT.ok;
    const shown = await Promise.race([interrupts.left, client.sessions.get(held.sessionId)]);
    // Whoever pressed Ctrl+C has not seen the id, and means to leave nothing behind.
    if (interrupts.hasCome()) await Promise.race([interrupts.left, ended]);
    else tellDetached(shown, leaseTtlMs, invocation);
    return interrupts.hasCome() ? EXIT.interrupted : EXIT.ok;
  } catch (error) {
    // Nobody has ended it: only the way to it broke.
    if (leaseTtlMs !== undefined && invocation.hasAnswered && isOfTheWay(error))
      output.hint(`Its lease keeps it for a while yet: wfdctl get ${held.sessionId}${invocation.sameHost}`);
    throw error;
  } finally {
    clearInterval(renewals);
    interrupts.stop();
  }
}

function isOfTheWay(error: unknown): boolean {
  return error instanceof GatewayError && error.code === status.UNAVAILABLE && error.reason === undefined;
}

/** Renewals in the time of a lease: two may fail. */
const RENEWALS_PER_LEASE = 3;

/** What a renewal fails with the stream tells as well, or the next one heals. */
function keepLease({ sessionId }: HeldSession, leaseTtlMs: number, { sessions }: Client): NodeJS.Timeout {
  const renew = (): void => void sessions.renew(sessionId, { leaseTtlMs }).catch(() => {});
  return setInterval(renew, leaseTtlMs / RENEWALS_PER_LEASE);
}

const PENDING: Readonly<Record<string, string>> = {
  OPENING: 'Opening; Ctrl+C cancels it',
  OPEN: 'Open; Ctrl+C closes it',
  CANCELLING: 'Cancelling; Ctrl+C leaves it to the host',
  CLOSING: 'Closing; Ctrl+C leaves it to the host',
};

/** Shows the events as they come, but of a detached session only what is pending. Resolves to false when the stream ends well. */
function show(held: HeldSession, invocation: Invocation, isDetached: boolean): Promise<false> {
  const { output } = invocation;
  return new Promise((resolve, reject) => {
    held.events.subscribe({
      next: (event) => {
        invocation.hasAnswered = true;
        // People have no use for what comes and goes by itself.
        const isRoutine = event.type === SessionEventType.LEASE_RENEWED && output.isForPeople;
        if (!isDetached && !isRoutine)
          output.item({ text: (style) => lineOfLife(event, style), message: () => opened(event) });
        const pending = event.session && PENDING[nameOf(SessionState, event.session.state)];
        if (pending === undefined) output.progress.end();
        else output.progress.begin(pending);
      },
      error: reject,
      complete: () => resolve(false),
    });
  });
}

/** True once the session is so. How the stream ends is for others to say. */
function seen(held: HeldSession, isSo: (session: Session) => boolean): Promise<true> {
  return new Promise((resolve) => {
    const next = ({ session }: { session: Session | undefined }) => {
      if (session !== undefined && isSo(session)) resolve(true);
    };
    held.events.subscribe({ next, error: () => {} });
  });
}

interface Interrupts {
  /** Rejects when nobody wants to wait any more, or when the session can't be closed. */
  readonly left: Promise<never>;
  readonly hasCome: () => boolean;
  readonly stop: () => void;
}

function closeAtInterrupt(
  { sessionId }: HeldSession,
  begun: Promise<unknown>,
  invocation: Invocation,
  hasLease: boolean,
): Interrupts {
  let count = 0;
  let stop = (): void => {};
  const left = new Promise<never>((_, reject) => {
    const close = async (): Promise<void> => {
      // A host that does not have the session yet would not know what to close.
      await begun;
      await (await invocation.client()).sessions.close(sessionId);
    };
    stop = invocation.surroundings.onInterrupt(() => {
      count += 1;
      if (count === 1) close().catch(reject);
      else reject(new Failure('interrupted', leftBehind(sessionId, hasLease, invocation)));
    });
  });
  left.catch(() => {});
  return { left, hasCome: () => count > 0, stop };
}

function leftBehind(id: string, hasLease: boolean, { sameHost }: Invocation): string {
  const whoEndsIt = hasLease ? `it ends with its lease, or by wfdctl close ${id}${sameHost}` : 'the host closes it';
  return `Left before session ${id} was closed; ${whoEndsIt}.`;
}

/** On stdout the id alone, so that a script can keep it. */
function tellDetached(shown: SessionAt, leaseTtlMs = 0, { output, sameHost }: Invocation): void {
  const id = shown.session.sessionId;
  output.progress.end();
  output.result({ text: () => `${id}\n`, message: () => sessionAt(shown), names: () => [id] });
  output.hint(`It lives for ${formatDuration(leaseTtlMs)}, unless you run: wfdctl renew ${id}${sameHost}`);
}
