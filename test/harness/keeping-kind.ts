/** The events of sessions in a log that keeps them whole, so that tests can look at them. */

import { sessionEventKind } from '../../service/codec/event-kinds.js';
import type { EventKind } from '../../service/events/stream.js';
import type { LoggedSessionEvent, SessionEvent, SessionEventDraft } from '../../service/session/session.js';

export type KeptSessionEvent = SessionEvent & Omit<LoggedSessionEvent, 'arrivedMs'>;

export function keepingKind(): EventKind<SessionEventDraft, SessionEvent, KeptSessionEvent> {
  const { record, ...kind } = sessionEventKind();
  return { ...kind, record: (event) => ({ ...record(event), ...event }) };
}
