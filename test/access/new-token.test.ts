import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import test from 'ava';
import { newToken, tokenEntry } from '../../service/access/new-token.js';
import { identifyToken } from '../../service/access/tokens.js';
import { parseTokens } from '../../service/access/tokens-file.js';
import { launcher } from '../harness/daemon.js';

const now = Date.parse('2026-06-01T00:00:00Z');

async function wfdd(...argv: string[]): Promise<{ out: string; error: string; code: unknown }> {
  const child = spawn(process.execPath, [launcher, ...argv]);
  const [out, error, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { out, error, code };
}

function whose(file: string, token: string): string | undefined {
  const tokens = parseTokens(file);
  return identifyToken(token, () => tokens, now)?.principal;
}

test('a new token is its principal by its entry, however odd the name, and no two are alike', (t) => {
  for (const principal of ['backend-berlin', 'ops: "night" #1', '*', '- a', 'null', '日本']) {
    const made = newToken(principal, undefined, now);
    t.is(whose(tokenEntry(made), made.token), principal);
    t.regex(made.token, /^[\w-]{43}$/);
    t.not(made.token, newToken(principal, undefined, now).token);
    t.false(tokenEntry(made).includes(made.token));
  }
});

test('entries add up to a file', (t) => {
  const [a, b] = [newToken('a', undefined, now), newToken('b', now + 1000, now)];
  const file = tokenEntry(a) + tokenEntry(b);
  t.is(whose(file, a.token), 'a');
  t.is(whose(file, b.token), 'b');
  t.regex(file, /\n {2}expires: 2026-06-01T00:00:01Z\n$/);
});

test('a token that nobody could use is not made', (t) => {
  t.throws(() => newToken('a', now, now), { message: /2026-06-01T00:00:00Z is in the past\. Give a later time/ });
  t.throws(() => newToken('', undefined, now), { message: /1 to 255 visible characters/ });
  t.throws(() => newToken('a\n- b', undefined, now), { message: /1 to 255 visible characters/ });
});

test('wfdd token create writes the entry where it may be kept, and the token beside it', async (t) => {
  const { out, error, code } = await wfdd('token', 'create', 'agent-7', '--expires', '90d');
  const [, token = ''] = /^The token of agent-7, shown only once:\n([\w-]{43})\n$/.exec(error) ?? [];
  t.is(code, 0);
  t.is(whose(out, token), 'agent-7');
  t.false(out.includes(token));
});

test('wfdd token create --json tells all of it', async (t) => {
  const { out } = await wfdd('token', 'create', 'agent-7', '--expires', '2099-01-01', '--json');
  const made = JSON.parse(out);
  t.like(made, { principal: 'agent-7', expires: '2099-01-01T00:00:00Z' });
  t.is(whose(tokenEntry(made), made.token), 'agent-7');
});

for (const [argv, said] of [
  [['agent-7', '--expires', 'soon'], /Expected a time like/],
  [['agent-7', '--expires', '2001-01-01'], /2001-01-01T00:00:00Z is in the past/],
  [[], /missing required argument 'principal'/],
] as const) {
  test(`wfdd token create ${argv.join(' ')} is refused, with 64`, async (t) => {
    const { out, error, code } = await wfdd('token', 'create', ...argv);
    t.regex(error, said);
    t.is(out, '');
    t.is(code, 64);
  });
}
