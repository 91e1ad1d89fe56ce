/**
 * What is handed to those who operate hosts: it parses, and asks for nothing that the daemon does
 * not have.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { parse, parseAllDocuments } from 'yaml';
import { root } from '../../service/root.js';
import { ENDS, EVENT_TYPES } from '../../service/telemetry/closed-sets.js';
import { metricNames } from '../telemetry/metrics-manual.js';

const file = (name: string): string => fileURLToPath(new URL(`service/operate/${name}`, root));
const text = (name: string): string => readFileSync(file(name), 'utf8');

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly annotations: { readonly summary: string; readonly action: string };
}

const rules: readonly Rule[] = parse(text('prometheus-alerts.yaml')).groups.flatMap(
  ({ rules }: { rules: Rule[] }) => rules,
);
const dashboard = JSON.parse(text('grafana-dashboard.json'));
const queries: string[] = dashboard.panels.flatMap(({ targets = [] }: { targets?: { expr: string }[] }) =>
  targets.map(({ expr }) => expr),
);

/** Of Prometheus itself, and of the library that measures the process. */
const others =
  /^(up|process_(start_time_seconds|resident_memory_bytes|cpu_seconds_total)|nodejs_eventloop_lag_p99_seconds)$/;
/** Words of PromQL, and labels, are no metrics. */
const metricIn = /\b(up|wfdd_\w+|process_\w+|nodejs_\w+)\b(?=[{[ )]|$)/g;

test('every metric that a rule or a panel names exists', (t) => {
  const known = new Set(metricNames().flatMap((name) => [name, `${name}_bucket`, `${name}_sum`, `${name}_count`]));
  const named = [...rules.map(({ expr }) => expr), ...queries].flatMap((expr) => [...expr.matchAll(metricIn)]);
  t.true(named.length > 40);
  t.deepEqual(
    named.map(([, name = '']) => name).filter((name) => !known.has(name) && !others.test(name)),
    [],
  );
});

test('every value of a label that a rule asks for can be', (t) => {
  const values = new Set<string>([...EVENT_TYPES, ...ENDS.map(({ state }) => state), 'OPEN', 'sessions_max', 'wfdd']);
  for (const { alert, expr } of rules) {
    for (const [, value = ''] of expr.matchAll(/\w+="([^"]*)"/g)) t.true(values.has(value), `${alert}: ${value}`);
  }
});

test('each alert has a name of its own, and a sentence that says what to do', (t) => {
  t.is(new Set(rules.map(({ alert }) => alert)).size, rules.length);
  for (const { alert, annotations } of rules) {
    t.regex(annotations.summary, /^\S.*\.$/, alert);
    t.regex(annotations.action, /^\S.{30,}\.$/s, alert);
  }
});

test('promtool takes the rules, where it is installed', (t) => {
  const isInstalled = spawnSync('promtool', ['--version']).error === undefined;
  if (!isInstalled) {
    t.pass();
    return;
  }
  t.notThrows(() => execFileSync('promtool', ['check', 'rules', file('prometheus-alerts.yaml')], { stdio: 'pipe' }));
});

test('parentheses and quotes of every query are closed', (t) => {
  for (const expr of [...rules.map((rule) => rule.expr), ...queries]) {
    let depth = 0;
    for (const letter of expr.replace(/"[^"]*"/g, '')) {
      if ('([{'.includes(letter)) depth += 1;
      if (')]}'.includes(letter)) depth -= 1;
      t.true(depth >= 0, expr);
      t.not(letter, '"', expr);
    }
    t.is(depth, 0, expr);
  }
});

test('no two panels of the dashboard lie on each other', (t) => {
  const cells = dashboard.panels.flatMap(
    ({ gridPos: { x, y, w, h } }: { gridPos: Record<'x' | 'y' | 'w' | 'h', number> }) =>
      Array.from({ length: w * h }, (_, i) => `${x + (i % w)},${y + Math.floor(i / w)}`),
  );
  t.is(new Set(cells).size, cells.length);
  t.is(new Set(dashboard.panels.map(({ id }: { id: number }) => id)).size, dashboard.panels.length);
});

test('the collector hands on what it receives, and each pipeline is of parts that are there', (t) => {
  const collector = parse(text('otel-collector.yaml'));
  for (const [name, pipeline] of Object.entries<Record<string, string[]>>(collector.service.pipelines)) {
    for (const [kind, parts] of Object.entries(pipeline)) {
      for (const part of parts) t.true(part in collector[kind], `${name}: ${kind} ${part}`);
    }
  }
});

test('the probes of Kubernetes ask what the image can answer', (t) => {
  const [deployment] = parseAllDocuments(text('kubernetes.yaml'), { merge: true }).map((document) => document.toJS());
  const [container] = deployment.spec.template.spec.containers;
  t.deepEqual(container.startupProbe.exec.command, ['node', 'clients/ctl/wfdctl.mjs', 'host']);
  t.deepEqual(container.livenessProbe.exec.command, container.startupProbe.exec.command);
  t.deepEqual(container.readinessProbe.exec.command, ['node', 'clients/ctl/wfdctl.mjs', 'health']);
});

test('the unit of systemd gives a stop the time that it takes, and no right that it does not need', (t) => {
  const unit = text('wfdd.service');
  const [, seconds = '0'] = /^TimeoutStopSec=(\d+)s$/m.exec(unit) ?? [];
  t.true(Number(seconds) > 20, 'shutdown.graceMs');
  for (const line of ['NoNewPrivileges=yes', 'ProtectSystem=strict', 'DynamicUser=yes', 'CapabilityBoundingSet=']) {
    t.true(unit.split('\n').includes(line), line);
  }
  if (spawnSync('systemd-analyze', ['--version']).error !== undefined) return;
  const { stderr } = spawnSync('systemd-analyze', ['verify', file('wfdd.service')], { encoding: 'utf8' });
  t.notRegex(stderr, /Unknown|Failed to parse/);
});
