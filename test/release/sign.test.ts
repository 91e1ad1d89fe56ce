/**
 * Signing, with a throw-away authority and the tool that real signatures on Linux are made with.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { sorted } from '../../service/bundle/contents.js';
import { signed, signedFile } from '../../service/bundle/sign.js';
import { buildMsi, hasMsiTools } from '../../service/release/msi.js';

const library = new URL('../../native/simulator/wfdsim.dll', import.meta.url);
const hasSigner = spawnSync('osslsigncode', ['--version']).error === undefined;
const signerTest = hasMsiTools() && hasSigner ? test : test.skip;

const folder = mkdtempSync(join(tmpdir(), 'wfdd-signing-'));
test.after.always(() => rmSync(folder, { recursive: true }));
const at = (name: string) => join(folder, name);

/**
 * An authority, a certificate of it for signing code, and the program that SIGN_COMMAND would name.
 */
function signer(): string {
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' });
  const key = ['-newkey', 'rsa:2048', '-nodes'];
  openssl(
    'req',
    '-x509',
    ...key,
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
    '-subj',
    '/CN=Throw-away authority',
    '-days',
    '2',
  );
  openssl('req', ...key, '-keyout', 'signer.key', '-out', 'signer.csr', '-subj', '/CN=Throw-away publisher');
  writeFileSync(at('usage'), 'extendedKeyUsage = codeSigning\nkeyUsage = digitalSignature\n');
  const by = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '1', '-extfile', 'usage'];
  openssl('x509', '-req', '-in', 'signer.csr', '-out', 'signer.pem', ...by);
  const sign = `osslsigncode sign -certs '${at('signer.pem')}' -key '${at('signer.key')}' -h sha256`;
  writeFileSync(
    at('sign.sh'),
    `#!/bin/sh\nset -e\n${sign} -in "$1" -out "$1.signed" >/dev/null\nmv "$1.signed" "$1"\n`,
  );
  chmodSync(at('sign.sh'), 0o755);
  return at('sign.sh');
}

/** What osslsigncode says of a file whose signer has to come from the authority. */
function verified(name: string, bytes: Uint8Array): { status: number | null; output: string } {
  writeFileSync(at(name), bytes);
  const { status, stdout, stderr } = spawnSync('osslsigncode', ['verify', '-CAfile', at('ca.pem'), '-in', at(name)], {
    encoding: 'utf8',
  });
  return { status, output: stdout + stderr };
}

signerTest('libraries and the installer are signed so that the signature verifies, and shows what was changed', (t) => {
  const program = signer();
  const contents = sorted([
    ['bin/wfdctl.cmd', Buffer.from('echo')],
    ['service/wfdd.cjs', Buffer.from('script')],
    ['wfdsim.dll', readFileSync(library)],
  ]);
  const after = signed(contents, program);
  const dll = after.get('wfdsim.dll') ?? Buffer.of();
  t.is(verified('wfdsim.dll', dll).status, 0, verified('wfdsim.dll', dll).output);
  t.deepEqual(after.get('bin/wfdctl.cmd'), contents.get('bin/wfdctl.cmd'));

  const msi = Buffer.from(signedFile('wfdd.msi', buildMsi(after, '1.2.3'), program));
  const whole = verified('wfdd.msi', msi);
  t.is(whole.status, 0, whole.output);
  t.regex(whole.output, /Throw-away publisher/);
  // One letter of the cabinet.
  const name = msi.indexOf('MSCF');
  msi[name + 60] = (msi[name + 60] ?? 0) ^ 1;
  t.not(verified('wfdd.msi', msi).status, 0);
});
