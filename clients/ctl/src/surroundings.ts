/** All that a command finds around it; a test makes its own. */
import type { Place } from './contexts/storage.js';
import type { Terminals } from './terminal/output.js';

export interface Surroundings extends Place, Terminals {
  readonly workingFolder: string;
  /** Where `package.json` and `completions/` lie, with a `/` at its end. */
  readonly packageFolder: URL;
  /** Calls the listener at each Ctrl+C, instead of ending the process, until what it returns is called. */
  readonly onInterrupt: (listener: () => void) => () => void;
}
