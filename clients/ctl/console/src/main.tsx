/** The page around the views: navigation, search, keys, and the note that the data is not live. */
import { render } from 'preact';
import {
  dialog,
  ending,
  host,
  hosts,
  link,
  lostConsoleSince,
  now,
  type Route,
  revision,
  route,
  search,
  selectedHost,
  take,
} from './app.js';
import { enter, watch } from './connection.js';
import { Devices, DeviceView } from './devices.js';
import { Dialogs } from './dialogs.js';
import { Events } from './events.js';
import { clock, span } from './format.js';
import { FAILED } from './model.js';
import { Overview } from './overview.js';
import { SessionView } from './session.js';
import { Sessions } from './sessions.js';

const VIEWS: readonly { readonly view: Route['view']; readonly label: string }[] = [
  { view: 'overview', label: 'Overview' },
  { view: 'sessions', label: 'Sessions' },
  { view: 'devices', label: 'Devices' },
  { view: 'events', label: 'Events' },
];

function Header() {
  const { view, query } = route.value;
  return (
    <header>
      <a class="brand" href={link('overview')}>
        <svg viewBox="0 0 32 32" width="26" height="26" aria-hidden="true">
          <rect width="32" height="32" rx="7" />
          <path d="M11 10a8.500 8.500 0 0 0 0 12M21 10a8.500 8.500 0 0 1 0 12" />
          <circle cx="16" cy="16" r="2.800" />
        </svg>
        <span class="brand-name">Wi-Fi Direct</span>
      </a>
      <nav aria-label="Views">
        {VIEWS.map(({ view: each, label }) => (
          <a key={each} href={link(each)} aria-current={view === each ? 'page' : undefined}>
            {label}
          </a>
        ))}
      </nav>
      <input
        id="search"
        type="search"
        placeholder="Search  /"
        aria-label="Search sessions, devices or events"
        value={query}
        onInput={(event) => search(event.currentTarget.value)}
      />
      <HostChoice />
      <Freshness />
      <button
        type="button"
        class="help"
        aria-label="Keys and help"
        title="Keys and help"
        onClick={() => {
          dialog.value = { kind: 'help' };
        }}
      >
        ?
      </button>
    </header>
  );
}

/** Only shown if there are several hosts. */
function HostChoice() {
  if (hosts.value.length < 2) return null;
  return (
    <select
      aria-label="Host"
      value={selectedHost.value}
      onChange={(event) => {
        selectedHost.value = Number(event.currentTarget.value);
      }}
    >
      {hosts.value.map(({ name }, i) => (
        <option key={name} value={i}>
          {name}
        </option>
      ))}
    </select>
  );
}

function Freshness() {
  revision.value;
  const isLost =
    lostConsoleSince.value !== undefined || host.value?.lost !== undefined || host.value?.refused !== undefined;
  return <span class={`freshness ${isLost ? 'stale' : 'live'}`}>{isLost ? 'not live' : 'live'}</span>;
}

/** The note that the data is not live, with since when and what to do. */
function Trouble() {
  revision.value;
  const model = host.value;
  const consoleSince = lostConsoleSince.value;
  const lost = model?.lost;
  const since = (ms: number) => `since ${clock(ms)}, for ${span(now.value - ms)}`;
  let text: { readonly title: string; readonly more: string } | undefined;
  if (consoleSince !== undefined)
    text = {
      title: `wfdctl does not answer, ${since(consoleSince)}`,
      more: 'If it has ended, run wfdctl console again. It opens a new page.',
    };
  else if (model?.refused !== undefined) text = { title: 'The host refuses access', more: model.refused };
  else if (lost !== undefined)
    text = { title: `Reconnecting ${since(lost.since)}. The page shows the state at that time.`, more: lost.message };
  return (
    <div class="trouble" role="status">
      {text !== undefined && (
        <div class="trouble-box">
          <b>{text.title}</b>
          <span>{text.more}</span>
        </div>
      )}
    </div>
  );
}

function View() {
  const model = host.value;
  const { view, id } = route.value;
  if (model === undefined) return <p class="view dim">Connecting to wfdctl …</p>;
  if (view === 'sessions') return id === '' ? <Sessions model={model} /> : <SessionView id={id} model={model} />;
  if (view === 'devices') return id === '' ? <Devices model={model} /> : <DeviceView id={id} model={model} />;
  return view === 'events' ? <Events model={model} /> : <Overview model={model} />;
}

function Page() {
  if (ending.value !== undefined)
    return (
      <main class="ending">
        <h1>Wi-Fi Direct console</h1>
        <p>{ending.value}</p>
        <p>
          <code>wfdctl console</code>
        </p>
      </main>
    );
  return (
    <>
      <Header />
      <Trouble />
      <main id="main">
        <View />
      </main>
      <Dialogs />
    </>
  );
}

function onKey(event: KeyboardEvent): void {
  const target = event.target as HTMLElement;
  const field = document.querySelector<HTMLInputElement>('#search');
  if (event.altKey || event.ctrlKey || event.metaKey || dialog.value !== undefined) return;
  if (event.key === 'Escape' && target === field) {
    search('');
    field.blur();
    return;
  }
  const list = document.querySelector<HTMLElement>('.list');
  if (target === field && (event.key === 'ArrowDown' || event.key === 'Enter')) {
    list?.querySelector('a')?.focus();
    event.preventDefault();
    return;
  }
  if (target.matches('input, select, textarea')) return;
  if (event.key === '/') {
    event.preventDefault();
    field?.focus();
  } else if (event.key === '?') dialog.value = { kind: 'help' };
  else if (/^[1-4]$/.test(event.key)) location.hash = link(VIEWS[Number(event.key) - 1]?.view ?? 'overview');
  else if (event.key === 'ArrowDown' && target === document.body) list?.querySelector('a')?.focus();
}

/** The title of the tab shows the state, for users who look at another tab. */
function retitle(): void {
  const model = host.value;
  if (model === undefined) return;
  const failed = [...model.sessions.values()].filter(({ state }) => FAILED.has(state)).length;
  const state =
    model.lost !== undefined ? 'not live' : `${model.counts.OPEN} open${failed > 0 ? `, ${failed} failed` : ''}`;
  document.title = `${state} · ${model.about?.hostId ?? model.name}`;
}

async function begin(): Promise<void> {
  setInterval(() => {
    now.value = Date.now();
    retitle();
  }, 1000);
  addEventListener('keydown', onKey);
  render(<Page />, document.body);
  const message = await enter();
  if (message !== undefined) {
    ending.value = message;
    return;
  }
  await watch({
    frame: take,
    lost: () => {
      lostConsoleSince.value ??= Date.now();
    },
    ended: (message) => {
      ending.value = message;
    },
  });
}

void begin();
