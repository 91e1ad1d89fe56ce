import test from 'ava';
import fc from 'fast-check';
import { anonymous, callerWith } from '../../service/access/caller.js';
import { isChange, matches, mayCall, type Role, rolesOf } from '../../service/access/permissions.js';
import type { Source } from '../../service/config/role-binding.js';

const as = (...roles: Role[]) => callerWith('me', () => new Set(roles));

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
  t.deepEqual(rolesOf({ source: 'token', principal: 'ops' }, bindings), new Set<Role>(['viewer', 'operator']));
  t.deepEqual(rolesOf({ source: 'token', principal: 'dash-1' }, bindings), new Set<Role>(['viewer']));
  t.deepEqual(rolesOf({ source: 'token', principal: 'nobody' }, bindings), new Set<Role>());
});

test('a pattern with a source before it is for those alone who are known by that', (t) => {
  const bindings = [
    { role: 'admin', principals: ['token:adm'] },
    { role: 'operator', principals: ['jwt:*', 'cert:spiffe://a/*'] },
    { role: 'viewer', principals: ['adm'] },
  ] as const;
  const rolesAs = (source: Source, principal: string) => [...rolesOf({ source, principal }, bindings)];
  t.deepEqual(rolesAs('token', 'adm'), ['admin', 'viewer']);
  t.deepEqual(rolesAs('jwt', 'adm'), ['operator', 'viewer']);
  t.deepEqual(rolesAs('cert', 'adm'), ['viewer']);
  t.deepEqual(rolesAs('cert', 'spiffe://a/b'), ['operator']);
  t.deepEqual(rolesAs('token', 'spiffe://a/b'), []);
  t.deepEqual(rolesAs('token', 'jwt:adm'), [], 'a name that looks like a source is none');
});

test('rights are those of the roles at the time of asking', (t) => {
  let roles = new Set<Role>(['viewer', 'operator']);
  const caller = callerWith('me', () => roles);
  t.true(caller.maySee('you'));
  roles = new Set(['operator']);
  t.false(caller.maySee('you'));
  t.true(caller.mayChange('me'));
  roles = new Set();
  t.false(caller.maySee('me') || caller.mayChange('me'));
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
  t.deepEqual(rights(anonymous()), [true, true, true, true]);
});

test('an RPC that nobody has thought of is for admins alone, and is recorded', (t) => {
  for (const rpc of ['wifidirect.v9.NewService/New', 'constructor', 'toString', '']) {
    t.true(mayCall(new Set(['admin']), rpc), rpc);
    t.false(mayCall(new Set(['prober', 'viewer', 'operator']), rpc), rpc);
    t.true(isChange(rpc), rpc);
  }
});
