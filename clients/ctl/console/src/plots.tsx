/**
 * Plots of the last hour, from the events: sessions by state, duration of opens, and failures by
 * reason.
 */
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { now, revision } from './app.js';
import { minuteClock, took } from './format.js';
import { GROUPS, type Group, type HostModel, SLOT_MS, SLOTS } from './model.js';
import { words } from './shapes.js';

const HOUR_MS = SLOT_MS * SLOTS;
const HEIGHT = 160;
const GROUP_WORDS: Record<Group, string> = { OPENING: 'opening', OPEN: 'open', CLOSING: 'closing' };

/** Goes back in time: the count before a change is the count after it minus the change. */
function historyOf(model: HostModel, nowMs: number): [number[], ...number[][]] {
  const last = Math.floor(nowMs / SLOT_MS);
  const counts = { ...model.counts };
  const times: number[] = [];
  const rows: Record<Group, number[]> = { OPENING: [], OPEN: [], CLOSING: [] };
  for (let slot = last; slot > last - SLOTS; slot -= 1) {
    times.unshift(slot === last ? nowMs / 1000 : ((slot + 1) * SLOT_MS) / 1000);
    const changes = model.slots.get(slot)?.changes;
    for (const group of GROUPS) {
      rows[group].unshift(Math.max(0, counts[group]));
      counts[group] -= changes?.[group] ?? 0;
    }
  }
  return [times, ...GROUPS.map((group) => rows[group])];
}

/** The upper ends of the steps, in ms. One more step is for everything longer. */
const STEPS_MS = [250, 500, 1000, 2000, 4000, 8000, 16_000, 32_000];
const STEP_WORDS = ['¼', '½', '1', '2', '4', '8', '16', '32', '>32'];

function distributionOf(model: HostModel, nowMs: number) {
  const took = model.openTimes.filter(({ timeMs }) => timeMs > nowMs - HOUR_MS).map(({ tookMs }) => tookMs);
  const sorted = took.sort((a, b) => a - b);
  const counts = new Array<number>(STEPS_MS.length + 1).fill(0);
  for (const ms of sorted) {
    const step = STEPS_MS.findIndex((end) => ms <= end);
    const at = step < 0 ? STEPS_MS.length : step;
    counts[at] = (counts[at] ?? 0) + 1;
  }
  const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
  return { counts, total: sorted.length, p50: at(0.5), p95: at(0.95) };
}

function failuresOf(model: HostModel, nowMs: number): [reason: string, count: number][] {
  const counts = new Map<string, number>();
  for (const [slot, { failures }] of model.slots) {
    if (slot <= Math.floor(nowMs / SLOT_MS) - SLOTS) continue;
    for (const [reason, count] of failures) counts.set(reason, (counts.get(reason) ?? 0) + count);
  }
  return [...counts].sort(([, a], [, b]) => b - a);
}

export function Plots({ model }: { model: HostModel }) {
  revision.value;
  const nowMs = now.value + model.aheadMs;
  const history = historyOf(model, nowMs);
  const distribution = distributionOf(model, nowMs);
  const failures = failuresOf(model, nowMs);
  return (
    <div class="plots">
      <figure class="card">
        <figcaption>
          <h2>Sessions by state</h2>
          <span class="legend">
            {GROUPS.map((group) => (
              <span key={group}>
                <i class={`swatch ${group.toLowerCase()}`} />
                {GROUP_WORDS[group]} <b class="number">{model.counts[group]}</b>
              </span>
            ))}
          </span>
        </figcaption>
        <History data={history} />
      </figure>
      <figure class="card">
        <figcaption>
          <h2>Time to open</h2>
          <span class="legend">
            {distribution.total === 0 ? (
              'no session opened in the last hour'
            ) : (
              <>
                <span>
                  50 % in <b class="number">{took(distribution.p50 ?? 0)}</b>
                </span>
                <span>
                  95 % in <b class="number">{took(distribution.p95 ?? 0)}</b>
                </span>
              </>
            )}
          </span>
        </figcaption>
        <Columns counts={distribution.counts} />
      </figure>
      <figure class="card">
        <figcaption>
          <h2>Failures by reason</h2>
          <span class="legend">last hour</span>
        </figcaption>
        {failures.length === 0 ? (
          <p class="plot-empty">None</p>
        ) : (
          <ol class="reasons">
            {failures.slice(0, 6).map(([reason, count]) => (
              <li key={reason}>
                <span>{words(reason)}</span>
                <b class="number">{count}</b>
                <i class="reason-bar" style={{ width: `${(count / (failures[0]?.[1] ?? 1)) * 100}%` }} />
              </li>
            ))}
          </ol>
        )}
      </figure>
    </div>
  );
}

