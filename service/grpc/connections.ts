/**
 * How many connections there may be, and which one is closed if there are too many.
 *
 *     accepted --> unidentified --identify()--> identified --> closed
 *                       |  no call is admitted within identifyMs, or the place is needed: closed
 *
 * A connection is identified by its first call with a known caller. Until then anyone can have
 * opened it, so unidentified connections share a small budget. If that is full, a new connection
 * replaces the oldest one of the network that has the most. So an attacker who opens thousands of
 * connections displaces their own.
 *
 * Invariant: an identified connection is never closed for a new one, and unidentified ones never
 * exceed their budget. The other places are for callers that are known.
 */
import type { Http2Session } from 'node:http2';
import type { Socket } from 'node:net';
import { originOf } from './wire.js';

interface ConnectionLimits {
  readonly connectionsMax: number;
  readonly connectionsPerAddressMax: number;
  readonly unidentifiedConnectionsMax: number;
  readonly unidentifiedConnectionsPerAddressMax: number;
  readonly identifyMs: number;
  readonly streamsPerConnectionMax: number;
}

/**
 * Called for each connection that is refused or closed, with its origin and a sentence that says
 * why.
 */
type Refused = (client: string, message: string) => void;

/** Open calls on an unidentified connection. Each may hold headers and a part of a request. */
const UNIDENTIFIED_STREAMS_MAX = 50;
/** Refused calls in a row on one connection, without an admitted call in between. */
const REFUSALS_MAX = 20;
/**
 * Calls that a client may cancel in a row on one connection, and how many more it may cancel each
 * second. nghttp2 allows 1000 and 33 (CVE-2023-44487). Beyond that it closes the connection with
 * all of its calls, and reports nothing. These limits are lower: the connection is closed to new
 * calls only.
 */
const CANCELS_MAX = 800;
const CANCELS_PER_SECOND = 30;
/** The time between the polite close of a connection and the forced one. */
const GRACE_MS = 1000;

/**
 * A range of addresses whose connections are counted together. It may have `times` as many as one
 * address.
 */
export interface Network {
  readonly range: string;
  readonly times: number;
}

/** The connections from one range, oldest first. */
interface Group {
  total: number;
  readonly unidentified: Set<Place>;
}

interface Place {
  readonly socket: Socket;
  readonly networks: readonly Network[];
  readonly timer: NodeJS.Timeout;
  session: Http2Session | undefined;
  isIdentified: boolean;
  refusals: number;
  /** How many calls may still be cancelled, as of `cancelledMs`. */
  cancelsLeft: number;
  cancelledMs: number;
}

export class Connections {
  readonly #limits: ConnectionLimits;
  readonly #refused: Refused;
  readonly #groups = new Map<string, Group>();
  readonly #places = new WeakMap<object, Place>();
  #total = 0;
  #unidentified = 0;

  constructor(limits: ConnectionLimits, refused: Refused) {
    this.#limits = limits;
    this.#refused = refused;
  }

  get total(): number {
    return this.#total;
  }

  get unidentified(): number {
    return this.#unidentified;
  }

