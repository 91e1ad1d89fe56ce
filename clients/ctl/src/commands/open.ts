/**
 * `wfdctl open`: opens a session and follows it until it ends; with `--detach`, only until it is
 * open.
 *
 *   first event ---> events, one per line ---> end of the stream
 *        |                    |
 *   none in time       Ctrl+C: close the session, and follow it to its end; Ctrl+C again: exit
 *
 * Invariant: no session stays open that nobody asked for. If this command does not close its
 * session, the host does: a session without a lease ends with its stream, and a session with a
 * lease ends when the lease expires.
 */
import type { Command } from 'commander';
import { SessionEventType, SessionKind, SessionState } from '../../../../proto/gen/wifidirect/v1/session.js';
import type { Client, HeldSession, Session, SessionAt } from '../../../typescript/src/client.js';
import { nameOf } from '../../../typescript/src/enums.js';
import { CliError } from '../cli-error.js';
import { EXIT, type ExitCode } from '../exit-code.js';
import type { Invocation } from '../invocation.js';
import { duration } from '../operands.js';
import { formatDuration } from '../text/duration.js';
import { opened, sessionAt } from '../text/messages.js';
import { lineOfLife } from '../text/time-line.js';
import { within } from '../within.js';
import { examples, type Run } from './command.js';

interface OpenOptions {
  readonly sessionId?: string;
  readonly legacy?: boolean;
  /** How long the open may take, in ms. */
  readonly timeout?: number;
  readonly detach?: boolean;
  /** Of the lease, in ms. */
  readonly ttl?: number;
}

export function declareOpen(program: Command, run: Run): Command {
  return program
    .command('open')
    .description('Open a session and follow it until it ends. Ctrl+C closes it.')
    .argument('<address>', 'address of the device')
    .option('--detach', 'exit once the session is open, and print its id; needs --ttl')
    .option(
      '--ttl <duration>',
      'lease: the session ends this long after its last renewal; without --detach, wfdctl renews it',
      duration,
    )
    .option('--timeout <duration>', 'how long the open may take (default: set by the host, usually 60s)', duration)
    .option('--legacy', 'the device is a legacy (WPS) device')
    .option(
      '--session-id <name>',
      'id of the session: 4 to 63 of a-z, 0-9 and -, not starting with - (default: a UUID)',
    )
    .action((address: string, options: OpenOptions) => run((invocation) => open(address, options, invocation)))
    .addHelpText(
      'after',
      examples(
        'open 02:11:22:33:44:01',
        'open 02:11:22:33:44:01 --ttl 30s',
        'open 02:11:22:33:44:01 --detach --ttl 30s',
      ),
    );
}

/** The host sends the first event as soon as it has the request. */
const ANSWER_MS = 10_000;

async function open(deviceAddress: string, options: OpenOptions, invocation: Invocation): Promise<ExitCode> {
  const { sessionId, legacy, timeout: openTimeoutMs, detach = false, ttl: leaseTtlMs } = options;
  if (detach && leaseTtlMs === undefined)
    throw new CliError('usage', '--detach needs a lease, because nothing else keeps the session open; add --ttl.');
  if (!detach) invocation.output.refuseNames();
  const client = await invocation.client();
  const { host, output } = invocation;
  const kind = legacy === true ? SessionKind.LEGACY : SessionKind.WIFI_DIRECT;
  output.progress.begin(`Waiting for ${host}`);
  const held = client.sessions.hold({ deviceAddress, sessionId, kind, openTimeoutMs, leaseTtlMs });
  const ended = show(held, invocation, detach);
  const begun = Promise.race([once(held, () => true), ended]);
  const wasOpen = Promise.race([once(held, ({ openTime }) => openTime !== undefined), ended]);
  // If the session never begins, nothing below waits for `wasOpen`.
  wasOpen.catch(() => {});
  const interrupts = closeOnInterrupt(held, begun, invocation, leaseTtlMs !== undefined);
  const renewals = detach || leaseTtlMs === undefined ? undefined : keepLease(held, leaseTtlMs, client);
  try {
    await Promise.race([interrupts.gaveUp, within(ANSWER_MS, begun, `${host} did not answer`)]);
    await Promise.race([interrupts.gaveUp, detach ? wasOpen : ended]);
    if (!(await wasOpen)) {
      if (interrupts.happened()) return EXIT.interrupted;
      throw new CliError('failed', 'The session was cancelled before it was open; run the command again.');
    }
    if (!detach) return EXIT.ok;
    const found = await Promise.race([interrupts.gaveUp, client.sessions.get(held.sessionId)]);
    // The user who pressed Ctrl+C does not know the id yet, and wants no session left open.
    if (interrupts.happened()) await Promise.race([interrupts.gaveUp, ended]);
    else printDetached(found, leaseTtlMs, invocation);
    return interrupts.happened() ? EXIT.interrupted : EXIT.ok;
  } catch (error) {
    // A lost connection does not end a session that has a lease.
    if (leaseTtlMs !== undefined && invocation.hasAnswered && (await isConnectionLoss(error)))
      output.hint(`The lease keeps the session open for now: wfdctl get ${held.sessionId}${invocation.sameHost}`);
    throw error;
  } finally {
    clearInterval(renewals);
    interrupts.stop();
  }
}

