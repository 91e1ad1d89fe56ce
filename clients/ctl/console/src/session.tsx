/** One session: its state, its events, and its actions. */
import type { ComponentChildren } from 'preact';
import { about, dialog, link, now, revision } from './app.js';
import { span, took } from './format.js';
import type { Happening, HostModel, Session } from './model.js';
import { Axis, Bar, Callout, Copy, Empty, Failure, StateMark, Time } from './parts.js';
import { leaseOf } from './sessions.js';
import { nativeText, short, words } from './shapes.js';

export function SessionView({ id, model }: { id: string; model: HostModel }) {
  revision.value;
  const session = model.sessions.get(id);
  if (session === undefined)
    return (
      <section class="view">
        <h1>Session</h1>
        <Empty title={model.hasSessions ? `The host has no session ${id}.` : 'Waiting for the host …'}>
          <p>
            The host keeps a session for a while after its end. <a href={link('sessions')}>See all sessions</a>.
          </p>
        </Empty>
      </section>
    );
  const { shape, state } = session;
  const rangeMs = Math.max(60_000, (now.value + model.aheadMs - session.createMs) * 1.08);
  return (
    <section class="view" aria-labelledby="session-title">
      <p class="crumbs">
        <a href={link('sessions')}>Sessions</a>
      </p>
      <div class="title-line">
        <h1 id="session-title">
          {model.nameOf(shape.deviceAddress)} <StateMark state={state} />
        </h1>
        <Actions session={session} />
      </div>
      <p class="id-line">
        <span class="id">{id}</span> <Copy text={id} what="session id" />
      </p>
      {(state === 'FAILED' || state === 'LOST') && (
        <Callout tone="bad" title={state === 'FAILED' ? 'The session could not be opened' : 'The session was lost'}>
          <Failure session={session} />
        </Callout>
      )}
      <div class="life">
        <Axis model={model} rangeMs={rangeMs} />
        <Bar session={session} model={model} rangeMs={rangeMs} />
      </div>
      <Facts session={session} model={model} />
      <h2 class="part-title">Events</h2>
      {session.events.length === 0 ? (
        <p class="dim">The host no longer has the events of this session.</p>
      ) : (
        <ol class="happenings">
          {session.events.map((happening) => (
            <li key={happening.key}>
              <HappeningLine happening={happening} />
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}

function Facts({ session, model }: { session: Session; model: HostModel }) {
  const { shape, createMs, openMs, endMs, leaseMs } = session;
  const { networkInterface: link_, end, owner = '', requestId = '' } = shape;
  const lease = leaseOf(session, model);
  return (
    <dl class="facts">
      <Fact name="Device">
        <a href={link('devices', { id: shape.deviceAddress })}>{shape.deviceAddress}</a>
      </Fact>
      <Fact name="Owner">
        <a href={link('sessions', { query: owner })}>{owner}</a>
      </Fact>
      <Fact name="Created">
        <Time ms={createMs} />
      </Fact>
      <Fact name="Open after">{openMs === undefined ? '–' : took(openMs - createMs)}</Fact>
      <Fact name={endMs === undefined ? 'Open for' : 'Was open for'}>
        {openMs === undefined ? '–' : span((endMs ?? now.value + model.aheadMs) - openMs)}
      </Fact>
      <Fact name="Lease">
        {lease === '' ? (leaseMs === undefined ? 'none: it ends with its stream' : '–') : `${lease} left`}
      </Fact>
      <Fact name="Interface">{link_ === undefined ? '–' : link_.alias || link_.guid}</Fact>
      <Fact name="Host address">{link_?.localAddresses?.join(', ') || '–'}</Fact>
      <Fact name="Peer address">{link_?.peerAddresses?.join(', ') || '–'}</Fact>
      {end !== undefined && (
        <Fact name="Ended">
          {endMs !== undefined && <Time ms={endMs} />} {words(short(end.reason, 'SESSION_END_REASON_'))}
          {end.evidence !== undefined && `, confirmed by ${words(short(end.evidence, 'DISCONNECT_EVIDENCE_'))}`}
        </Fact>
      )}
      {requestId !== '' && (
        <Fact name="Request">
          <span class="with-copy">
            <a class="id cut" href={link('events', { query: requestId })}>
              {requestId}
            </a>
            <Copy text={requestId} what="request id" />
          </span>
        </Fact>
      )}
    </dl>
  );
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Actions({ session }: { session: Session }) {
  if (!about.value.allowsActions) return null;
  const { id: sessionId, state, leaseMs } = session;
  const canRenew = leaseMs !== undefined && (state === 'OPEN' || state === 'OPENING');
  return (
    <span class="actions">
      {canRenew && (
        <button
          type="button"
          onClick={() => {
            dialog.value = { kind: 'renew', sessionId };
          }}
        >
          Renew …
        </button>
      )}
      {state === 'OPENING' && (
        <button
          type="button"
          class="danger"
          onClick={() => {
            dialog.value = { kind: 'end', action: 'cancel', sessionId };
          }}
        >
          Cancel …
        </button>
      )}
      {state === 'OPEN' && (
        <button
          type="button"
          class="danger"
          onClick={() => {
            dialog.value = { kind: 'end', action: 'close', sessionId };
          }}
        >
          Close …
        </button>
      )}
    </span>
  );
}

/** The cause of an event that no client caused. */
const SOURCES: Readonly<Record<string, string>> = {
  NATIVE: 'Windows',
  LEASE: 'the lease expired',
  STREAM_LOST: 'the stream that held the session ended',
  PEER: 'the link is down',
  TIMEOUT: 'the open timed out',
  DRIVER: 'the host lost its Wi-Fi Direct service',
  SHUTDOWN: 'the host is shutting down',
  RESTART: 'the host restarted',
};

/** Who or what caused the event, and the result of Windows. */
export function causeOf({ shape, session }: Happening): string {
  const { cause, nativeResult } = shape;
  const source = short(cause?.source, 'EVENT_SOURCE_');
  const rpc = cause?.rpc?.split('/')[1];
  const who = source === 'CLIENT' ? `${rpc ?? 'call'} by ${cause?.principal ?? 'a client'}` : SOURCES[source];
  const native = nativeText(nativeResult);
  const link_ = session.networkInterface;
  const where = shape.type?.endsWith('NETWORK_INTERFACE_CHANGED')
    ? [link_?.alias, link_?.localAddresses?.[0]].filter(Boolean).join(' ')
    : '';
  return [who, where, native].filter(Boolean).join(' · ');
}

export function typeWords({ type }: Happening): string {
  return type === 'NETWORK_INTERFACE_CHANGED' ? 'interface changed' : words(type);
}

/** The state after the event, for its mark. */
export function markOf({ type, session }: Happening): string {
  return type === 'OPENED' ? 'OPEN' : short(session.state, 'SESSION_STATE_');
}

function HappeningLine({ happening }: { happening: Happening }) {
  return (
    <span class="happening">
      <Time ms={happening.timeMs} isPrecise />
      <span class="what">
        <StateMark state={markOf(happening)} isWordHidden /> {typeWords(happening)}
      </span>
      <span class="cause">{causeOf(happening)}</span>
    </span>
  );
}
