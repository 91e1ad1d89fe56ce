/** What the configuration of traces may say, and that of metrics which are sent. */
import test from 'ava';
import { makeConfig } from '../../service/config/schema.js';
import { load, problemsOf, set, write } from './loading.js';

const LOCAL = 'http://127.0.0.1:4318/v1/traces';
const BEYOND = 'http://collector.example.com:4318/v1/traces';

test('traces are off unless somebody says where to send them', (t) => {
  t.is(makeConfig().traces.endpoint, null);
});

for (const endpoint of [
  LOCAL,
  'http://localhost:1/',
  'http://[::1]:4318/x',
  'https://collector.example.com/v1/traces',
]) {
  test(`spans may go to ${endpoint}`, async (t) => {
    t.deepEqual(await problemsOf({ yaml: `traces: { endpoint: "${endpoint}" }` }), []);
  });
}

test('beyond the host they go over https only, but for laboratories', async (t) => {
  const [problem, ...others] = await problemsOf({ yaml: `traces: { endpoint: "${BEYOND}" }` });
  t.deepEqual(others, []);
  t.like(problem, { path: 'traces.endpoint', value: JSON.stringify(BEYOND), source: 'yaml:1:21' });
  t.regex(problem?.message ?? '', /https only/);
  t.regex(problem?.remedy ?? '', /127\.0\.0\.1.*--insecure-non-loopback/);
  const { warnings } = await load({ yaml: `insecureNonLoopback: true\ntraces: { endpoint: "${BEYOND}" }` });
  t.deepEqual(
    warnings.map(({ path }) => path),
    ['traces.endpoint'],
  );
});

test('a URL without a path is most likely a mistake, and its warning names the usual one', async (t) => {
  for (const endpoint of ['http://127.0.0.1:4318', 'http://127.0.0.1:4318/']) {
    const { warnings } = await load({ yaml: `traces: { endpoint: "${endpoint}" }` });
    t.deepEqual(
      warnings.map(({ path }) => path),
      ['traces.endpoint'],
    );
    t.regex(warnings[0]?.remedy ?? '', /^Use http:\/\/127\.0\.0\.1:4318\/v1\/traces,/);
  }
  t.deepEqual((await load({ yaml: `traces: { endpoint: "${LOCAL}" }` })).warnings, []);
});

for (const endpoint of [
  ...['collector:4318', 'ftp://127.0.0.1/', '/v1/traces', 'unix:/run/otel.sock'],
  ...['http://user:hunter2@127.0.0.1/', `${LOCAL}?key=hunter2`, `${LOCAL}#x`],
]) {
  test(`${endpoint} is not where spans can be sent`, async (t) => {
    const problems = await problemsOf({ assignments: [set('traces.endpoint', endpoint)] });
    t.deepEqual(
      problems.map(({ path }) => path),
      ['traces.endpoint'],
    );
    t.false(problems[0]?.message.includes('hunter2'));
  });
}

test('headers are secret: never shown, and not taken from the command line', async (t) => {
  const written = { yaml: `traces: { endpoint: "${LOCAL}", headers: ["authorization hunter2"] }` };
  const [malformed] = await problemsOf(written);
  t.like(malformed, { path: 'traces.headers[0]', value: '********' });
  const [onCommandLine] = await problemsOf({ assignments: [set('traces.headers', 'authorization: hunter2')] });
  t.like(onCommandLine, { path: 'traces.headers', value: '********' });
  const [misspelt] = await problemsOf({ yaml: 'traces: { header: ["authorization: hunter2"] }' });
  t.regex(misspelt?.remedy ?? '', /traces\.headers/);
  t.false(JSON.stringify([malformed, onCommandLine, misspelt]).includes('hunter2'));
});

for (const header of [
  'host: x',
  'Content-Length: 3',
  'a b: c',
  'x-key: a\\nb: c',
  'x-key:',
  'authorization: ********',
]) {
  test(`the header "${header}" is refused`, async (t) => {
    const [problem] = await problemsOf({ yaml: `traces: { endpoint: "${LOCAL}", headers: ["${header}"] }` });
    t.is(problem?.path, 'traces.headers[0]');
  });
}

test('headers and authorities mean nothing without a collector, nor authorities without https', async (t) => {
  const file = write('', 'pem');
  const paths = async (yaml: string) => (await problemsOf({ yaml })).map(({ path }) => path);
  t.deepEqual(await paths('traces: { headers: ["x-key: a"] }'), ['traces.headers']);
  t.deepEqual(await paths(`traces: { caFile: ${file} }`), ['traces.caFile']);
  t.deepEqual(await paths(`traces: { endpoint: "${LOCAL}", caFile: ${file} }`), ['traces.caFile']);
});

test('the ratio is a number from 0 to 1, also as text', async (t) => {
  const ratio = async (text: string) =>
    (await load({ environment: { WFDD_TRACES_SAMPLE_RATIO: text } })).config.traces.sampleRatio;
  t.is(await ratio('0.25'), 0.25);
  t.is(await ratio('0'), 0);
  for (const text of ['1.5', '-0.1', 'half']) {
    const [problem] = await problemsOf({ environment: { WFDD_TRACES_SAMPLE_RATIO: text } });
    t.regex(problem?.remedy ?? '', /from 0 to 1/);
  }
});

test('metrics that are sent have the rules of spans: https beyond the host, secret headers, nothing without a collector', async (t) => {
  t.is(makeConfig().metrics.endpoint, null);
  const paths = async (yaml: string) => (await problemsOf({ yaml })).map(({ path }) => path);
  t.deepEqual(await paths('metrics: { endpoint: "http://127.0.0.1:4318/v1/metrics", headers: ["x-key: a"] }'), []);
  t.deepEqual(await paths('metrics: { endpoint: "http://collector.example.com/v1/metrics" }'), ['metrics.endpoint']);
  t.deepEqual(await paths('metrics: { headers: ["x-key: a"] }'), ['metrics.headers']);
  t.deepEqual(await paths(`metrics: { caFile: ${write('', 'pem')} }`), ['metrics.caFile']);
  const [onCommandLine] = await problemsOf({ assignments: [set('metrics.headers', 'authorization: hunter2')] });
  t.like(onCommandLine, { path: 'metrics.headers', value: '********' });
  const { warnings } = await load({ yaml: 'metrics: { endpoint: "http://127.0.0.1:4318" }' });
  t.regex(warnings[0]?.remedy ?? '', /v1\/metrics/);
});
