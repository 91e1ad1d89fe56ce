/** Everything that every client is run through, in the order of the table. */

import type { Scenario } from './scenario.js';
import { badWorlds } from './scenarios/bad-worlds.js';
import { certificates } from './scenarios/certificates.js';
import { connections } from './scenarios/connections.js';
import { options } from './scenarios/options.js';
import { otherHosts } from './scenarios/other-hosts.js';
import { refusals } from './scenarios/refusals.js';
import { sessions } from './scenarios/sessions.js';
import { watches } from './scenarios/watches.js';

export interface Chapter {
  readonly title: string;
  readonly scenarios: readonly Scenario[];
}

/** Their scenarios share hosts, and change their world: they are played one after another. */
export const chapters: readonly Chapter[] = [
  { title: 'A client connects', scenarios: [...connections, ...certificates] },
  { title: 'A session', scenarios: sessions },
  { title: 'A watch', scenarios: watches },
  { title: 'A refusal', scenarios: refusals },
];

/**
 * Each scenario has hosts of its own, and mostly waits: all languages are played at the same time.
 */
export const patientChapters: readonly Chapter[] = [
  { title: 'Connecting is refused', scenarios: options },
  { title: 'With a different host', scenarios: otherHosts },
  { title: 'When the network or the host is bad', scenarios: badWorlds },
];
