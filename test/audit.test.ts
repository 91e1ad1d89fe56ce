/** What `npm audit --json` answers, and what is made of it. */
import test from 'ava';
import { readAudit } from './audit.js';

test('no vulnerabilities are a clean audit', (t) => {
  t.deepEqual(readAudit('{ "auditReportVersion": 2, "vulnerabilities": {} }'), { kind: 'clean' });
});

test('each vulnerability is a line: package, range, severity, advisories', (t) => {
  const via = [{ title: 'It breaks', url: 'https://example.com/1' }, 'other'];
  const text = JSON.stringify({ vulnerabilities: { bad: { severity: 'high', range: '<2', via } } });
  t.deepEqual(readAudit(text), {
    kind: 'advisories',
    lines: ['bad <2, high: It breaks (https://example.com/1); by other'],
  });
});

test('a registry that does not answer is neither', (t) => {
  t.deepEqual(readAudit('{ "message": "405 Method Not Allowed" }'), {
    kind: 'not asked',
    why: '405 Method Not Allowed',
  });
  t.deepEqual(readAudit('{ "error": { "summary": "", "detail": "no lock file" } }'), {
    kind: 'not asked',
    why: 'no lock file',
  });
  t.is(readAudit('').kind, 'not asked');
});
