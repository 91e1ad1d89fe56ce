/**
 * `wfdd config check` reads the files that the configuration names: what is wrong in them, where it
 * was named, and what to do.
 */
import { createPrivateKey } from 'node:crypto';
import { chmodSync, statfsSync } from 'node:fs';
import test from 'ava';
import { EXIT, readCommandLine } from '../../service/commands/command-line.js';
import { examineFiles } from '../../service/named-files.js';
import { makeAuthority } from '../access/authority.js';
import { folder, write } from './loading.js';

const authority = makeAuthority('Authority of the tests');
const server = authority.issue({ commonName: 'wfdd.test', dnsNames: ['wfdd.test'], isServer: true });
const stranger = makeAuthority('Stranger').issue({ commonName: 'stranger', isServer: true });
const expired = authority.issue({
  commonName: 'old.test',
  notAfter: new Date(0),
  notBefore: new Date(0),
  isServer: true,
});
const [cert, key, ca] = [write(server.cert, 'pem'), write(server.key, 'key', 0o600), write(authority.cert, 'pem')];

const tls = (files: string) => `tls: { ${files} }\n`;
const authenticated = (files: string, roles = '{ role: admin, principals: ["token:ops-*"] }') =>
  `access: { mode: authenticated, roles: [${roles}], ${files} }\n`;

/** What the command says, and the code that it ends with. */
function check(yaml: string, environment: NodeJS.ProcessEnv = {}): Promise<{ text: string; exitCode: number }> {
  return checkFile(write(yaml), environment);
}

async function checkFile(file: string, environment: NodeJS.ProcessEnv = {}) {
  const plan = await readCommandLine(['config', 'check', '--config', file], {
    environment: { UV_THREADPOOL_SIZE: '16', ...environment },
    platform: 'linux',
    folder,
    version: '1.2.3',
    examineFiles: async (config, file) => examineFiles(config, file),
  });
  if (plan.kind !== 'answer') throw new Error('It would serve.');
  return plan;
}

/** The file is refused: where it was named, what is said of it, what is to be done. */
const refuses = test.macro(async (t, yaml: string, where: RegExp, message: RegExp, remedy: RegExp) => {
  const { text, exitCode } = await check(yaml);
  t.is(exitCode, EXIT.config);
  const [heading, ...problems] = text.trimEnd().split('\n\n');
  t.is(heading, 'The configuration has 1 problem.');
  t.is(problems.length, 1);
  const [subject = '', said = '', todo = ''] = problems[0]?.split('\n') ?? [];
  t.regex(subject, where);
  t.regex(subject, /\(.*\.yaml:\d+:\d+\)$/);
  t.regex(said, message);
  t.regex(todo, remedy);
  t.false(text.includes('hunter2'));
});

test('files that are as they should be are not spoken of', async (t) => {
  // Editors on Windows put such a mark before what is UTF-8.
  const tokens = write(`\uFEFF- { principal: ops-1, hash: "sha256:${'ab'.repeat(32)}" }\n`);
  const yaml = `${tls(`certFile: ${cert}, keyFile: ${key}, clientCaFile: ${ca}`)}${authenticated(`tokensFile: ${tokens}`)}`;
  const { text, exitCode } = await check(yaml);
  t.is(exitCode, EXIT.ok);
  t.notRegex(text, /warning/);
});

test(
  'a file without a certificate',
  refuses,
  tls(`certFile: ${key}, keyFile: ${key}`),
  /^tls\.certFile: "/,
  /no certificate/,
  /PEM/,
);

const cut = write(server.cert.replace(/\n(?=[^\n]*\n-----END)/, '\nhunter2'), 'pem');
test(
  'a certificate that is cut',
  refuses,
  tls(`certFile: ${cut}, keyFile: ${key}`),
  /^tls\.certFile/,
  /Certificate 1 of 1/,
  /PEM/,
);

