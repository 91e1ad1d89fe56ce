/**
 * The files of `wfdd tls create`: what is there is kept, what is missing is made, and a private key is nobody else's from
 * its first byte.
 *
 * The rule that must not be broken: nothing is overwritten unless that was asked for, and the authority never is.
 */
import { X509Certificate } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Issued, issueForClient, issueForHost, makeIssuer, readIssuer } from './new-certificates.js';

export interface TlsWish {
  readonly folder: string;
  /** Names and addresses that clients call the host by. */
  readonly names: readonly string[];
  readonly clients: readonly { readonly name: string; readonly principal: string }[];
  /** How long the certificates of the host and of clients are good. */
  readonly days: number;
  /** Make those anew that are there already. */
  readonly renew: boolean;
}

export interface TlsFile {
  readonly file: string;
  readonly keyFile: string;
  readonly what: 'authority' | 'host' | 'client';
  readonly isMade: boolean;
  readonly principal?: string;
  /** What the certificate itself says. */
  readonly names: string;
  readonly expires: string;
}

export class TlsFilesError extends Error {
  override readonly name = 'TlsFilesError';
}

/** Lets nobody but its owner and administrators at a private key; `isOfHost`: the service reads it, too. */
export type Protect = (file: string, isOfHost: boolean) => void;

/** Makes what is missing. Throws a TlsFilesError where a file stands in the way. */
export function createTlsFiles(wish: TlsWish, protect: Protect, nowMs = Date.now()): TlsFile[] {
  const { folder, names, clients, days, renew } = wish;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const place = new Place(folder, protect);
  const found = place.find('ca', 'authority');
  const authority = found === undefined ? makeIssuer('wfdd authority', nowMs) : authorityOf(found, folder);
  const made: TlsFile[] = [place.keep('ca', 'authority', found === undefined ? authority : undefined)];
  const add = (name: string, what: 'host' | 'client', issue: () => Issued, principal?: string) => {
    const isNeeded = renew || place.find(name, what) === undefined;
    made.push(place.keep(name, what, isNeeded ? issue() : undefined, principal));
  };
  add('host', 'host', () => issueForHost(authority, names, days, nowMs));
  for (const { name, principal } of clients) {
    add(name, 'client', () => issueForClient(authority, name, principal, days, nowMs), principal);
  }
  return made;
}

function authorityOf(issued: Issued, folder: string) {
  try {
    return readIssuer(issued);
  } catch (error) {
    const { message } = error as Error;
    throw new TlsFilesError(`${join(folder, 'ca.pem')} can't sign: ${message} Name a folder without it.`);
  }
}

/** A new file with a secret in it, protected while it is still empty. Throws where there is one. */
export function writeSecret(file: string, text: string, protect: Protect): void {
  writeFileSync(file, '', { flag: 'wx', mode: 0o600 });
  try {
    protect(file, false);
    writeFileSync(file, text);
  } catch (error) {
    rmSync(file, { force: true });
    throw error;
  }
}

class Place {
  readonly #folder: string;
  readonly #protect: Protect;

  constructor(folder: string, protect: Protect) {
    this.#folder = folder;
    this.#protect = protect;
  }

  /** What is there of this name; undefined where nothing is. Half of a pair is an error. */
  find(name: string, what: TlsFile['what']): Issued | undefined {
    const [file, keyFile] = this.#pair(name);
    const [hasCert, hasKey] = [existsSync(file), existsSync(keyFile)];
    if (!hasCert && !hasKey) return undefined;
    if (hasCert && hasKey) return { cert: readFileSync(file, 'utf8'), key: readFileSync(keyFile, 'utf8') };
    const [there, missing] = hasCert ? [file, keyFile] : [keyFile, file];
    const remedy =
      what === 'authority' ? `Bring back ${missing}: only it signs more.` : `Bring it back, or take ${there} away.`;
    throw new TlsFilesError(`${there} is there, but not ${missing}. ${remedy}`);
  }

  /** Writes what was issued, or leaves what is there; tells what the file then says. */
  keep(name: string, what: TlsFile['what'], issued: Issued | undefined, principal?: string): TlsFile {
    const [file, keyFile] = this.#pair(name);
    if (issued !== undefined) {
      this.#write(keyFile, issued.key, what === 'host');
      this.#write(file, issued.cert);
    }
    const { subject, subjectAltName, validTo } = new X509Certificate(readFileSync(file));
    const names = subjectAltName ?? subject?.replaceAll('\n', ', ') ?? '';
    const told = { file: resolve(file), keyFile: resolve(keyFile), what, isMade: issued !== undefined, names };
    return { ...told, expires: new Date(validTo).toISOString(), ...(principal !== undefined && { principal }) };
  }

  /** Made aside, protected while it is still empty, and moved into place when it is whole. */
  #write(file: string, text: string, isOfHost?: boolean): void {
    const draft = `${file}.${process.pid}.tmp`;
    try {
      writeFileSync(draft, '', { flag: 'wx', mode: isOfHost === undefined ? 0o644 : 0o600 });
      if (isOfHost === undefined) chmodSync(draft, 0o644);
      else this.#protect(draft, isOfHost);
      writeFileSync(draft, text);
      renameSync(draft, file);
    } finally {
      rmSync(draft, { force: true });
    }
  }

  #pair(name: string): readonly [file: string, keyFile: string] {
    return [join(this.#folder, `${name}.pem`), join(this.#folder, `${name}.key`)];
  }
}