/** A colour of the style sheet, in the current theme. */
function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** The mean of two colours `#rrggbb`. */
function mixed(one: string, other: string): string {
  const parts = (text: string) => [1, 3, 5].map((at) => Number.parseInt(text.slice(at, at + 2), 16));
  const others = parts(other);
  return `rgb(${parts(one).map((part, i) => Math.round((part + (others[i] ?? 0)) / 2))})`;
}

/** Resizes a plot with its element, and redraws it when the theme changes. */
function usePlot(make: (element: HTMLElement) => uPlot, data: uPlot.AlignedData) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  useEffect(() => {
    const element = box.current as HTMLDivElement;
    const draw = () => {
      plot.current?.destroy();
      plot.current = make(element);
    };
    draw();
    const observer = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height: HEIGHT }));
    observer.observe(element);
    const theme = matchMedia('(prefers-color-scheme: dark)');
    theme.addEventListener('change', draw);
    return () => {
      observer.disconnect();
      theme.removeEventListener('change', draw);
      plot.current?.destroy();
    };
  }, []);
  useEffect(() => plot.current?.setData(data), [data]);
  return box;
}

function axes(values: uPlot.Axis.Values): uPlot.Axis[] {
  const shared = {
    stroke: () => colour('--dim'),
    font: '11px system-ui, sans-serif',
    ticks: { show: false },
  };
  const grid = { stroke: () => colour('--line'), width: 1 };
  return [
    { ...shared, grid: { show: false }, values, size: 26 },
    { ...shared, grid, size: 34, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000] },
  ];
}

/** Stacks the rows, so that the total height is the total count. */
function stacked([times, ...rows]: [number[], ...number[][]]): uPlot.AlignedData {
  const sums = times.map(() => 0);
  const stack = rows.map((row) => row.map((count, i) => (sums[i] = (sums[i] ?? 0) + count)));
  return [times, ...stack.reverse()] as uPlot.AlignedData;
}

function History({ data }: { data: [number[], ...number[][]] }) {
  const series = [...GROUPS].reverse().map((group) => {
    const name = `--${group.toLowerCase()}`;
    return {
      stroke: () => colour(name),
      // Opaque, because each layer is drawn over the higher ones.
      fill: () => mixed(colour(name), colour('--card')),
      width: 1,
      points: { show: false },
      paths: uPlot.paths.stepped?.({ align: -1 }),
    } as uPlot.Series;
  });
  const aligned = stacked(data);
  const box = usePlot(
    (element) =>
      new uPlot(
        {
          width: element.clientWidth,
          height: HEIGHT,
          padding: [10, 18, 0, 0],
          legend: { show: false },
          cursor: { show: false },
          scales: { x: { time: true }, y: { range: (_, __, max) => [0, Math.max(4, Math.ceil(max * 1.1))] } },
          axes: axes((_, splits) => splits.map((second) => minuteClock(second * 1000))),
          series: [{}, ...series],
        },
        aligned,
        element,
      ),
    aligned,
  );
  const [, opening, open, closing] = data;
  const most = Math.max(...(open ?? []).map((count, i) => count + (opening?.[i] ?? 0) + (closing?.[i] ?? 0)));
  return <div ref={box} class="plot" role="img" aria-label={`Sessions in the last hour, at most ${most} at a time`} />;
}

function Columns({ counts }: { counts: readonly number[] }) {
  const data: uPlot.AlignedData = [counts.map((_, i) => i), [...counts]];
  const bars = uPlot.paths.bars?.({ size: [0.82, 60] });
  const box = usePlot(
    (element) =>
      new uPlot(
        {
          width: element.clientWidth,
          height: HEIGHT,
          padding: [10, 18, 0, 0],
          legend: { show: false },
          cursor: { show: false },
          scales: {
            x: { time: false, range: [-0.6, counts.length - 0.4] },
            y: { range: (_, __, max) => [0, Math.max(4, Math.ceil(max * 1.1))] },
          },
          axes: axes((_, splits) => splits.map((i) => STEP_WORDS[i] ?? '')).map((axis, i) =>
            i === 0 ? { ...axis, splits: counts.map((_, at) => at) } : axis,
          ),
          series: [
            {},
            {
              stroke: () => colour('--open'),
              fill: () => mixed(colour('--open'), colour('--card')),
              width: 1,
              points: { show: false },
              ...(bars && { paths: bars }),
            },
          ],
        },
        data,
        element,
      ),
    data,
  );
  const summary = counts.map((count, i) => `${count} within ${STEP_WORDS[i]} s`).join(', ');
  return (
    <>
      <div ref={box} class="plot" role="img" aria-label={`Opens by duration: ${summary}`} />
      <p class="plot-unit">seconds or less</p>
    </>
  );
}
