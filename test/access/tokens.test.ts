import { createHash } from 'node:crypto';
import test from 'ava';
import { identifyToken } from '../../service/access/tokens.js';
import { parseTokens } from '../../service/access/tokens-file.js';

const now = Date.parse('2026-06-01T00:00:00Z');

function entry(principal: string, token: string, expires = ''): string {
  const hash = createHash('sha256').update(token).digest('hex');
  return `- principal: ${principal}\n  hash: sha256:${hash}\n${expires && `  expires: ${expires}\n`}`;
}

function identify(text: string, token: string) {
  const tokens = parseTokens(text);
  return identifyToken(token, () => tokens, now);
}

test('a token is its principal, and no other token is anybody', (t) => {
  const file = entry('a', 'token-of-a') + entry('b', 'token-of-b');
  t.like(identify(file, 'token-of-b'), { ok: true, principal: 'b' });
  t.is(identify(file, 'token-of-c'), undefined);
  t.is(identify(file, ''), undefined);
});

test('a principal may have two tokens, for the time of a change', (t) => {
  const file = entry('a', 'old') + entry('a', 'new');
  t.like(identify(file, 'old'), { ok: true, principal: 'a' });
  t.like(identify(file, 'new'), { ok: true, principal: 'a' });
});

test('a token is refused from the moment that it expires', (t) => {
  t.like(identify(entry('a', 'x', '2026-06-01T00:00:01Z'), 'x'), { ok: true });
  t.like(identify(entry('a', 'x', '2026-06-01T00:00:00Z'), 'x'), { ok: false, principal: 'a' });
  t.like(identify(entry('a', 'x', '2026-06-01T02:00:00+02:00'), 'x'), { ok: false, principal: 'a' });
});

test('a token holds until it expires, leaves the file or is bound to another principal there', (t) => {
  let tokens = parseTokens(entry('a', 'x'));
  const identified = identifyToken('x', () => tokens, now);
  if (!identified?.ok) return t.fail();
  t.true(identified.holds(now));
  tokens = parseTokens(entry('a', 'x', '2026-06-01T00:00:01Z') + entry('b', 'y'));
  t.true(identified.holds(now));
  t.false(identified.holds(now + 1000));
  tokens = parseTokens(entry('admin', 'x'));
  t.false(identified.holds(now));
  tokens = parseTokens(entry('b', 'y'));
  t.false(identified.holds(now));
});

test('a file that is empty, as one that is being written may be, is a mistake; an empty list is none', (t) => {
  for (const text of ['', '\n', '# soon\n', '---\n'])
    t.throws(() => parseTokens(text), { message: 'The file is empty. For no tokens at all, write [].' });
  t.deepEqual(parseTokens('[]'), []);
});

test('a file that is wrong is refused, with the place and without its text', (t) => {
  const secret = 'in-clear-by-mistake';
  const hash = `sha256:${'0'.repeat(64)}`;
  const wrong: [text: string, message: RegExp][] = [
    [`- principal: a\n  hash: ${secret}`, /^0\.hash must be "sha256:" and 64 hex digits/],
    [`- principal: a\n  token: ${secret}\n  hash: ${hash}`, /^0 /],
    [`- principal: "${secret}\\u0000"\n  hash: ${hash}`, /^0\.principal must be/],
    [`- principal: a\n  hash: ${hash}\n  expires: ${secret}`, /^0\.expires must be a time/],
    [`${secret}: true`, /^The file must be a list/],
    [`- principal: a\n  hash: "${secret}`, /^It is not valid YAML at line 2/],
    [`- &x ${secret}\n- *x`, /^YAML aliases/],
    [`- principal: a\n  hash: ${hash}\n- principal: b\n  hash: ${hash}`, /^A hash is listed twice/],
    [`- {principal: a, hash: "${hash}"}\n`.repeat(1001), /^The file must have at most 1000 tokens/],
  ];
  for (const [text, message] of wrong) {
    const error = t.throws(() => parseTokens(text));
    t.regex(error?.message ?? '', message);
    t.false(error?.message.includes(secret), error?.message);
  }
});
