/** Everything that every client is run through, in the order of the table. */

import type { Scenario } from './scenario.js';
import { connections } from './scenarios/connections.js';
import { refusals } from './scenarios/refusals.js';
import { sessions } from './scenarios/sessions.js';
import { watches } from './scenarios/watches.js';

export interface Chapter {
  readonly title: string;
  readonly scenarios: readonly Scenario[];
}

export const chapters: readonly Chapter[] = [
  { title: 'A client connects', scenarios: connections },
  { title: 'A session', scenarios: sessions },
  { title: 'A watch', scenarios: watches },
  { title: 'A refusal', scenarios: refusals },
];
