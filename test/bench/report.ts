/** The table as it grows, and the JSON of a run, whose shape is `Report`. */
import { spawnSync } from 'node:child_process';
import { cpus, loadavg, totalmem } from 'node:os';
import type { Aim, Figure } from './figure.js';

/** What `dist/bench/<date>.json` has. */
export interface Report {
  /** Of this shape: 1. A change that readers must know of gives it the next number. */
  readonly format: 1;
  /** ISO 8601, UTC. */
  readonly startTime: string;
  readonly durationMs: number;
  /** A quick run shows that all works; its figures say nothing. */
  readonly isQuick: boolean;
  readonly machine: Machine;
  readonly figures: readonly Figure[];
  /** Cases that could not be measured, and why. */
  readonly failures: readonly { readonly case: string; readonly message: string }[];
}

interface Machine {
  readonly processor: string;
  readonly processors: number;
  readonly memoryBytes: number;
  /** `linux x64` */
  readonly platform: string;
  readonly node: string;
  /** Of git, with `+` where files differ from it; empty where there is none. */
  readonly commit: string;
  /** Of one minute, before the run: what else the machine did. */
  readonly load: number;
}

export function describeMachine(): Machine {
  const git = (...args: string[]) => spawnSync('git', args, { encoding: 'utf8' }).stdout?.trim() ?? '';
  const all = cpus();
  const commit = git('rev-parse', '--verify', '--quiet', 'HEAD');
  return {
    processor: all[0]?.model ?? '',
    processors: all.length,
    memoryBytes: totalmem(),
    platform: `${process.platform} ${process.arch}`,
    node: process.version,
    commit: commit === '' ? '' : commit + (git('status', '--porcelain') === '' ? '' : '+'),
    load: loadavg()[0] ?? Number.NaN,
  };
}

const columns = [52, 13, 13, 8] as const;

export const tableHead = row('', 'gateway', 'against', 'ratio', 'aim');

export function tableRow({ name, unit, gateway, against, ratio, aim, isMet }: Figure): string {
  return row(
    name,
    withUnit(gateway.median, unit),
    against === undefined ? '' : withUnit(against.median, unit),
    ratio === undefined ? '' : number(ratio),
    aim === undefined ? '' : `${aimText(aim, unit)} ${isMet ? 'met' : 'missed'}`,
    against === undefined ? '' : against.what,
  );
}

function row(...[name = '', ...cells]: string[]): string {
  const [first, ...others] = columns;
  const padded = others.map((width, index) => (cells[index] ?? '').padStart(width)).join(' ');
  return `  ${name.padEnd(first)}${padded}  ${cells.slice(others.length).join(' ')}`.trimEnd();
}

function aimText({ of, atLeast, atMost }: Aim, unit: string): string {
  const bound = atLeast === undefined ? `at most ${atMost}` : `at least ${atLeast}`;
  return of === 'ratio' ? bound : `${bound} ${unit}`;
}

function withUnit(value: number, unit: string): string {
  return `${number(value)} ${unit}`;
}

/** Three digits that say something, whatever the size. */
function number(value: number): string {
  if (!Number.isFinite(value)) return '-';
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : value >= 1 ? 2 : 3;
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