const other = write(stranger.key, 'key');
test(
  'a key of another certificate',
  refuses,
  tls(`certFile: ${cert}, keyFile: ${other}`),
  /^tls\.keyFile/,
  /does not match the certificate/,
  /first certificate/,
);

test(
  'a file without a key',
  refuses,
  tls(`certFile: ${cert}, keyFile: ${cert}`),
  /^tls\.keyFile/,
  /no private key/,
  /PEM/,
);

const sealed = write(
  createPrivateKey(server.key)
    .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'hunter2' })
    .toString(),
  'key',
);
test(
  'an encrypted key without a passphrase',
  refuses,
  tls(`certFile: ${cert}, keyFile: ${sealed}`),
  /^tls\.keyFile/,
  /encrypted/,
  /tls\.keyPassphrase/,
);

test(
  'an encrypted key with another passphrase',
  refuses,
  tls(`certFile: ${cert}, keyFile: ${sealed}, keyPassphrase: hunter22`),
  /^tls\.keyPassphrase: "\*{8}"|^tls\.keyPassphrase: \*{8}/,
  /does not decrypt/,
  /passphrase of this key/,
);

test('an encrypted key with its passphrase', async (t) => {
  const { exitCode } = await check(tls(`certFile: ${cert}, keyFile: ${sealed}`), {
    WFDD_TLS_KEY_PASSPHRASE: 'hunter2',
  });
  t.is(exitCode, EXIT.ok);
});

const noAuthority = write('hunter2', 'pem');
test(
  'authorities that are none',
  refuses,
  tls(`certFile: ${cert}, keyFile: ${key}, clientCaFile: ${noAuthority}`),
  /^tls\.clientCaFile/,
  /no certificate/,
  /PEM/,
);

const notHashed = write('- { principal: ops-1, hash: hunter2 }\n');
test(
  'a token that is not hashed',
  refuses,
  authenticated(`tokensFile: ${notHashed}`),
  /^access\.tokensFile/,
  /0\.hash must be "sha256:"/,
  /access\.tokensFile/,
);

const utf16 = write(Buffer.from(`\uFEFF- { principal: hunter2, hash: "sha256:${'ab'.repeat(32)}" }\n`, 'utf16le'));
test(
  'tokens as PowerShell writes them',
  refuses,
  authenticated(`tokensFile: ${utf16}`),
  /^access\.tokensFile/,
  /not UTF-8.* -Encoding utf8/,
  /access\.tokensFile/,
);

const shared = write(JSON.stringify({ keys: [{ kty: 'oct', k: 'hunter2' }] }), 'json');
test(
  'a key set with a shared key',
  refuses,
  authenticated(`jwt: { jwksFile: ${shared}, issuer: i, audience: a }`),
  /^access\.jwt\.jwksFile/,
  /keys\.0 is a symmetric key/,
  /public keys/,
);

test(
  'a folder where a file should be',
  refuses,
  authenticated(`tokensFile: ${folder}`),
  /^access\.tokensFile/,
  /EISDIR/,
  /can read/,
);

const onPosix = process.platform === 'win32' ? test.skip : test;
onPosix('files that everybody may write are refused, that of the configuration too', async (t) => {
  const tokens = write(`- { principal: ops-1, hash: "sha256:${'ab'.repeat(32)}" }\n`);
  chmodSync(tokens, 0o666);
  const yaml = write(authenticated(`tokensFile: ${tokens}`));
  const ofTokens = await checkFile(yaml);
  t.is(ofTokens.exitCode, EXIT.config);
  t.regex(
    ofTokens.text,
    /access\.tokensFile: .*\n {2}Every account on this host can write to the file\.\n {2}Run chmod o-w /,
  );
  chmodSync(tokens, 0o644);
  chmodSync(yaml, 0o646);
  const ofItself = await checkFile(yaml);
  t.is(ofItself.exitCode, EXIT.config);
  t.true(ofItself.text.includes(`\n\n${yaml}\n  Every account on this host can write to the file.`), ofItself.text);
  chmodSync(yaml, 0o644);
  t.is((await checkFile(yaml)).exitCode, EXIT.ok);
});

