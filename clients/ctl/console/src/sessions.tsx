/** The sessions of a host, active and recently ended, each as a bar on a common time line. */
import { signal } from '@preact/signals';
import { about, dialog, link, now, revision, route } from './app.js';
import { span } from './format.js';
import { FAILED, type HostModel, LIVE, type Session } from './model.js';
import { Axis, Bar, Empty, RANGES, StateMark, useIsNarrow, VirtualList } from './parts.js';
import { words } from './shapes.js';

type Choice = 'all' | 'live' | 'ended' | 'failed';

const CHOICES: readonly { readonly choice: Choice; readonly label: string }[] = [
  { choice: 'all', label: 'All' },
  { choice: 'live', label: 'Active' },
  { choice: 'ended', label: 'Ended' },
  { choice: 'failed', label: 'Failed' },
];

const choice = signal<Choice>('all');
const rangeMs = signal<number>(RANGES[1].ms);

export function isFound(session: Session, model: HostModel, query: string): boolean {
  if (query === '') return true;
  const { sessionId, deviceAddress, owner = '', requestId = '', end } = session.shape;
  const texts = [sessionId, deviceAddress, model.nameOf(deviceAddress), owner, requestId, session.state];
  const text = [...texts, end?.reason ?? '', end?.error?.reason ?? ''].join('\n').toLowerCase();
  return query
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

function isChosen({ state }: Session): boolean {
  if (choice.value === 'live') return LIVE.has(state);
  if (choice.value === 'ended') return !LIVE.has(state);
  return choice.value === 'all' || FAILED.has(state);
}

/** Active sessions first, newest first. Then ended sessions, the one that ended last first. */
export function inOrder(a: Session, b: Session): number {
  const aLives = LIVE.has(a.state);
  if (aLives !== LIVE.has(b.state)) return aLives ? -1 : 1;
  const byTime = aLives ? b.createMs - a.createMs : (b.endMs ?? 0) - (a.endMs ?? 0);
  return byTime || (a.id < b.id ? -1 : 1);
}

export function Sessions({ model }: { model: HostModel }) {
  const isNarrow = useIsNarrow();
  revision.value;
  const { query } = route.value;
  const found = [...model.sessions.values()]
    .filter((each) => isChosen(each) && isFound(each, model, query))
    .sort(inOrder);
  return (
    <section class="view fills" aria-labelledby="sessions-title">
      <Toolbar count={found.length} />
      {found.length === 0 ? (
        <NoSessions model={model} query={query} />
      ) : (
        <div class="table sessions-table">
          <VirtualList
            items={found}
            keyOf={({ id }) => id}
            rowHeight={isNarrow ? 76 : 46}
            label="Sessions"
            head={<SessionHead model={model} rangeMs={rangeMs.value} isShort={isNarrow} />}
            row={(session) => <SessionRow session={session} model={model} rangeMs={rangeMs.value} />}
          />
        </div>
      )}
    </section>
  );
}

function Toolbar({ count }: { count: number }) {
  return (
    <div class="toolbar">
      <h1 id="sessions-title">
        Sessions <span class="count">{count}</span>
      </h1>
      <fieldset class="choices">
        <legend class="unseen">Which sessions</legend>
        {CHOICES.map(({ choice: each, label }) => (
          <button
            key={each}
            type="button"
            aria-pressed={choice.value === each}
            onClick={() => {
              choice.value = each;
            }}
          >
            {label}
          </button>
        ))}
      </fieldset>
      <fieldset class="choices">
        <legend class="unseen">Length of the time line</legend>
        {RANGES.map(({ ms, label }) => (
          <button
            key={ms}
            type="button"
            aria-pressed={rangeMs.value === ms}
            onClick={() => {
              rangeMs.value = ms;
            }}
          >
            {label}
          </button>
        ))}
      </fieldset>
      {about.value.allowsActions && (
        <button
          type="button"
          class="primary at-end"
          onClick={() => {
            dialog.value = { kind: 'open' };
          }}
        >
          Open a session
        </button>
      )}
    </div>
  );
}

export function SessionHead(props: { model: HostModel; rangeMs: number; isShort?: boolean }) {
  return (
    <div class="head">
      <span>State</span>
      <span>Session</span>
      <span class="wide-only">Owner</span>
      <span class="right">For</span>
      <span class="right wide-only">Lease</span>
      <Axis {...props} />
    </div>
  );
}

function NoSessions({ model, query }: { model: HostModel; query: string }) {
  if (query !== '')
    return (
      <Empty title={`No session matches “${query}”.`}>
        <p>
          You can search for part of an id, an address, a device name, an owner or a state.{' '}
          <a href={link('sessions')}>Show all</a>
        </p>
      </Empty>
    );
  if (choice.value === 'failed') return <Empty title="No failed sessions that this host remembers." />;
  return (
    <Empty title={model.hasSessions ? 'No sessions yet.' : 'Waiting for the host …'}>
      <p>
        To open one, run <code>wfdctl open ADDRESS</code> with the address of a <a href={link('devices')}>device</a>.
      </p>
    </Empty>
  );
}

/** The age of an active session, or the lifetime of an ended one. */
export function ageOf({ createMs, endMs }: Session, model: HostModel): string {
  const ms = (endMs ?? now.value + model.aheadMs) - createMs;
  return endMs !== undefined && ms < 10_000 ? `${(ms / 1000).toFixed(1)}s` : span(ms);
}

export function leaseOf({ leaseMs, state }: Session, model: HostModel): string {
  if (leaseMs === undefined || (state !== 'OPEN' && state !== 'OPENING')) return '';
  return span(leaseMs - now.value - model.aheadMs);
}

interface RowProps {
  readonly session: Session;
  readonly model: HostModel;
  readonly rangeMs: number;
}

export function SessionRow({ session, model, rangeMs: range }: RowProps) {
  const { sessionId, deviceAddress, owner = '', end } = session.shape;
  const why =
    end?.reason === undefined || session.state === 'CLOSED' ? '' : end.reason.replace('SESSION_END_REASON_', '');
  return (
    <a class="session-row" href={link('sessions', { id: sessionId })}>
      <StateMark state={session.state} />
      <span class="names">
        <b>{model.nameOf(deviceAddress)}</b>
        <small class="id">{why === '' ? sessionId : `${words(why)} · ${sessionId}`}</small>
      </span>
      <span class="wide-only cut">{owner}</span>
      <span class="right number">{ageOf(session, model)}</span>
      <span class="right number wide-only">{leaseOf(session, model)}</span>
      <Bar session={session} model={model} rangeMs={range} />
    </a>
  );
}
