/**
 * The state that the whole page shares: the hosts, the route and the clock. Also applies frames, a
 * few at a time.
 */
import { computed, signal } from '@preact/signals';
import type { Frame } from '../../src/console/frames.js';
import { HostModel } from './model.js';

export interface About {
  readonly version: string;
  readonly allowsActions: boolean;
}

export const about = signal<About>({ version: '', allowsActions: false });
export const hosts = signal<readonly HostModel[]>([]);
export const selectedHost = signal(0);
/** Increases when any model changes. Components that read it are then rendered again. */
export const revision = signal(0);
/** The time of this browser, updated every second. */
export const now = signal(Date.now());
/** Since when wfdctl has not answered. */
export const lostConsoleSince = signal<number | undefined>(undefined);
/** A message that replaces the page. */
export const ending = signal<string | undefined>(undefined);
export const dialog = signal<Dialog | undefined>(undefined);

export type Dialog =
  | { readonly kind: 'help' }
  | { readonly kind: 'open'; readonly deviceAddress?: string }
  | { readonly kind: 'end'; readonly sessionId: string; readonly action: 'close' | 'cancel' }
  | { readonly kind: 'renew'; readonly sessionId: string };

export interface Route {
  readonly view: 'overview' | 'sessions' | 'devices' | 'events';
  /** The id of a session or device, or empty. */
  readonly id: string;
  readonly query: string;
}

const hash = signal(location.hash);
addEventListener('hashchange', () => {
  hash.value = location.hash;
});

export const route = computed<Route>(() => {
  const [path = '', parameters = ''] = hash.value.replace(/^#\/?/, '').split('?');
  const [view = '', id = ''] = path.split('/');
  const isKnown = view === 'sessions' || view === 'devices' || view === 'events';
  return {
    view: isKnown ? view : 'overview',
    id: decoded(id),
    query: new URLSearchParams(parameters).get('q') ?? '',
  };
});

export const host = computed(() => hosts.value[selectedHost.value]);

export function link(view: Route['view'], { id = '', query = '' } = {}): string {
  const path = view === 'overview' ? '' : view + (id === '' ? '' : `/${encodeURIComponent(id)}`);
  return `#/${path}${query === '' ? '' : `?${new URLSearchParams({ q: query })}`}`;
}

/**
 * A new search on the same view replaces the last one in the history, so that Back leaves the
 * search.
 */
export function search(query: string): void {
  const { view, id } = route.value;
  const to =
    view === 'overview' || id !== '' ? link(view === 'overview' ? 'sessions' : view, { query }) : link(view, { query });
  if (id === '' && view !== 'overview') history.replaceState(null, '', to);
  else history.pushState(null, '', to);
  hash.value = to;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * How long one turn applies frames. The rest waits for the next turn, so that the page stays
 * responsive.
 */
const TURN_MS = 6;
const WAITING_MAX = 40;
const waiting: Frame[] = [];
const readers: (() => void)[] = [];
let isScheduled = false;

/** Applies the frame soon. The promise resolves when the page can take more. */
export function take(frame: Frame): void | Promise<void> {
  waiting.push(frame);
  if (!isScheduled) schedule();
  if (waiting.length > WAITING_MAX) return new Promise((resolve) => readers.push(resolve));
}

/**
 * Browsers seldom draw pages in the background, so such a page uses a timer, in order not to fall
 * behind.
 */
function schedule(): void {
  isScheduled = true;
  if (document.hidden) setTimeout(applyWaiting, 250);
  else requestAnimationFrame(applyWaiting);
}

function applyWaiting(): void {
  isScheduled = false;
  const start = performance.now();
  while (waiting.length > 0 && performance.now() - start < TURN_MS) applyFrame(waiting.shift() as Frame);
  if (waiting.length > 0) schedule();
  if (waiting.length <= WAITING_MAX / 2) for (const resume of readers.splice(0)) resume();
  bump();
}

/** The shortest time between two renders. With a busy host, more of them would block the page. */
const DRAW_MS = 120;
let drawnMs = 0;
let drawTimer: ReturnType<typeof setTimeout> | undefined;

function bump(): void {
  const dueMs = drawnMs + DRAW_MS - performance.now();
  if (dueMs > 0) {
    drawTimer ??= setTimeout(bump, dueMs);
    return;
  }
  clearTimeout(drawTimer);
  drawTimer = undefined;
  drawnMs = performance.now();
  revision.value += 1;
}

function applyFrame(frame: Frame): void {
  lostConsoleSince.value = undefined;
  if (frame.kind === 'alive' || frame.kind === 'replaced') return;
  if (frame.kind === 'console') {
    about.value = { version: frame.version, allowsActions: frame.allowsActions };
    // A new stream sends everything again.
    hosts.value = frame.hosts.map((name) => new HostModel(name));
    return;
  }
  hosts.value.find(({ name }) => name === frame.host)?.apply(frame);
}