test('a key of a kind that some clients can not use is a warning', async (t) => {
  const edwards = authority.issue({ commonName: 'ed', dnsNames: ['ed.test'], keyType: 'ed25519', isServer: true });
  const files = `certFile: ${write(edwards.cert)}, keyFile: ${write(edwards.key, 'key', 0o600)}`;
  const { text, exitCode } = await check(tls(files));
  t.is(exitCode, EXIT.ok);
  t.regex(text, /warning: .*\n.*CN=ed has a key of type ed25519, so the Python and Java clients cannot connect/);
});

test('roles of the file count', async (t) => {
  const tokens = write(`- { principal: agent-1, hash: "sha256:${'ab'.repeat(32)}" }\n`);
  const roles = write('- { role: operator, principals: ["token:agent-*"] }\n');
  const { text } = await check(authenticated(`tokensFile: ${tokens}, rolesFile: ${roles}`));
  t.notRegex(text, /warning/);
});

const king = write('- { role: king, principals: ["hunter2"] }\n');
test(
  'a role that is none',
  refuses,
  authenticated(`tokensFile: ${write('[]')}, rolesFile: ${king}`),
  /^access\.rolesFile/,
  /0\.role must be one of prober/,
  /list/,
);

const denied = write('AB:CD\n');
test(
  'a line that denies no certificate',
  refuses,
  tls(`certFile: ${cert}, keyFile: ${key}, clientCaFile: ${ca}, clientDenyFile: ${denied}`),
  /^tls\.clientDenyFile/,
  /Line 1 is neither/,
  /fingerprint/,
);

test(
  'ciphers that nobody knows',
  refuses,
  tls(`certFile: ${cert}, keyFile: ${key}, ciphers: NOT-A-CIPHER`),
  /^tls\.ciphers/,
  /does not know these ciphers/,
  /openssl ciphers/,
);

test('what works and is still not right is a warning', async (t) => {
  const past = '2020-01-01T00:00:00Z';
  const tokens = write(
    `- { principal: nobody, hash: "sha256:${'ab'.repeat(32)}" }\n- { principal: ops-1, hash: "sha256:${'cd'.repeat(32)}", expires: ${past} }\n`,
  );
  const files = `certFile: ${write(expired.cert)}, keyFile: ${write(expired.key, 'key', 0o600)}, clientCaFile: ${cert}`;
  const { text, exitCode } = await check(`${tls(files)}${authenticated(`tokensFile: ${tokens}`)}`);
  t.is(exitCode, EXIT.ok);
  t.is(text.match(/^warning:/gm)?.length, 5, text);
  t.regex(text, /The certificate of CN=old\.test has no alternative name/);
  t.regex(text, /The certificate of CN=old\.test expired/);
  t.regex(text, /The certificate of CN=wfdd\.test is not an authority/);
  t.regex(text, /A token of ops-1 has expired/);
  t.regex(text, /nobody has a token but no role/);
});

const noFolder = write('hunter2', 'txt');
test(
  'a journal in what is no folder',
  refuses,
  `journal: { folder: ${noFolder}/journal }\n`,
  /journal\.folder/,
  /is not a folder/,
  /Name a folder that only this wfdd uses/,
);

test('a folder of the journal that is not there yet is fine, and a disk with too little room is warned of', async (t) => {
  const fine = await check(`journal: { folder: ${folder}/not/yet, bytesMax: 1048576 }\n`);
  t.is(fine.exitCode, EXIT.ok);
  t.notRegex(fine.text, /journal/);
  const small = await check(`journal: { folder: ${folder}/not/yet, bytesMax: 68719476736 }\n`);
  const { bavail, bsize } = statfsSync(folder);
  if (bavail * bsize < 68_719_476_736) t.regex(small.text, /MiB free, but the journal can take 65536 MiB/);
  t.is(small.exitCode, EXIT.ok);
});
