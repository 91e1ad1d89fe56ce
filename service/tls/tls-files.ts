/**
 * The files of `wfdd tls create`. Existing files are kept and missing ones are created. A private
 * key is never readable by others, not even while it is written.
 *
 * Invariant: files are overwritten only with --renew, and the authority never is (D-61).
 */
import { X509Certificate } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Issued, issueForClient, issueForHost, makeIssuer, readIssuer } from './new-certificates.js';

export interface TlsWish {
  readonly folder: string;
  /** The DNS names and addresses of the host. */
  readonly names: readonly string[];
  readonly clients: readonly { readonly name: string; readonly principal: string }[];
  /** The lifetime of the certificates of the host and of clients. */
  readonly days: number;
  /** Replace existing certificates. */
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

/**
 * Restricts a private key to its owner and administrators. If `isOfHost`, the service can read it
 * too.
 */
type Protect = (file: string, isOfHost: boolean) => void;

/** Creates missing files. Throws a TlsFilesError if an existing file prevents that. */
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
    throw new TlsFilesError(`${join(folder, 'ca.pem')} cannot sign: ${message} Use another folder.`);
  }
}

/**
 * Writes a secret to a new file, which is protected while it is still empty. Throws if the file
 * exists.
 */
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

  /** The existing pair of this name; undefined if there is none. Half of a pair is an error. */
  find(name: string, what: TlsFile['what']): Issued | undefined {
    const [file, keyFile] = this.#pair(name);
    const [hasCert, hasKey] = [existsSync(file), existsSync(keyFile)];
    if (!hasCert && !hasKey) return undefined;
    if (hasCert && hasKey) return { cert: readFileSync(file, 'utf8'), key: readFileSync(keyFile, 'utf8') };
    const [there, missing] = hasCert ? [file, keyFile] : [keyFile, file];
    const remedy =
      what === 'authority' ? `Restore ${missing}: new certificates need it.` : `Restore it, or delete ${there}.`;
    throw new TlsFilesError(`${there} exists, but ${missing} does not. ${remedy}`);
  }

  /** Writes what was issued, if anything, and describes the resulting file. */
  keep(name: string, what: TlsFile['what'], issued: Issued | undefined, principal?: string): TlsFile {
    const [file, keyFile] = this.#pair(name);
    if (issued !== undefined) {
      this.#write(keyFile, issued.key, what === 'host');
      this.#write(file, issued.cert);
    }
    const { subject, subjectAltName, validTo } = new X509Certificate(readFileSync(file));
    const names = subjectAltName ?? subject?.replaceAll('\n', ', ') ?? '';
    const details = { file: resolve(file), keyFile: resolve(keyFile), what, isMade: issued !== undefined, names };
    return { ...details, expires: new Date(validTo).toISOString(), ...(principal !== undefined && { principal }) };
  }

  /**
   * Writes to a temporary file, which is protected while it is still empty, and renames it when it
   * is complete.
   */
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
