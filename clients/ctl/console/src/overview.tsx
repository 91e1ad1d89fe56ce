/** The overview: the state of the host, its sessions, and the last failures with what to do. */
import { about, dialog, link, now, revision } from './app.js';
import { span } from './format.js';
import { FAILED, type HostModel, LIVE, type Session, SLOT_MS, SLOTS } from './model.js';
import { Callout, Empty, Failure, RANGES, StateMark, Time } from './parts.js';
import { Plots } from './plots.js';
import { inOrder, SessionHead, SessionRow } from './sessions.js';
import { short, words } from './shapes.js';

const ROWS_MAX = 10;
const FAILURES_MAX = 3;

export function Overview({ model }: { model: HostModel }) {
  revision.value;
  const sessions = [...model.sessions.values()];
  const nowMs = now.value + model.aheadMs;
  const rangeMs = RANGES[1].ms;
  const recent = sessions
    .filter(({ state, endMs = 0 }) => LIVE.has(state) || endMs > nowMs - rangeMs)
    .sort(inOrder)
    .slice(0, ROWS_MAX);
  const failed = sessions.filter(({ state }) => FAILED.has(state)).sort(inOrder);
  return (
    <section class="view" aria-label="Overview">
      <HostHead model={model} />
      <Tiles model={model} nowMs={nowMs} />
      <div class="columns">
        <div>
          <div class="title-line">
            <h2>Now and the last 15 minutes</h2>
            <a href={link('sessions')}>All sessions</a>
          </div>
          {recent.length === 0 ? (
            <NoSessions model={model} />
          ) : (
            <div class="table sessions-table short">
              <SessionHead model={model} rangeMs={rangeMs} isShort />
              {recent.map((session) => (
                <SessionRow key={session.id} session={session} model={model} rangeMs={rangeMs} />
              ))}
            </div>
          )}
        </div>
        <LastFailures failed={failed.slice(0, FAILURES_MAX)} model={model} />
      </div>
      <Plots model={model} />
    </section>
  );
}

function HostHead({ model }: { model: HostModel }) {
  const { about: host } = model;
  if (host === undefined)
    return (
      <div class="host-head">
        <h1>{model.name}</h1>
        {model.lost === undefined && model.refused === undefined && <p class="dim">Waiting for the host …</p>}
      </div>
    );
  const state = short(host.state, 'HOST_STATE_');
  const isSimulated = host.driver?.kind === 'DRIVER_KIND_SIMULATOR';
  const startMs = host.startTime === undefined ? undefined : Date.parse(host.startTime);
  return (
    <>
      <div class="host-head">
        <h1>{host.hostId ?? model.name}</h1>
        <span class={`badge b-${state.toLowerCase()}`}>
          <StateMark state={state === 'READY' ? 'READY' : 'LOST'} isWordHidden />
          {words(state)}
        </span>
        {isSimulated ? (
          <span class="badge simulated" title="No radio is used. Devices, delays and faults are simulated.">
            simulated, no radio
          </span>
        ) : (
          <span class="badge">Windows radio</span>
        )}
        <p class="dim host-facts">
          {model.name} · wfdd {host.serviceVersion}
          {startMs !== undefined && (
            <>
              {' '}
              · up {span(now.value + model.aheadMs - startMs)}, since <Time ms={startMs} />
            </>
          )}
        </p>
      </div>
      {state !== 'READY' && (
        <Callout tone="bad" title={`The host is ${words(state)}: ${short(host.stateReason, 'ERROR_REASON_')}`}>
          <p>{host.stateMessage}</p>
          <p class="remedy">{host.remedy}</p>
        </Callout>
      )}
    </>
  );
}

function Tiles({ model, nowMs }: { model: HostModel; nowMs: number }) {
  const { OPENING, OPEN, CLOSING } = model.counts;
  let ended = 0;
  let failed = 0;
  for (const [slot, { ended: count, failures }] of model.slots) {
    if (slot <= Math.floor(nowMs / SLOT_MS) - SLOTS) continue;
    ended += count;
    for (const each of failures.values()) failed += each;
  }
  const max = model.about?.limits?.sessionsMax;
  return (
    <dl class="tiles">
      <Tile name="Open" value={OPEN} state="OPEN" note={max === undefined ? '' : `of ${max}`} />
      <Tile name="Opening" value={OPENING} state="OPENING" note="pending" />
      <Tile name="Closing" value={CLOSING} state="CLOSING" note="pending" />
      <Tile name="Ended" value={ended} state="CLOSED" note="last hour" />
      <Tile name="Failed" value={failed} state={failed === 0 ? 'CLOSED' : 'FAILED'} note="last hour" />
      <Tile name="Devices" value={model.devices.size} state="READY" note="paired" />
    </dl>
  );
}

function Tile({ name, value, state, note }: { name: string; value: number; state: string; note: string }) {
  return (
    <div class="card tile">
      <dt>
        <StateMark state={state} isWordHidden /> {name}
      </dt>
      <dd>
        <b class="number">{value}</b> <small>{note}</small>
      </dd>
    </div>
  );
}

function LastFailures({ failed, model }: { failed: readonly Session[]; model: HostModel }) {
  return (
    <div>
      <div class="title-line">
        <h2>Last failures</h2>
      </div>
      {failed.length === 0 ? (
        <p class="card quiet">
          <StateMark state="READY" isWordHidden /> None that this host remembers.
        </p>
      ) : (
        <ul class="failures">
          {failed.map((session) => (
            <li key={session.id} class="card failure">
              <p class="failure-title">
                <StateMark state={session.state} isWordHidden />
                <a href={link('sessions', { id: session.id })}>{model.nameOf(session.shape.deviceAddress)}</a>
                {session.endMs !== undefined && <Time ms={session.endMs} />}
              </p>
              <Failure session={session} />
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function NoSessions({ model }: { model: HostModel }) {
  if (!model.hasSessions && model.about === undefined) return <Empty title="Waiting for the host …" />;
  return (
    <Empty title="No session is open.">
      {about.value.allowsActions ? (
        <p>
          <button
            type="button"
            class="primary"
            onClick={() => {
              dialog.value = { kind: 'open' };
            }}
          >
            Open a session
          </button>
        </p>
      ) : (
        <p>
          To open one, run <code>wfdctl open ADDRESS</code> with the address of a <a href={link('devices')}>device</a>.
          To open sessions on this page, start it with <code>wfdctl console --allow-actions</code>.
        </p>
      )}
    </Empty>
  );
}
