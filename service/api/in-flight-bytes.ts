/**
 * The memory of all requests and answers in transit, on any wire. A request may arrive a byte at a
 * time or never end, and a client may not read an answer. So each has a time limit, and all
 * together have a bound.
 */
import { type Fault, limitExceeded } from '../fault.js';

interface InFlightLimits {
  readonly transitMs: number;
  readonly transitBytesMax: number;
}

export class InFlightBytes {
  readonly limits: InFlightLimits;
  /** Bytes of all messages together. */
  total = 0;

  constructor(limits: InFlightLimits) {
    this.limits = limits;
  }

  get isFull(): boolean {
    return this.total > this.limits.transitBytesMax;
  }

  /** The fault of a request that did not arrive in time. */
  tooSlow(): Fault {
    const value = `${this.limits.transitMs / 1000}s`;
    const limit = { subject: 'host', limit: 'transit_max', value };
    return limitExceeded(limit, `The request did not arrive within ${value}.`);
  }

  /** The fault of a large request while all together hold too much. */
  tooMuch(): Fault {
    const limit = { subject: 'host', limit: 'transit_bytes_max', value: this.limits.transitBytesMax };
    return limitExceeded(limit, `Messages in transit already hold ${limit.value} bytes; retry later.`);
  }
}
