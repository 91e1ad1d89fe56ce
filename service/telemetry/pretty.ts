/** The readable log format. Loaded only if it is used. */
import type { DestinationStream } from 'pino';
import { prettyFactory } from 'pino-pretty';

/** Uses only the formatter, because the stream of pino-pretty writes one turn later. */
export function prettyInto(to: DestinationStream, colorize: boolean): DestinationStream {
  const format = prettyFactory({
    colorize,
    translateTime: 'SYS:HH:MM:ss.l',
    singleLine: true,
    // Continuation lines are indented, so that they cannot pass for separate log lines.
    messageFormat: (line, key) => String(line[key]).replaceAll('\n', '\n    '),
  });
  return { write: (line) => to.write(format(withLiteralEscapes(line))) };
}

/**
 * Shows JSON escapes literally, except for quotes, backslashes, tabs and the line breaks of a
 * stack.
 */
function withLiteralEscapes(json: string): string {
  return json.replace(/\\(?:u[0-9a-f]{4}|.)/gi, (written) => (/^\\[ubfr]/.test(written) ? `\\${written}` : written));
}
