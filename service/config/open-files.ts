/** The limit on open files of this process, and how many connections fit below it. */
import { readFileSync } from 'node:fs';
import type { Config } from './schema.js';

/**
 * Files that the daemon needs besides client connections: libraries, logs, listeners, metrics
 * scrapers.
 */
const RESERVED_FILES = 80;

/**
 * The soft limit of this process. Undefined if it is unknown or absent, as on Windows. Node has
 * raised it to the hard limit.
 */
export function openFilesMax(platform: NodeJS.Platform): number | undefined {
  if (platform !== 'linux') return undefined;
  try {
    const [, soft] = /^Max open files +(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return soft === undefined || soft === 'unlimited' ? undefined : Number(soft);
  } catch {
    return undefined;
  }
}

/** The wanted number of connections, reduced to what fits below the limit on open files. */
export function connectionsWithin(wanted: number, openFiles: number | undefined): number {
  return openFiles === undefined ? wanted : Math.max(Math.min(wanted, openFiles - RESERVED_FILES), 1);
}

/** The limits, with connectionsMax reduced to what fits. */
export function limitsWithin(limits: Config['limits'], openFiles: number | undefined): Config['limits'] {
  return { ...limits, connectionsMax: connectionsWithin(limits.connectionsMax, openFiles) };
}
