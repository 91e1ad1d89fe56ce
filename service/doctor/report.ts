/** Formats a report for a terminal and as Markdown for an issue, and maps it to an exit code. */
import type { State } from './check.js';
import type { Checked, Report } from './doctor.js';

/** Exit codes by the worst state of a report. */
export const DOCTOR_EXIT: Readonly<Record<State, number>> = { ok: 0, warning: 1, failed: 2 };

const INDENT = '           ';

/** One check for a terminal: the observation, and the remedy below it. */
export function checkText({ state, title, seen, help }: Checked): string {
  const helped = help === undefined ? '' : `\n${indented(`-> ${help}`)}`;
  return `${state.padEnd(8)} ${title}\n${indented(seen)}${helped}\n`;
}

function indented(text: string): string {
  return text
    .split('\n')
    .map((line) => `${INDENT}${line}`)
    .join('\n');
}

export function summaryText(report: Report): string {
  const { state, checks, notChecked, isSimulated } = report;
  const count = (wanted: State) => checks.filter((check) => check.state === wanted).length;
  const skipped = notChecked.map(({ title, why }) => `${title} (${why})`).join(', ');
  const lines = [
    ...(notChecked.length > 0 ? [`Not checked: ${skipped}.`] : []),
    ...(isSimulated ? ['The devices of this host are simulated: no radio was used.'] : []),
    `${state.toUpperCase()}: ${count('ok')} ok, ${count('warning')} warnings, ${count('failed')} failed.`,
  ];
  return `\n${lines.join('\n')}\n`;
}

/** A report for an issue: a table, and the facts in a collapsed section. */
export function reportMarkdown(report: Report): string {
  const { version, time, platform, state, checks, notChecked, isSimulated, asService } = report;
  const how = [platform, ...(asService ? ['as the service'] : []), ...(isSimulated ? ['simulated devices'] : [])];
  const rows = checks.map(({ title, state: its, seen, help, ms }) => {
    const text = help === undefined ? seen : `${seen} -> ${help}`;
    return `| ${title} | ${its} | ${cell(text)} | ${ms} ms |`;
  });
  return [
    `### wfdd doctor ${version}: ${state}`,
    '',
    `${time}, ${how.join(', ')}`,
    '',
    '| check | state | observation | time |',
    '|---|---|---|---|',
    ...rows,
    ...notChecked.map(({ title, why }) => `| ${title} | not checked | ${why} | |`),
    '',
    '<details><summary>All measured values</summary>',
    '',
    '```json',
    // Text of the host cannot end the code fence.
    JSON.stringify(report, null, 1).replaceAll('`', "'"),
    '```',
    '',
    '</details>',
    '',
  ].join('\n');
}

function cell(text: string): string {
  return text
    .replaceAll('|', '\\|')
    .replaceAll('<', '&lt;')
    .replace(/\s*\n\s*/g, ' ');
}
