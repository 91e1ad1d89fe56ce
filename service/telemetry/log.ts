/**
 * The log: one JSON object per line, with a stable event name, or the same in readable form on a
 * terminal.
 *
 * Invariant: no line contains a secret, and no line of level info or above contains a device
 * address unless `log.addresses` allows it. Both are enforced here, in fields at any depth, in
 * messages and in errors, so callers need not care. IP addresses are recognized by their field
 * name, MAC addresses anywhere.
 */
import { type DestinationStream, pino, stdTimeFunctions } from 'pino';
import type { Config } from '../config/schema.js';
import { visible } from '../visible.js';
import { Output } from './output.js';

export type Settings = Pick<Config['log'], 'level' | 'format' | 'addresses'>;
type Level = Settings['level'];

/** Further fields of the event. An Error is written with its type, message, stack and cause. */
export type Fields = Readonly<Record<string, unknown>> & {
  readonly [taken in 'level' | 'time' | 'event' | 'msg']?: never;
};

/** `event` is the stable kebab-case name of the event; `message` describes it in a sentence. */
type Write = (event: string, message: string, fields?: Fields) => void;

/** The log interface of the service. */
export interface Log extends Readonly<Record<Level, Write>> {
  /** A log that adds these fields to every line. */
  child(fields: Fields): Log;
}

/** Fields whose value is never written. Case, `_` and `-` in a name are ignored. */
const SECRET_NAMES = /^(authorization|cookie|.*(password|passphrase|secret|token|privatekey|apikey|credentials?))$/;
const SECRET = '[secret]';

const ADDRESS_NAMES = /^(device|local|peer)address(es)?$/;
const MAC_ADDRESSES = /\b[0-9a-f]{2}([:-])[0-9a-f]{2}(?:\1[0-9a-f]{2}){4}\b/gi;
const ADDRESS = '[address]';

/** Deeper nesting is cut off, which also bounds cycles. */
const DEPTH_MAX = 8;

/** Longer texts are cut, so that one field cannot make a line huge. */
const TEXT_MAX = 1000;
const STACK_MAX = 8000;
/** The maximum for an array or an object. */
const ENTRIES_MAX = 100;

/**
 * A log that writes lines to `to` in the format and level of the settings. If `to` drops lines, the
 * log reports how many. `isTerminal` selects the format for `auto`.
 */
export async function createLog(settings: Settings, to: DestinationStream | Output, isTerminal = false): Promise<Log> {
  const isPretty = settings.format === 'pretty' || (settings.format === 'auto' && isTerminal);
  const logger = pino(
    {
      level: settings.level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
      // Errors are already plain objects (see below). pino's serializer would drop their cause.
      serializers: { err: (plain: unknown) => plain },
      // JSON does not escape all characters that a terminal may interpret.
      hooks: { streamWrite: (line) => `${visible(line.trimEnd())}\n` },
    },
    isPretty ? (await import('./pretty.js')).prettyInto(to, isTerminal && process.stdout.hasColors()) : to,
  );
  if (to instanceof Output) {
    // Independent of the log level, because readers must know that lines are missing.
    const always = logger.child({}, { level: 'warn' });
    to.tellDropped = (lines) =>
      always.warn({ event: 'log-lines-dropped', lines }, `Dropped ${lines} log lines, because the output was blocked.`);
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
  // Not all JSON readers keep 64-bit integers.
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
  // Keeps some extra characters at first, so that an address at the cut is still recognized.
  const start = text.length > max ? text.slice(0, max + 20) : text;
  const clean = hides ? start.replace(MAC_ADDRESSES, ADDRESS) : start;
  return text.length > max ? `${clean.slice(0, max)}[${text.length - max} more]` : clean;
}

/** Objects of other classes (sockets, streams) are named, not traversed. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
