/** The parts that several views share. */
import { useSignal } from '@preact/signals';
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { now } from './app.js';
import { clock, minuteClock, preciseClock, utc } from './format.js';
import type { HostModel, Session } from './model.js';
import { words } from './shapes.js';

const MARKS: Readonly<Record<string, JSX.Element>> = {
  OPENING: <circle cx="8" cy="8" r="5.200" fill="none" stroke-dasharray="3 2.200" />,
  OPEN: <circle cx="8" cy="8" r="5.600" class="solid" />,
  CANCELLING: <path d="M8 2.600a5.400 5.400 0 1 0 0 10.800z M8 2.600a5.400 5.400 0 0 1 0 10.800" class="half" />,
  CLOSING: <path d="M8 2.600a5.400 5.400 0 1 0 0 10.800z M8 2.600a5.400 5.400 0 0 1 0 10.800" class="half" />,
  CLOSED: <circle cx="8" cy="8" r="5.200" fill="none" />,
  FAILED: <path d="M3.600 3.600l8.800 8.800M12.400 3.600l-8.800 8.800" />,
  CANCELLED: (
    <path d="M8 2.800a5.200 5.200 0 1 1 0 10.400a5.200 5.200 0 0 1 0-10.400M4.400 11.600l7.200-7.200" fill="none" />
  ),
  LOST: <path d="M8 1.800l6.400 11.600H1.600zM8 6.200v3.400M8 11.400v.4" fill="none" />,
  READY: <path d="M2.800 8.600l3.400 3.400 7-7.600" fill="none" />,
};

/**
 * A state, shown by a shape, a word and a colour, so that nobody depends on one of them. Hide the
 * word only if other text names the state.
 */
export function StateMark({ state, isWordHidden = false }: { state: string; isWordHidden?: boolean }) {
  return (
    <span class={`state s-${state.toLowerCase()}`}>
      <svg class="mark" viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
        {MARKS[state] ?? MARKS['CLOSED']}
      </svg>
      {!isWordHidden && <span>{words(state)}</span>}
    </span>
  );
}

export function Time({ ms, isPrecise = false }: { ms: number; isPrecise?: boolean }) {
  return (
    <time dateTime={new Date(ms).toISOString()} title={utc(ms)}>
      {isPrecise ? preciseClock(ms) : clock(ms)}
    </time>
  );
}

export function Copy({ text, what }: { text: string; what: string }) {
  const isCopied = useSignal(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    isCopied.value = true;
    setTimeout(() => {
      isCopied.value = false;
    }, 1500);
  };
  return (
    <button type="button" class="copy" aria-label={`Copy ${what}`} title={`Copy ${what}`} onClick={copy}>
      <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
        {isCopied.value ? <path d="M3 8.5l3.200 3.200L13 5" /> : <path d="M6 5.500h6.500v8H6zM4 10.500H3v-8h6.500v1" />}
      </svg>
      <span class="unseen" role="status">
        {isCopied.value ? 'Copied' : ''}
      </span>
    </button>
  );
}

export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      {children}
    </div>
  );
}

export function Callout({
  tone,
  title,
  children,
}: {
  tone: 'bad' | 'wait';
  title: string;
  children?: ComponentChildren;
}) {
  return (
    <div class={`callout ${tone}`} role={tone === 'bad' ? 'alert' : 'status'}>
      <p class="callout-title">{title}</p>
      {children}
    </div>
  );
}

/** Why a session failed: the reason, the error of Windows, and the sentence of `wfdctl`. */
export function Failure({ session }: { session: Session }) {
  const { end, remedy } = session.shape;
  const native = end?.error?.nativeResult;
  return (
    <>
      <p>
        <code>{(end?.error?.reason ?? '').replace('ERROR_REASON_', '')}</code>
        {native !== undefined && (
          <>
            {' · '}
            <code>
              {native.code} {native.name}
            </code>
          </>
        )}
      </p>
      <p class="remedy">{remedy ?? end?.error?.message}</p>
    </>
  );
}

export const RANGES = [
  { ms: 5 * 60_000, label: '5 min' },
  { ms: 15 * 60_000, label: '15 min' },
  { ms: 60 * 60_000, label: '1 h' },
] as const;

interface Segment {
  readonly kind: string;
  readonly fromMs: number;
  readonly toMs: number;
}

function segmentsOf({ state, createMs, openMs, closeMs, endMs }: Session, atMs: number): Segment[] {
  const endedMs = endMs ?? atMs;
  const segments: Segment[] = [{ kind: 'opening', fromMs: createMs, toMs: openMs ?? closeMs ?? endedMs }];
  if (openMs !== undefined) segments.push({ kind: 'open', fromMs: openMs, toMs: closeMs ?? endedMs });
  if (closeMs !== undefined) segments.push({ kind: 'closing', fromMs: closeMs, toMs: endedMs });
  if (state === 'CANCELLING') segments[0] = { kind: 'closing', fromMs: createMs, toMs: atMs };
  return segments;
}