  /**
   * How many calls a connection may have open until it is identified. HTTP/2 announces it to the
   * client.
   */
  get streamsAtFirst(): number {
    return Math.min(UNIDENTIFIED_STREAMS_MAX, this.#limits.streamsPerConnectionMax);
  }

  /** Returns false if there is no place for the connection; it is closed then. */
  admit(socket: Socket): boolean {
    const networks = networksOf(socket.remoteAddress);
    const why = this.#makeRoom(networks);
    if (why !== undefined) {
      this.#refused(originOf(socket), `A connection was refused: ${why}`);
      socket.destroy();
      return false;
    }
    this.#add(socket, networks);
    return true;
  }

  /** An HTTP/2 session has begun on the socket. */
  begin(session: Http2Session, socket: Socket): void {
    const place = this.#places.get(socket);
    if (place === undefined) return;
    place.session = session;
    this.#places.set(session, place);
  }

  /** A call on the connection has a known caller. */
  identify(session: Http2Session): void {
    const place = this.#places.get(session);
    if (place === undefined) return;
    place.refusals = 0;
    if (place.isIdentified) return;
    this.#leaveUnidentified(place);
    place.isIdentified = true;
    const { streamsPerConnectionMax: maxConcurrentStreams } = this.#limits;
    if (!session.closed && !session.destroyed) session.settings({ maxConcurrentStreams });
  }

  /**
   * A call on the connection was refused, because its caller is unknown or its RPC is not served.
   * Too many in a row close the connection.
   */
  refuseCall(session: Http2Session): void {
    const place = this.#places.get(session);
    if (place === undefined) return;
    place.refusals += 1;
    if (place.refusals !== REFUSALS_MAX) return;
    this.#refused(originOf(place.socket), `A connection was closed: ${REFUSALS_MAX} calls in a row were refused.`);
    this.#end(place);
  }

  /** The client has cancelled a call on the connection. */
  cancelCall(session: Http2Session): void {
    const place = this.#places.get(session);
    if (place === undefined || session.closed) return;
    const nowMs = performance.now();
    const gained = ((nowMs - place.cancelledMs) / 1000) * CANCELS_PER_SECOND;
    place.cancelsLeft = Math.min(place.cancelsLeft + gained, CANCELS_MAX) - 1;
    place.cancelledMs = nowMs;
    if (place.cancelsLeft >= 1) return;
    const why = `its client cancelled ${CANCELS_MAX} calls in a row, faster than ${CANCELS_PER_SECOND} a second.`;
    this.#refused(originOf(place.socket), `A connection was closed to new calls: ${why}`);
    this.#end(place);
  }

  /**
   * Returns undefined if there is room, perhaps because an older connection was closed; otherwise
   * why not.
   */
  #makeRoom(networks: readonly Network[]): string | undefined {
    const { connectionsMax, connectionsPerAddressMax } = this.#limits;
    const { unidentifiedConnectionsMax, unidentifiedConnectionsPerAddressMax } = this.#limits;
    for (const { range, times } of networks) {
      const group = this.#groups.get(range);
      if (group === undefined) continue;
      if (group.unidentified.size >= times * unidentifiedConnectionsPerAddressMax) this.#giveUpOldest(group);
      if (group.total >= times * connectionsPerAddressMax && !this.#giveUpOldest(group)) {
        return `limits.connectionsPerAddressMax is reached, which is ${connectionsPerAddressMax}.`;
      }
    }
    if (this.#unidentified >= unidentifiedConnectionsMax) this.#giveUpOldest(this.#largest());
    if (this.#total >= connectionsMax && !this.#giveUpOldest(this.#largest())) {
      return `limits.connectionsMax is reached, which is ${connectionsMax}.`;
    }
    return undefined;
  }

  #add(socket: Socket, networks: readonly Network[]): void {
    const timer = setTimeout(() => this.#giveUpLate(place), this.#limits.identifyMs).unref();
    const place: Place = {
      socket,
      networks,
      timer,
      session: undefined,
      isIdentified: false,
      refusals: 0,
      cancelsLeft: CANCELS_MAX,
      cancelledMs: performance.now(),
    };
    this.#places.set(socket, place);
    this.#total += 1;
    this.#unidentified += 1;
    for (const { range } of networks) {
      const group = this.#groups.get(range) ?? { total: 0, unidentified: new Set() };
      this.#groups.set(range, group);
      group.total += 1;
      group.unidentified.add(place);
    }
    socket.once('close', () => this.#remove(place));
  }

  #remove(place: Place): void {
    if (!this.#places.delete(place.socket)) return;
    if (place.session !== undefined) this.#places.delete(place.session);
    this.#leaveUnidentified(place);
    this.#total -= 1;
    for (const { range } of place.networks) {
      const group = this.#groups.get(range);
      if (group === undefined) continue;
      group.total -= 1;
      if (group.total === 0) this.#groups.delete(range);
    }
  }

  #leaveUnidentified(place: Place): void {
    clearTimeout(place.timer);
    if (place.isIdentified) return;
    this.#unidentified -= 1;
    for (const { range } of place.networks) this.#groups.get(range)?.unidentified.delete(place);
  }

  /** The group with the most unidentified connections. Called only when all places are taken. */
  #largest(): Group | undefined {
    let largest: Group | undefined;
    for (const group of this.#groups.values()) {
      if (group.unidentified.size > (largest?.unidentified.size ?? 0)) largest = group;
    }
    return largest;
  }

  /** Returns false if no connection may be closed. */
  #giveUpOldest(group: Group | undefined): boolean {
    const [place] = group?.unidentified ?? [];
    if (place === undefined) return false;
    this.#refused(originOf(place.socket), 'A connection was given up for a new one: no call on it had been let in.');
    this.#remove(place);
    place.socket.destroy();
    return true;
  }

  #giveUpLate(place: Place): void {
    // First read what a busy host has not read yet.
    setImmediate(() => {
      if (!place.isIdentified && this.#places.has(place.socket)) this.#endLate(place);
    });
  }

  #endLate(place: Place): void {
    const { identifyMs } = this.#limits;
    this.#refused(originOf(place.socket), `A connection was closed: no call was let in within ${identifyMs} ms.`);
    this.#end(place);
  }

  /**
   * Calls in progress may finish within the grace. On an identified connection they may last as
   * long as they need.
   */
  #end(place: Place): void {
    const { session, socket } = place;
    if (session === undefined) {
      socket.destroy();
      return;
    }
    session.close();
    const isUnknown = () => !place.isIdentified;
    if (isUnknown()) setTimeout(() => isUnknown() && socket.destroy(), GRACE_MS).unref();
  }
}

/**
 * Ranges and how many times the limit of one address they may use. A /64 belongs to one host, a /48
 * to a whole site.
 */
const IPV6_RANGES = [
  { bits: 64, times: 1 },
  { bits: 56, times: 2 },
  { bits: 48, times: 3 },
] as const;

/**
 * The ranges that an address counts for. For IPv4, also if it is written as IPv6, it is the
 * address. For IPv6, it is what one host, one customer and one site commonly have. Local sockets
 * and pipes count for none.
 */
export function networksOf(address: string | undefined): readonly Network[] {
  if (address === undefined) return [];
  if (!address.includes(':')) return [{ range: address, times: 1 }];
  const ipv4 = /^::ffff:([\d.]+)$/i.exec(address)?.[1];
  if (ipv4 !== undefined) return [{ range: ipv4, times: 1 }];
  const [head = '', tail = ''] = address.replace(/%.*$/, '').split('::');
  const first = head === '' ? [] : head.split(':');
  const last = tail === '' ? [] : tail.split(':');
  const zeros = new Array<string>(Math.max(8 - first.length - last.length, 0)).fill('0');
  const [a, b, c, d] = [...first, ...zeros, ...last].map((group) => Number.parseInt(group, 16));
  const prefix = [a, b, c].map((group) => (group ?? 0).toString(16)).join(':');
  return IPV6_RANGES.map(({ bits, times }) => {
    const subnet = ((d ?? 0) >> (64 - bits)) << (64 - bits);
    return { range: `${prefix}:${subnet.toString(16)}::/${bits}`, times };
  });
}

/** The widest of these ranges: the network that is responsible, as far as an address shows. */
export function networkOf(address: string | undefined): string | undefined {
  return networksOf(address).at(-1)?.range;
}
