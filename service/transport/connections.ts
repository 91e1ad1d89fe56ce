/**
 * How many connections there may be, in all and from one address, so that whoever opens them by the thousand takes neither the memory of
 * the host nor the places of the others. One too many is closed before a byte of it is read.
 */
import type { Socket } from 'node:net';
import { originOf } from './wire.js';

export interface ConnectionLimits {
  readonly connectionsMax: number;
  readonly connectionsPerAddressMax: number;
}

export class Connections {
  readonly #limits: ConnectionLimits;
  readonly #refused: (client: string, message: string) => void;
  readonly #byNetwork = new Map<string, number>();
  #total = 0;

  constructor(limits: ConnectionLimits, refused: (client: string, message: string) => void) {
    this.#limits = limits;
    this.#refused = refused;
  }

  get total(): number {
    return this.#total;
  }

  /** False: it was one too many, and is closed. */
  admit(socket: Socket): boolean {
    const { connectionsMax, connectionsPerAddressMax } = this.#limits;
    const network = networkOf(socket.remoteAddress);
    const ofNetwork = network === undefined ? 0 : (this.#byNetwork.get(network) ?? 0);
    if (ofNetwork >= connectionsPerAddressMax) {
      return this.#refuse(socket, `limits.connectionsPerAddressMax is reached, which is ${connectionsPerAddressMax}.`);
    }
    if (this.#total >= connectionsMax) {
      return this.#refuse(socket, `limits.connectionsMax is reached, which is ${connectionsMax}.`);
    }
    this.#total += 1;
    if (network !== undefined) this.#byNetwork.set(network, ofNetwork + 1);
    socket.once('close', () => {
      this.#total -= 1;
      if (network === undefined) return;
      const left = (this.#byNetwork.get(network) ?? 1) - 1;
      if (left === 0) this.#byNetwork.delete(network);
      else this.#byNetwork.set(network, left);
    });
    return true;
  }

  #refuse(socket: Socket, why: string): false {
    this.#refused(originOf(socket), `A connection was refused: ${why}`);
    socket.destroy();
    return false;
  }
}

/**
 * What counts as one address: an IPv4 address, also one written as IPv6; of IPv6 the first 64 bits, as any host has all the others to
 * itself. Local sockets and pipes have none.
 */
export function networkOf(address: string | undefined): string | undefined {
  if (address === undefined || !address.includes(':')) return address;
  const ipv4 = /^::ffff:([\d.]+)$/i.exec(address)?.[1];
  if (ipv4 !== undefined) return ipv4;
  const [head = '', tail = ''] = address.replace(/%.*$/, '').split('::');
  const first = head === '' ? [] : head.split(':');
  const last = tail === '' ? [] : tail.split(':');
  const zeros = new Array<string>(Math.max(8 - first.length - last.length, 0)).fill('0');
  return [...first, ...zeros, ...last].slice(0, 4).join(':');
}
