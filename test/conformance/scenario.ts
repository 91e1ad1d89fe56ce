/** What a scenario is, and what it says things with. */
import { deepStrictEqual } from 'node:assert/strict';
import type { Gateway } from '../harness/gateway.js';
import type { Agent, Doing } from './agent.js';
import type { Hosts } from './hosts.js';
import type { EventItem, Gives, WatchItem } from './protocol.js';

export interface Stage {
  /** The client library under test, connected to `host`. */
  readonly client: Agent;
  /** The usual host, its world as at the start. */
  readonly host: Gateway;
  readonly hosts: Hosts;
}

export interface Scenario {
  /** The row of the table. */
  readonly name: string;
  /** Throws where something is not as it must be. */
  readonly play: (stage: Stage) => Promise<void>;
}

/** That `actual` has at least what `expected` has. */
export function matches(actual: unknown, expected: unknown): void {
  deepStrictEqual(partOf(actual, expected), expected);
}

function partOf(actual: unknown, expected: unknown): unknown {
  if (typeof expected !== 'object' || expected === null || Array.isArray(expected)) return actual;
  if (typeof actual !== 'object' || actual === null) return actual;
  const pick = (key: string) => [key, partOf(Reflect.get(actual, key), Reflect.get(expected, key))];
  return Object.fromEntries(Object.keys(expected).map(pick));
}

export type Opening = Doing<Gives<'open'>>;

/** The event of a session's stream, past or to come. */
export async function eventOf(opening: Opening, type: string): Promise<EventItem> {
  return (await opening.first(({ event }) => event.type === type)).event;
}

/** The names of the events; those of addresses come when they like. */
export function typesOf(events: readonly EventItem[]): string[] {
  return events.map(({ type }) => type).filter((type) => type !== 'NETWORK_INTERFACE_CHANGED');
}

export function openedEvents(opening: Opening): EventItem[] {
  return opening.items.map(({ event }) => event);
}

export function watchedEvents(items: readonly WatchItem[], sessionId?: string): EventItem[] {
  const events = items.flatMap((item) => (item.kind === 'event' ? [item.event] : []));
  return sessionId === undefined ? events : events.filter(({ session }) => session.id === sessionId);
}

/** That the events follow one another, from this number to that. */
export function followOneAnother(items: readonly WatchItem[], first: number, last: number): void {
  const sequences = watchedEvents(items).map(({ sequence }) => sequence);
  deepStrictEqual(
    sequences,
    Array.from({ length: last - first + 1 }, (_, i) => first + i),
  );
}

/**
 * That each event comes once and in order, the first with this number, though some are left out.
 */
export function riseFrom(items: readonly WatchItem[], first: number): void {
  const sequences = watchedEvents(items).map(({ sequence }) => sequence);
  deepStrictEqual(sequences[0], first);
  deepStrictEqual(
    sequences,
    [...new Set(sequences)].toSorted((a, b) => a - b),
  );
}

export type Kind<K extends WatchItem['kind']> = Extract<WatchItem, { kind: K }>;

/** An item of this kind, past or to come. */
export async function itemOf<K extends WatchItem['kind']>(
  watching: Doing<WatchItem>,
  kind: K,
  isSo: (item: Kind<K>) => boolean = () => true,
  patienceMs?: number,
): Promise<Kind<K>> {
  const isIt = (item: WatchItem): item is Kind<K> => item.kind === kind && isSo(item as Kind<K>);
  const item = await watching.first(isIt, patienceMs);
  if (!isIt(item)) throw new Error('first gave another');
  return item;
}
