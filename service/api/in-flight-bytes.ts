/**
 * What requests and answers on their way hold in memory, all together, whatever wire they are on. A
 * request may come a byte at a time or never to its end, and an answer may be taken by nobody; so
 * there is a time for each, and a bound on what all of them hold.
 */
import { type Fault, limitExceeded } from '../fault.js';

interface InFlightLimits {
  readonly transitMs: number;
  readonly transitBytesMax: number;
}

export class InFlightBytes {
  readonly limits: InFlightLimits;
  /** Held by all together. */
  total = 0;

  constructor(limits: InFlightLimits) {
    this.limits = limits;
  }

  get isFull(): boolean {
    return this.total > this.limits.transitBytesMax;
  }

  /** For a request that did not arrive in time. */
  tooSlow(): Fault {
    const value = `${this.limits.transitMs / 1000}s`;
    const limit = { subject: 'host', limit: 'transit_max', value };
    return limitExceeded(limit, `The request did not arrive within ${value}.`);
  }

  /** For a request that holds much itself while all together hold too much. */
  tooMuch(): Fault {
    const limit = { subject: 'host', limit: 'transit_bytes_max', value: this.limits.transitBytesMax };
    return limitExceeded(limit, `Messages in transit already hold ${limit.value} bytes; retry later.`);
  }
}