async function isConnectionLoss(error: unknown): Promise<boolean> {
  const { GatewayError, status } = await import('../../../typescript/src/client.js');
  return error instanceof GatewayError && error.code === status.UNAVAILABLE && error.reason === undefined;
}

/** Two of these can fail before the lease expires. */
const RENEWALS_PER_LEASE = 3;

/**
 * Ignores errors: either the next renewal succeeds, or the stream of the session fails too and
 * reports why.
 */
function keepLease({ sessionId }: HeldSession, leaseTtlMs: number, { sessions }: Client): NodeJS.Timeout {
  const renew = (): void => void sessions.renew(sessionId, { leaseTtlMs }).catch(() => {});
  return setInterval(renew, leaseTtlMs / RENEWALS_PER_LEASE);
}

const PROGRESS: Readonly<Record<string, string>> = {
  OPENING: 'Opening; press Ctrl+C to cancel',
  OPEN: 'Open; press Ctrl+C to close',
  CANCELLING: 'Cancelling; press Ctrl+C to exit without waiting',
  CLOSING: 'Closing; press Ctrl+C to exit without waiting',
};

/**
 * Prints the events as they come. For a detached session it shows only the progress. Resolves to
 * false when the stream ends without an error.
 */
function show(held: HeldSession, invocation: Invocation, isDetached: boolean): Promise<false> {
  const { output } = invocation;
  return new Promise((resolve, reject) => {
    held.events.subscribe({
      next: (event) => {
        invocation.hasAnswered = true;
        // This command renews the lease itself, so people need not see it.
        const isRoutine = event.type === SessionEventType.LEASE_RENEWED && output.isForPeople;
        if (!isDetached && !isRoutine)
          output.item({ text: (style) => lineOfLife(event, style), message: () => opened(event) });
        const progress = event.session && PROGRESS[nameOf(SessionState, event.session.state)];
        if (progress === undefined) output.progress.end();
        else output.progress.begin(progress);
      },
      error: reject,
      complete: () => resolve(false),
    });
  });
}

/** Resolves once the condition holds. It never rejects: `show` reports how the stream ends. */
function once(held: HeldSession, condition: (session: Session) => boolean): Promise<true> {
  return new Promise((resolve) => {
    const next = ({ session }: { session: Session | undefined }) => {
      if (session !== undefined && condition(session)) resolve(true);
    };
    held.events.subscribe({ next, error: () => {} });
  });
}

interface Interrupts {
  /** Rejects at the second Ctrl+C, or if the session can't be closed. */
  readonly gaveUp: Promise<never>;
  readonly happened: () => boolean;
  readonly stop: () => void;
}

function closeOnInterrupt(
  { sessionId }: HeldSession,
  begun: Promise<unknown>,
  invocation: Invocation,
  hasLease: boolean,
): Interrupts {
  let count = 0;
  let stop = (): void => {};
  const gaveUp = new Promise<never>((_, reject) => {
    const close = async (): Promise<void> => {
      // Until the host has the session, it would answer that there is none to close.
      await begun;
      await (await invocation.client()).sessions.close(sessionId);
    };
    stop = invocation.environment.onInterrupt(() => {
      count += 1;
      if (count === 1) close().catch(reject);
      else reject(new CliError('interrupted', abandoned(sessionId, hasLease, invocation)));
    });
  });
  gaveUp.catch(() => {});
  return { gaveUp, happened: () => count > 0, stop };
}

function abandoned(id: string, hasLease: boolean, { sameHost }: Invocation): string {
  const end = hasLease
    ? `it ends when its lease expires; to close it now, run wfdctl close ${id}${sameHost}`
    : 'the host closes it';
  return `Exited before session ${id} was closed; ${end}.`;
}

/** Prints only the id to stdout, so that a script can capture it. */
function printDetached(answer: SessionAt, leaseTtlMs = 0, { output, sameHost }: Invocation): void {
  const id = answer.session.sessionId;
  output.progress.end();
  output.result({ text: () => `${id}\n`, message: () => sessionAt(answer), names: () => [id] });
  output.hint(`The lease expires in ${formatDuration(leaseTtlMs)}; to renew it: wfdctl renew ${id}${sameHost}`);
}
