/**
 * The log: one JSON object a line, each with the stable name of what happened, or the same for people on a terminal.
 *
 * The rule that must not be broken: no line holds a secret, and none of level info or above holds the address of a device
 * unless `log.addresses` allows it. Both are enforced here, in fields at any depth, in messages and in errors, so that
 * whoever logs need not think of it. (IP addresses are known by the name of their field, MAC addresses anywhere.)
 */
import { type DestinationStream, pino, stdTimeFunctions } from 'pino';
import type { Config } from '../config/schema.js';
import { visible } from '../visible.js';
import { Output } from './output.js';

export type Settings = Pick<Config['log'], 'level' | 'format' | 'addresses'>;
type Level = Settings['level'];

/** Whatever belongs to the event. An Error is written with its type, message, stack and cause. */
export type Fields = Readonly<Record<string, unknown>> & {
  readonly [taken in 'level' | 'time' | 'event' | 'msg']?: never;
};

/** `event` is the stable kebab-case name of what happened, `message` a sentence about it. */
type Write = (event: string, message: string, fields?: Fields) => void;

/** What the rooms depend on. */
export interface Log extends Readonly<Record<Level, Write>> {
  /** A log whose every line has these fields too. */
  child(fields: Fields): Log;
}

/** Fields whose value is never written; upper case, `_` and `-` in a name do not matter. */
const SECRET_NAMES = /^(authorization|cookie|.*(password|passphrase|secret|token|privatekey|apikey|credentials?))$/;
const SECRET = '[secret]';

const ADDRESS_NAMES = /^(device|local|peer)address(es)?$/;
const MAC_ADDRESSES = /\b[0-9a-f]{2}([:-])[0-9a-f]{2}(?:\1[0-9a-f]{2}){4}\b/gi;
const ADDRESS = '[address]';

/** Nothing sensible is nested deeper; it bounds what a cycle can make of a line. */
const DEPTH_MAX = 8;

/** What is longer is cut: nobody makes the log large with one field. */
const TEXT_MAX = 1000;
const STACK_MAX = 8000;
/** Of an array or an object. */
const ENTRIES_MAX = 100;

/**
 * A log that writes lines to `to`, by the format and level of the settings. Where `to` drops lines, the log
 * says how many. `isTerminal` decides what the format `auto` is.
 */
export async function createLog(settings: Settings, to: DestinationStream | Output, isTerminal = false): Promise<Log> {
  const isPretty = settings.format === 'pretty' || (settings.format === 'auto' && isTerminal);
  const logger = pino(
    {
      level: settings.level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
      // What is written here has been made plain below; pino would take it for an error of type Object, and drop its cause.
      serializers: { err: (plain: unknown) => plain },
      // JSON lets stand raw what a terminal may take for a command.
      hooks: { streamWrite: (line) => `${visible(line.trimEnd())}\n` },
    },
    isPretty ? (await import('./pretty.js')).prettyInto(to, isTerminal && process.stdout.hasColors()) : to,
  );
  if (to instanceof Output) {
    // Whatever the level of the log: who reads it must know that it is not whole.
    const always = logger.child({}, { level: 'warn' });
    to.tellDropped = (lines) =>
      always.warn(
        { event: 'log-lines-dropped', lines },
        `${lines} log lines were dropped: they were not taken in time.`,
      );
  }

  const logWith = (bound: Fields): Log => {
    const writer = (level: Level): Write => {
      const hides = level !== 'debug' && !settings.addresses;
      return (event, message, fields) => {
        if (!logger.isLevelEnabled(level)) return;
        logger[level]({ event, ...cleanFields({ ...bound, ...fields }, hides, 0) }, cleanText(message, hides));
      };
    };
    return {
      debug: writer('debug'),
      info: writer('info'),
      warn: writer('warn'),
      error: writer('error'),
      child: (fields) => logWith({ ...bound, ...fields }),
    };
  };
  return logWith({});
}

function cleanFields(fields: object, hides: boolean, depth: number): Record<string, unknown> {
  const clean: Record<string, unknown> = {};
  const entries = Object.entries(fields);
  for (const [name, value] of entries.slice(0, ENTRIES_MAX)) {
    const plain = name.toLowerCase().replace(/[_-]/g, '');
    if (value === undefined || value === null) clean[name] = value;
    else if (SECRET_NAMES.test(plain)) clean[name] = SECRET;
    else if (hides && ADDRESS_NAMES.test(plain)) clean[name] = ADDRESS;
    else clean[name] = cleanValue(value, hides, depth + 1, name === 'stack' ? STACK_MAX : TEXT_MAX);
  }
  if (entries.length > ENTRIES_MAX) clean['more'] = entries.length - ENTRIES_MAX;
  return clean;
}

function cleanValue(value: unknown, hides: boolean, depth: number, max = TEXT_MAX): unknown {
  if (typeof value === 'string') return cleanText(value, hides, max);
  // JSON has no 64-bit integers that every reader keeps.
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  if (depth > DEPTH_MAX) return '[deep]';
  if (Array.isArray(value)) return cleanArray(value, hides, depth);
  if (value instanceof Error) return cleanError(value, hides, depth);
  if (value instanceof Uint8Array) return `[${value.length} bytes]`;
  if ('toJSON' in value && typeof value.toJSON === 'function') return cleanValue(value.toJSON(), hides, depth + 1);
  return isPlain(value) ? cleanFields(value, hides, depth) : `[${value.constructor.name}]`;
}

function cleanError(error: Error, hides: boolean, depth: number): Record<string, unknown> {
  const { message, stack, cause } = error;
  return cleanFields({ ...error, type: error.name, message, stack, cause }, hides, depth);
}

function cleanArray(values: readonly unknown[], hides: boolean, depth: number): unknown[] {
  const clean = values.slice(0, ENTRIES_MAX).map((each) => cleanValue(each, hides, depth + 1));
  return values.length > ENTRIES_MAX ? [...clean, `[${values.length - ENTRIES_MAX} more]`] : clean;
}

function cleanText(text: string, hides: boolean, max = TEXT_MAX): string {
  // Some more than is kept, so that an address at the cut is still known for one.
  const start = text.length > max ? text.slice(0, max + 20) : text;
  const clean = hides ? start.replace(MAC_ADDRESSES, ADDRESS) : start;
  return text.length > max ? `${clean.slice(0, max)}[${text.length - max} more]` : clean;
}

/** Objects of foreign classes (sockets, streams) are named, not walked. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
