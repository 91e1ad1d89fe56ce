/** How many files this process may have open, connections among them, and how many connections that leaves room for. */
import { readFileSync } from 'node:fs';
import type { Config } from './schema.js';

/** What the daemon has open beside connections of clients: libraries, logs, listeners, and who scrapes metrics. */
const RESERVED_FILES = 80;

/** Undefined where nobody says: there is no such limit on Windows, and Node raises it as far as it may anyway. */
export function openFilesMax(platform: NodeJS.Platform): number | undefined {
  if (platform !== 'linux') return undefined;
  try {
    const [, soft] = /^Max open files +(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return soft === undefined || soft === 'unlimited' ? undefined : Number(soft);
  } catch {
    return undefined;
  }
}

/** As many as are wanted, or as few as the process can hold and still do its work. */
export function connectionsWithin(wanted: number, openFiles: number | undefined): number {
  return openFiles === undefined ? wanted : Math.max(Math.min(wanted, openFiles - RESERVED_FILES), 1);
}

/** The limits that this process can keep. */
export function limitsWithin(limits: Config['limits'], openFiles: number | undefined): Config['limits'] {
  return { ...limits, connectionsMax: connectionsWithin(limits.connectionsMax, openFiles) };
}
