/**
 * Makes the Windows installer from the bundle folder, on Linux. wixl creates the cabinet and the
 * main tables, and msibuild adds the rest (D-96). Two builds of one folder give the same bytes.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Contents, sha256, sha256Lines, writeFolder } from '../bundle/contents.js';
import { packageCode } from './codes.js';
import { wixSource } from './msi-source.js';
import { changes, insertion, newTables, rows } from './msi-tables.js';

/** How to install missing tools. */
export const MSI_TOOLS_REMEDY = 'apt-get install wixl msitools';

/** VT_FILETIME, the type of times in the summary of the installer. */
const FILETIME = 0x40;
/** 1980-01-01, as a FILETIME: 100 ns since 1601. */
const FIRST_MOMENT = 119600064000000000n;
const UNIX_EPOCH = 116444736000000000n;

export function hasMsiTools(): boolean {
  return ['wixl', 'msibuild', 'msiinfo'].every((tool) => spawnSync(tool, ['--version']).error === undefined);
}

/** Makes the installer of these files. Throws if a tool is missing or fails. */
export function buildMsi(contents: Contents, version: string): Uint8Array {
  const staging = mkdtempSync(join(tmpdir(), 'wfdd-msi-'));
  try {
    writeFolder(join(staging, 'wfdd'), contents, new Date('1980-01-01T00:00:00Z'));
    const contentsHash = sha256(Buffer.from(`${version}\n${sha256Lines(contents)}`));
    writeFileSync(join(staging, 'wfdd.wxs'), wixSource({ version, paths: [...contents.keys()] }));
    const run = (program: string, ...args: string[]) =>
      execFileSync(program, args, {
        cwd: staging,
        // The cabinet contains local file times.
        env: { ...process.env, TZ: 'UTC' },
        stdio: ['ignore', 'pipe', 'pipe'],
        encoding: 'utf8',
      });
    const before = Date.now();
    run('wixl', '--arch', 'x64', '--output', 'wfdd.msi', 'wfdd.wxs');
    for (const query of [...newTables, ...changes, ...rows().map(insertion)]) run('msibuild', 'wfdd.msi', '-q', query);
    const msi = withoutTimes(readFileSync(join(staging, 'wfdd.msi')), before, Date.now());
    // wixl generates a random one for each run.
    const [code = ''] = /\{[0-9A-F-]{36}\}/.exec(run('msiinfo', 'suminfo', 'wfdd.msi')) ?? [];
    return replaced(msi, code, `{${packageCode(contentsHash)}}`);
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

/** Replaces `text` by another text of the same length. */
function replaced(bytes: Buffer, text: string, by: string): Buffer {
  const at = bytes.indexOf(text);
  if (at < 0 || text.length !== by.length) throw new Error(`the summary of the installer has no package code ${text}`);
  bytes.write(by, at, 'latin1');
  return bytes;
}

/** Replaces the times of this build by the earliest time that a cabinet can represent. */
function withoutTimes(msi: Buffer, fromMs: number, toMs: number): Buffer {
  const from = BigInt(fromMs - 1000) * 10000n + UNIX_EPOCH;
  const to = BigInt(toMs + 1000) * 10000n + UNIX_EPOCH;
  const type = Buffer.from([FILETIME, 0, 0, 0]);
  for (let at = msi.indexOf(type); at >= 0; at = msi.indexOf(type, at + 1)) {
    if (at + 12 > msi.length) break;
    const time = msi.readBigUInt64LE(at + 4);
    if (time >= from && time <= to) msi.writeBigUInt64LE(FIRST_MOMENT, at + 4);
  }
  return msi;
}
