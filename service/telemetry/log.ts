/**
 * The log: one JSON object a line, each with the stable name of what happened, or the same for people on a terminal.
 *
 * The rule that must not be broken: no line holds a secret, and none of level info or above holds the address of a device
 * unless `log.addresses` allows it. Both are enforced here, in fields at any depth, in messages and in errors, so that
 * whoever logs need not think of it. (IP addresses are known by the name of their field, MAC addresses anywhere.)
 */
import { isatty } from 'node:tty';
import { type DestinationStream, destination, pino, stdTimeFunctions } from 'pino';
import type { Config } from '../config/schema.js';
import { visible } from '../visible.js';

type Level = Config['log']['level'];

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

/**
 * The log of the daemon, to the standard output unless told otherwise. A line is written when the call returns, so the
 * last ones before the process ends are not lost. What cannot be written (disk full, pipe closed) is dropped: the log
 * never stops the service.
 */
export async function createLog(settings: Config['log'], to?: DestinationStream): Promise<Log> {
  const isTerminal = to === undefined && isatty(1);
  const isPretty = settings.format === 'pretty' || (settings.format === 'auto' && isTerminal);
  const lines = to ?? standardOutput();
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
    isPretty ? (await import('./pretty.js')).prettyInto(lines, isTerminal && process.stdout.hasColors()) : lines,
  );

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

function standardOutput(): DestinationStream {
  const stream = destination({ dest: 1, sync: true });
  stream.on('error', () => {});
  return stream;
}

function cleanFields(fields: object, hides: boolean, depth: number): Record<string, unknown> {
  const clean: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    const plain = name.toLowerCase().replace(/[_-]/g, '');
    if (value === undefined || value === null) clean[name] = value;
    else if (SECRET_NAMES.test(plain)) clean[name] = SECRET;
    else if (hides && ADDRESS_NAMES.test(plain)) clean[name] = ADDRESS;
    else clean[name] = cleanValue(value, hides, depth + 1);
  }
  return clean;
}

function cleanValue(value: unknown, hides: boolean, depth: number): unknown {
  if (typeof value === 'string') return cleanText(value, hides);
  // JSON has no 64-bit integers that every reader keeps.
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  if (depth > DEPTH_MAX) return '[deep]';
  if (Array.isArray(value)) return value.map((each) => cleanValue(each, hides, depth + 1));
  if (value instanceof Error) return cleanError(value, hides, depth);
  if (value instanceof Uint8Array) return `[${value.length} bytes]`;
  if ('toJSON' in value && typeof value.toJSON === 'function') return cleanValue(value.toJSON(), hides, depth + 1);
  return isPlain(value) ? cleanFields(value, hides, depth) : `[${value.constructor.name}]`;
}

function cleanError(error: Error, hides: boolean, depth: number): Record<string, unknown> {
  const { message, stack, cause } = error;
  return cleanFields({ ...error, type: error.name, message, stack, cause }, hides, depth);
}

function cleanText(text: string, hides: boolean): string {
  return hides ? text.replace(MAC_ADDRESSES, ADDRESS) : text;
}

/** Objects of foreign classes (sockets, streams) are named, not walked. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
