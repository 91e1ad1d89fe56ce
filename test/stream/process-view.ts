/** A process as the system sees it: what it holds. Linux only, as are the tests that look. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

const KILOBYTE = 1024;

/** Memory that is in use and not shared out. */
export function residentBytes(pid: number): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) * KILOBYTE;
}

/** Connections, and what listens for them. */
export function socketCount(pid: number): number {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).filter((fd) => isSocket(`${folder}/${fd}`)).length;
}

function isSocket(path: string): boolean {
  try {
    return readlinkSync(path).startsWith('socket:');
  } catch {
    // Closed since the folder was read.
    return false;
  }
}