/** A session on a time line whose right end is now. */
export function Bar({ session, model, rangeMs }: { session: Session; model: HostModel; rangeMs: number }) {
  const toMs = now.value + model.aheadMs;
  const at = (ms: number) => Math.min(100, Math.max(0, 100 - ((toMs - ms) / rangeMs) * 100));
  const { endMs, state } = session;
  const isBad = state === 'FAILED' || state === 'LOST';
  return (
    <span class="bar" aria-hidden="true">
      {segmentsOf(session, toMs).map(({ kind, fromMs, toMs: untilMs }) => {
        const left = at(fromMs);
        const width = at(untilMs) - left;
        return untilMs < toMs - rangeMs ? null : (
          <i key={kind} class={`segment ${kind}`} style={{ left: `${left}%`, width: `max(2px, ${width}%)` }} />
        );
      })}
      {isBad && endMs !== undefined && endMs > toMs - rangeMs && (
        <i class="segment-end" style={{ left: `min(${at(endMs)}%, calc(100% - 14px))` }}>
          <StateMark state={state} isWordHidden />
        </i>
      )}
    </span>
  );
}

/** The times of a time line. */
export function Axis({ model, rangeMs, isShort = false }: { model: HostModel; rangeMs: number; isShort?: boolean }) {
  const toMs = now.value + model.aheadMs;
  const text = rangeMs < 10 * 60_000 ? clock : minuteClock;
  return (
    <span class="axis" aria-hidden="true">
      {(isShort ? [0, 50] : [0, 25, 50, 75]).map((percent) => (
        <span key={percent} style={{ left: `${percent}%` }}>
          {text(toMs - rangeMs * (1 - percent / 100))}
        </span>
      ))}
      <span class="axis-now">now</span>
    </span>
  );
}

interface VirtualListProps<Item> {
  readonly items: readonly Item[];
  readonly keyOf: (item: Item) => string;
  readonly rowHeight: number;
  readonly label: string;
  readonly row: (item: Item) => JSX.Element;
  /** Stays above the rows. */
  readonly head?: JSX.Element;
  /** Called with whether the top of the list is visible. */
  readonly onTop?: (isAtTop: boolean) => void;
}

const SPARE_ROWS = 6;
/** The same as in the style sheet. */
const HEAD_HEIGHT = 33;

/**
 * A long list. Renders only the visible rows. The arrow keys, Home and End move from link to link.
 */
export function VirtualList<Item>({ items, keyOf, rowHeight, label, row, head, onTop }: VirtualListProps<Item>) {
  const box = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(600);
  const wanted = useRef<number | undefined>(undefined);
  useEffect(() => {
    const element = box.current as HTMLDivElement;
    const observer = new ResizeObserver(() => setHeight(element.clientHeight));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  useLayoutEffect(() => {
    if (wanted.current === undefined) return;
    const link = box.current?.querySelector<HTMLElement>(`[data-row="${wanted.current}"] a`);
    wanted.current = undefined;
    link?.focus({ preventScroll: true });
  });
  const first = Math.max(0, Math.floor(top / rowHeight) - SPARE_ROWS);
  const last = Math.min(items.length, Math.ceil((top + height) / rowHeight) + SPARE_ROWS);
  const go = (event: KeyboardEvent) => {
    const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, Home: -items.length, End: items.length };
    const step = steps[event.key];
    const element = box.current as HTMLDivElement;
    if (step === undefined || items.length === 0 || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const focused = (document.activeElement as HTMLElement | null)?.closest<HTMLElement>('[data-row]')?.dataset['row'];
    const from = focused === undefined ? (step > 0 ? -1 : items.length) : Number(focused);
    const to = Math.min(items.length - 1, Math.max(0, from + step));
    wanted.current = to;
    const above = to * rowHeight;
    const below = above + rowHeight - (height - (head === undefined ? 0 : HEAD_HEIGHT));
    if (above < element.scrollTop) element.scrollTop = above;
    else if (below > element.scrollTop) element.scrollTop = below;
    setTop(element.scrollTop + (element.scrollTop === top ? 0.01 : 0));
  };
  const scrolled = () => {
    const { scrollTop } = box.current as HTMLDivElement;
    setTop(scrollTop);
    onTop?.(scrollTop < rowHeight / 2);
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the arrow keys move between its links
    <div ref={box} class="list" onScroll={scrolled} onKeyDown={go}>
      {head}
      {/* biome-ignore lint/a11y/useSemanticElements: only the visible rows are rendered */}
      <div class="list-space" role="list" aria-label={label} style={{ height: `${items.length * rowHeight}px` }}>
        {items.slice(first, last).map((item, i) => (
          // biome-ignore lint/a11y/useSemanticElements: as above
          <div
            key={keyOf(item)}
            role="listitem"
            aria-setsize={items.length}
            aria-posinset={first + i + 1}
            data-row={first + i}
            class="row"
            style={{ transform: `translateY(${(first + i) * rowHeight}px)`, height: `${rowHeight}px` }}
          >
            {row(item)}
          </div>
        ))}
      </div>
    </div>
  );
}

/** Whether the page is narrow. Updates when this changes. */
export function useIsNarrow(): boolean {
  const query = '(max-width: 720px)';
  const [isNarrow, setNarrow] = useState(matchMedia(query).matches);
  useEffect(() => {
    const list = matchMedia(query);
    const update = () => setNarrow(list.matches);
    list.addEventListener('change', update);
    return () => list.removeEventListener('change', update);
  }, []);
  return isNarrow;
}
