/**
 * `wfdctl watch` and `devices --watch`: what happens, line by line, until Ctrl+C, whatever happens to the connection. A host
 * that does not answer at first is an error; one that has answered is waited for.
 */
import type {
  Bookmark,
  Change,
  DeviceEvent,
  DeviceSnapshot,
  Disconnected,
  GatewayError,
  SessionEvent,
  SessionSnapshot,
} from '../../../typescript/src/client.js';
import { EXIT, type ExitCode } from '../exit-code.js';
import type { Complaint } from '../failure.js';
import type { Invocation } from '../invocation.js';
import { complaintOf } from '../refusal.js';
import { formatDuration } from '../text/duration.js';
import { watchedDevices, watchedSessions } from '../text/messages.js';
import type { Style } from '../text/style.js';
import {
  headerOfDevices,
  headerOfSessions,
  lineOfBookmark,
  lineOfDevice,
  lineOfSession,
  lineOfSnapshot,
} from '../text/time-line.js';
import { tooLate } from '../within.js';

export interface WatchOptions {
  /** A cursor. */
  readonly since?: string;
  /** Shows bookmarks as well. */
  readonly verbose?: boolean;
  /** How long to watch, in ms. */
  readonly timeout?: number;
}

/** A host that has nothing to tell sends a bookmark, by default each 10 s. */
const ANSWER_MS = 15_000;

export async function watchSessions(
  sessionIds: readonly string[],
  options: WatchOptions,
  invocation: Invocation,
): Promise<ExitCode> {
  const { sessions } = await invocation.client();
  const items = sessions.watch({ cursor: options.since, sessionIds });
  const form: Form<SessionSnapshot, Change<SessionEvent>> = {
    header: headerOfSessions,
    snapshot: (item, style) => item.sessions.map((session) => lineOfSnapshot(session, style)).join(''),
    change: ({ event }, style) => lineOfSession(event, style),
    message: watchedSessions,
  };
  return follow({ items, form, options }, invocation);
}

export async function watchDevices(options: WatchOptions, invocation: Invocation): Promise<ExitCode> {
  const { devices } = await invocation.client();
  const items = devices.watch({ cursor: options.since });
  const form: Form<DeviceSnapshot, Change<DeviceEvent>> = {
    header: headerOfDevices,
    snapshot: (item, style) => item.devices.map((device) => lineOfDevice(device, undefined, style)).join(''),
    change: ({ event }, style) => (event.device === undefined ? '' : lineOfDevice(event.device, event, style)),
    message: watchedDevices,
  };
  return follow({ items, form, options }, invocation);
}

interface AtCursor {
  readonly cursor: string;
}

/** How what comes is shown. */
interface Form<Snapshot, Event> {
  readonly header: (style: Style) => string;
  readonly snapshot: (item: Snapshot, style: Style) => string;
  readonly change: (item: Event, style: Style) => string;
  readonly message: (item: Snapshot | Event | Bookmark) => unknown;
}

/** An Observable, as far as it is needed here. */
interface Items<Item> {
  subscribe(observer: { next: (item: Item) => void; error: (error: unknown) => void }): { unsubscribe(): void };
}

interface Watch<Snapshot, Event> {
  readonly items: Items<Snapshot | Event | Bookmark | Disconnected>;
  readonly form: Form<Snapshot, Event>;
  readonly options: WatchOptions;
}

async function follow<
  Snapshot extends AtCursor & { readonly kind: 'snapshot' },
  Event extends AtCursor & { readonly kind: 'event' },
>(
  { items, form, options: { since, verbose, timeout } }: Watch<Snapshot, Event>,
  invocation: Invocation,
): Promise<ExitCode> {
  const { output, host, surroundings } = invocation;
  output.refuseNames();
  let cursor = since;
  let isAnswered = false;
  let hasHeader = false;

  const linesOf = (item: Snapshot | Event | Bookmark, style: Style): string => {
    if (item.kind === 'snapshot') return form.snapshot(item, style);
    return item.kind === 'event' ? form.change(item, style) : lineOfBookmark(item.cursor, style);
  };
  const show = (item: Snapshot | Event | Bookmark): void => {
    const text = (style: Style): string => (hasHeader ? '' : form.header(style)) + linesOf(item, style);
    output.item({ text, message: () => form.message(item) });
    hasHeader = true;
  };

  output.progress.begin(`Waiting for ${host}`);
  const ends: (() => void)[] = [];
  try {
    await new Promise<void>((resolve, reject) => {
      const subscription = items.subscribe({
        next: (item) => {
          if (item.kind === 'disconnected') {
            if (!isAnswered && item.error.reason !== 'CURSOR_EXPIRED') return reject(item.error);
            return output.warn(disconnection(item, host));
          }
          isAnswered = true;
          invocation.hasAnswered = true;
          output.progress.end();
          cursor = item.cursor;
          if (item.kind !== 'bookmark' || verbose) show(item);
        },
        error: reject,
      });
      const later = (ms: number, then: () => void): void => {
        const timer = setTimeout(then, ms);
        ends.push(() => clearTimeout(timer));
      };
      const miss = (ms: number): void => reject(tooLate(ms, `${host} did not answer`));
      ends.push(() => subscription.unsubscribe(), surroundings.onInterrupt(resolve));
      later(ANSWER_MS, () => isAnswered || miss(ANSWER_MS));
      // A snapshot comes at once; from a cursor, there may be nothing to tell.
      if (timeout !== undefined) later(timeout, () => (isAnswered || since !== undefined ? resolve() : miss(timeout)));
    });
  } finally {
    for (const end of ends) end();
  }
  if (cursor !== undefined) output.hint(`To go on from here: --since ${cursor}`);
  return EXIT.ok;
}

function disconnection({ error, retryInMs }: Disconnected, host: string): Complaint {
  const complaint = complaintOf(error, host, true);
  return {
    ...complaint,
    message: `${whatIsLost(error) ?? complaint.message} Trying again in ${formatDuration(retryInMs)}.`,
  };
}

function whatIsLost({ reason }: GatewayError): string | undefined {
  if (reason !== 'CURSOR_EXPIRED') return undefined;
  return 'The host no longer has the events after this cursor, so some may be lost; a snapshot follows.';
}
