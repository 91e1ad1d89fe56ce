/** The log for people. Loaded only on a terminal: who writes JSON does not pay for it. */
import type { DestinationStream } from 'pino';
import { prettyFactory } from 'pino-pretty';

/** Its formatter alone, since the stream of pino-pretty writes a turn late. */
export function prettyInto(to: DestinationStream, colorize: boolean): DestinationStream {
  const format = prettyFactory({ colorize, translateTime: 'SYS:HH:MM:ss.l', singleLine: true });
  return { write: (line) => to.write(format(line)) };
}
