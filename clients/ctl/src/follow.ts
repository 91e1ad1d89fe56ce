/**
 * Follows a watch: prints one line per item until Ctrl+C, and continues after a lost connection. It
 * is an error if the host does not answer at first.
 */
import type { Bookmark, Disconnected } from '../../typescript/src/client.js';
import { EXIT, type ExitCode } from './exit-code.js';
import type { Invocation } from './invocation.js';
import { formatDuration } from './text/duration.js';
import type { Style } from './text/style.js';
import { lineOfBookmark } from './text/time-line.js';
import { tooLate } from './within.js';

export interface FollowOptions {
  /** A cursor. */
  readonly since?: string;
  /** Also prints bookmarks. */
  readonly verbose?: boolean;
  /** How long to watch, in ms. */
  readonly timeout?: number;
}

interface AtCursor {
  readonly cursor: string;
}

/** How the items of a watch are printed. */
export interface View<Snapshot, Event> {
  readonly header: (style: Style) => string;
  readonly snapshot: (item: Snapshot, style: Style) => string;
  readonly change: (item: Event, style: Style) => string;
  /** Ready for JSON. */
  readonly message: (item: Snapshot | Event | Bookmark) => unknown;
}

/** The part of Observable that is used here. */
interface Items<Item> {
  subscribe(observer: { next: (item: Item) => void; error: (error: unknown) => void }): { unsubscribe(): void };
}

export interface Watch<Snapshot, Event> {
  readonly items: Items<Snapshot | Event | Bookmark | Disconnected>;
  readonly view: View<Snapshot, Event>;
  readonly options: FollowOptions;
}

/** A host without events sends a bookmark instead, by default every 10 s. */
const ANSWER_MS = 15_000;

export async function follow<
  Snapshot extends AtCursor & { readonly kind: 'snapshot' },
  Event extends AtCursor & { readonly kind: 'event' },
>(
  { items, view, options: { since, verbose, timeout } }: Watch<Snapshot, Event>,
  invocation: Invocation,
): Promise<ExitCode> {
  const { output, host, environment } = invocation;
  output.refuseNames();
  // This loads gRPC, as the client already has.
  const { toCliError } = await import('./error-messages.js');
  const print = printerOf(view, invocation);
  let cursor = since;
  let hasAnswered = false;
  output.progress.begin(`Waiting for ${host}`);
  const cleanups: (() => void)[] = [];
  try {
    await new Promise<void>((resolve, reject) => {
      const subscription = items.subscribe({
        next: (item) => {
          if (item.kind === 'disconnected') {
            if (!hasAnswered && item.error.reason !== 'CURSOR_EXPIRED') return reject(item.error);
            const { message, details } = toCliError(item.error, host, true);
            return output.warn(`${lossOf(item) ?? message} ${retryOf(item)}`, details);
          }
          hasAnswered = true;
          invocation.hasAnswered = true;
          output.progress.end();
          cursor = item.cursor;
          if (item.kind !== 'bookmark' || verbose) print(item);
        },
        error: reject,
      });
      const later = (ms: number, then: () => void): void => {
        const timer = setTimeout(then, ms);
        cleanups.push(() => clearTimeout(timer));
      };
      const failLate = (ms: number): void => reject(tooLate(ms, `${host} did not answer`));
      cleanups.push(() => subscription.unsubscribe(), environment.onInterrupt(resolve));
      later(ANSWER_MS, () => hasAnswered || failLate(ANSWER_MS));
      // A snapshot comes at once. After a cursor there may be no event to send.
      if (timeout !== undefined)
        later(timeout, () => (hasAnswered || since !== undefined ? resolve() : failLate(timeout)));
    });
  } finally {
    for (const cleanup of cleanups) cleanup();
  }
  if (cursor !== undefined) output.hint(`To continue from here: --since ${cursor}`);
  return EXIT.ok;
}

/** Prints an item, and before the first one the header. */
function printerOf<Snapshot extends { readonly kind: 'snapshot' }, Event extends { readonly kind: 'event' }>(
  view: View<Snapshot, Event>,
  { output }: Invocation,
): (item: Snapshot | Event | Bookmark) => void {
  let hasHeader = false;
  const linesOf = (item: Snapshot | Event | Bookmark, style: Style): string => {
    if (item.kind === 'snapshot') return view.snapshot(item, style);
    return item.kind === 'event' ? view.change(item, style) : lineOfBookmark(item.cursor, style);
  };
  return (item) => {
    const text = (style: Style): string => (hasHeader ? '' : view.header(style)) + linesOf(item, style);
    output.item({ text, message: () => view.message(item) });
    hasHeader = true;
  };
}

function retryOf({ retryInMs }: Disconnected): string {
  return `Trying again in ${formatDuration(retryInMs)}.`;
}

function lossOf({ error }: Disconnected): string | undefined {
  if (error.reason !== 'CURSOR_EXPIRED') return undefined;
  return 'The host no longer has the events after this cursor, so some events may be missing; a snapshot follows.';
}
