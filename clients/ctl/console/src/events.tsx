/** The events of a host, newest first. The list stands still while the user has scrolled down. */
import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { link, revision, route } from './app.js';
import type { Happening, HostModel } from './model.js';
import { Empty, StateMark, Time, useIsNarrow, VirtualList } from './parts.js';
import { causeOf, markOf, typeWords } from './session.js';
import { short, words } from './shapes.js';

const isFailuresOnly = signal(false);
const isAtTop = signal(true);

function isFound(happening: Happening, model: HostModel, query: string): boolean {
  if (isFailuresOnly.value && happening.type !== 'FAILED' && happening.type !== 'LOST') return false;
  if (query === '') return true;
  const { session, shape, type } = happening;
  const { principal = '', requestId = '', rpc = '' } = shape.cause ?? {};
  const native = shape.nativeResult?.name ?? '';
  const texts = [
    session.sessionId,
    session.deviceAddress,
    model.nameOf(session.deviceAddress),
    session.requestId ?? '',
  ];
  const text = [...texts, principal, requestId, rpc, type, native, session.owner ?? ''].join('\n').toLowerCase();
  return query
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

export function Events({ model }: { model: HostModel }) {
  const isNarrow = useIsNarrow();
  revision.value;
  const { query } = route.value;
  useEffect(() => {
    isAtTop.value = true;
  }, []);
  const listed = useRef<{ readonly count: number; readonly items: readonly Happening[] }>({ count: 0, items: [] });
  const listedFilter = useRef('');
  const filter = `${query}\n${isFailuresOnly.value}`;
  if (isAtTop.value || listedFilter.current !== filter) {
    listedFilter.current = filter;
    const items = model.events.filter((each) => isFound(each, model, query)).reverse();
    listed.current = { count: model.eventCount, items };
  }
  const missed = model.eventCount - listed.current.count;
  const { items } = listed.current;
  return (
    <section class="view fills" aria-labelledby="events-title">
      <div class="toolbar">
        <h1 id="events-title">
          Events <span class="count">{items.length}</span>
        </h1>
        <fieldset class="choices">
          <legend class="unseen">Which events</legend>
          <button type="button" aria-pressed={!isFailuresOnly.value} onClick={() => choose(false)}>
            All
          </button>
          <button type="button" aria-pressed={isFailuresOnly.value} onClick={() => choose(true)}>
            Failures
          </button>
        </fieldset>
        <span class="paused at-end" role="status">
          {missed > 0 ? `Paused while you read: ${missed} new at the top` : ''}
        </span>
      </div>
      {items.length === 0 ? (
        <NoEvents query={query} />
      ) : (
        <div class="table events-table">
          <VirtualList
            items={items}
            keyOf={({ key }) => key}
            rowHeight={isNarrow ? 64 : 38}
            label="Events"
            onTop={(isTop) => {
              isAtTop.value = isTop;
            }}
            row={(happening) => <EventRow happening={happening} model={model} />}
          />
        </div>
      )}
    </section>
  );
}

function choose(only: boolean): void {
  isFailuresOnly.value = only;
}

function NoEvents({ query }: { query: string }) {
  if (query !== '')
    return (
      <Empty title={`No event matches “${query}”.`}>
        <p>
          You can search for part of an id, an address, a device name, a principal or a Windows error name.{' '}
          <a href={link('events')}>Show all</a>
        </p>
      </Empty>
    );
  if (isFailuresOnly.value) return <Empty title="No failures in the events of this host." />;
  return (
    <Empty title="No events yet.">
      <p>
        Events appear here when sessions open and close. To open one, run <code>wfdctl open ADDRESS</code>.
      </p>
    </Empty>
  );
}

function EventRow({ happening, model }: { happening: Happening; model: HostModel }) {
  const { session, type } = happening;
  const end = type === 'FAILED' || type === 'LOST' ? short(session.end?.error?.reason, 'ERROR_REASON_') : '';
  return (
    <a class="event-row" href={link('sessions', { id: session.sessionId })}>
      <Time ms={happening.timeMs} isPrecise />
      <span class="what">
        <StateMark state={markOf(happening)} isWordHidden /> {typeWords(happening)}
      </span>
      <b class="cut">{model.nameOf(session.deviceAddress)}</b>
      <span class="cause cut">{[words(end), causeOf(happening)].filter(Boolean).join(' · ')}</span>
      <span class="id cut wide-only">{session.sessionId}</span>
    </a>
  );
}
