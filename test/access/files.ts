/** The files that a daemon reads, in a folder for one test. */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Authority, Issued } from './authority.js';

export class Files implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'wfdd-access-'));

  /** Writes the file and answers with its path. */
  write(name: string, text: string): string {
    const path = this.path(name);
    writeFileSync(path, text);
    return path;
  }

  path(name: string): string {
    return join(this.#folder, name);
  }

  /** Tokens by their principals, as `service/access/tokens.ts` documents the file. */
  writeTokens(tokens: Readonly<Record<string, string>>, expires: Readonly<Record<string, string>> = {}): string {
    const entries = Object.entries(tokens).map(([principal, token]) => ({
      principal,
      hash: `sha256:${createHash('sha256').update(token).digest('hex')}`,
      ...(expires[principal] !== undefined && { expires: expires[principal] }),
    }));
    return this.write('tokens', stringify(entries));
  }

  /** The files of TLS, as keys of the configuration. */
  writeTls({ cert, key }: Issued, clients?: Authority) {
    return {
      certFile: this.write('server.pem', cert),
      keyFile: this.write('server.key', key),
      ...(clients && { clientCaFile: this.write('clients.pem', clients.cert) }),
    };
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true });
  }
}
