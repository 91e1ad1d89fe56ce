import test from 'ava';
import fc from 'fast-check';
import { anonymous, callerWith } from '../../service/access/caller.js';
import { isChange, matches, mayCall, type Role, rolesOf } from '../../service/access/permissions.js';

const as = (...roles: Role[]) => callerWith('me', new Set(roles));

test('a star stands for any run of characters, and everything else for itself', (t) => {
  const cases: [pattern: string, text: string, isMatch: boolean][] = [
    ['ops', 'ops', true],
    ['ops', 'Ops', false],
    ['ops', 'ops2', false],
    ['*', '', true],
    ['*', 'spiffe://a/b', true],
    ['spiffe://a/*', 'spiffe://a/b/c', true],
    ['spiffe://a/*', 'spiffe://ab/c', false],
    ['*.example.com', 'a.example.com', true],
    ['*.example.com', 'a.example.com.evil', false],
    ['a*a', 'a', false],
    ['a*a', 'aa', true],
    ['a*b*c', 'a-b-b-c', true],
    ['a*b*c', 'a-c-b', false],
    ['a.c', 'abc', false],
    ['[ab]', 'a', false],
    ['a?', 'ab', false],
  ];
  for (const [pattern, text, isMatch] of cases) t.is(matches(pattern, text), isMatch, `${pattern} ${text}`);
});

test('a pattern matches as the regular expression of the same meaning does', (t) => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 8 });
  fc.assert(
    fc.property(letters, fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 12 }), (pattern, text) => {
      t.is(matches(pattern, text), new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(text), `${pattern} ${text}`);
    }),
    { numRuns: 2000 },
  );
});

test('no text makes a pattern slow', (t) => {
  const started = performance.now();
  t.false(matches(`${'a*'.repeat(60)}b`, 'a'.repeat(255)));
  // A matcher that tries every way would take years.
  t.true(performance.now() - started < 5000);
});

test('a principal has every role that one of its patterns binds', (t) => {
  const bindings = [
    { role: 'viewer', principals: ['dash-*', 'ops'] },
    { role: 'operator', principals: ['ops'] },
  ] as const;
  t.deepEqual(rolesOf('ops', bindings), new Set<Role>(['viewer', 'operator']));
  t.deepEqual(rolesOf('dash-1', bindings), new Set<Role>(['viewer']));
  t.deepEqual(rolesOf('nobody', bindings), new Set<Role>());
});

test('an operator has its own sessions, a viewer sees all, an admin changes all', (t) => {
  const rights = (caller: ReturnType<typeof as>) => [
    caller.maySee('me'),
    caller.mayChange('me'),
    caller.maySee('you'),
    caller.mayChange('you'),
  ];
  t.deepEqual(rights(as('operator')), [true, true, false, false]);
  t.deepEqual(rights(as('viewer')), [true, false, true, false]);
  t.deepEqual(rights(as('viewer', 'operator')), [true, true, true, false]);
  t.deepEqual(rights(as('admin')), [true, true, true, true]);
  t.deepEqual(rights(as('prober')), [false, false, false, false]);
  t.deepEqual(rights(anonymous), [true, true, true, true]);
});

test('an RPC that nobody has thought of is for admins alone, and is recorded', (t) => {
  for (const rpc of ['wifidirect.v9.NewService/New', 'constructor', 'toString', '']) {
    t.true(mayCall(new Set(['admin']), rpc), rpc);
    t.false(mayCall(new Set(['prober', 'viewer', 'operator']), rpc), rpc);
    t.true(isChange(rpc), rpc);
  }
});
