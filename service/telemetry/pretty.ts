/** The log for people. Loaded only on a terminal: who writes JSON does not pay for it. */
import type { DestinationStream } from 'pino';
import { prettyFactory } from 'pino-pretty';

/** Its formatter alone, since the stream of pino-pretty writes a turn late. */
export function prettyInto(to: DestinationStream, colorize: boolean): DestinationStream {
  const format = prettyFactory({
    colorize,
    translateTime: 'SYS:HH:MM:ss.l',
    singleLine: true,
    // What goes on in a second line is set in, so that it passes for no line of its own.
    messageFormat: (line, key) => String(line[key]).replaceAll('\n', '\n    '),
  });
  return { write: (line) => to.write(format(withLiteralEscapes(line))) };
}

/** What has an escape in JSON is shown by it, but for quotes, backslashes, tabs and the line breaks of a stack. */
function withLiteralEscapes(json: string): string {
  return json.replace(/\\(?:u[0-9a-f]{4}|.)/gi, (written) => (/^\\[ubfr]/.test(written) ? `\\${written}` : written));
}
