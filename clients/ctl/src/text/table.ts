/** Rows and columns, as wide as what is in them; two blanks between. */
import { printable, widthOf } from './printable.js';
import type { Paint } from './style.js';

/** Text from anywhere, and how to colour it. */
export type Cell = string | { readonly text: string; readonly paint: Paint };

/** Lines with a newline each. An empty cell is shown as `-`, so that a column can be cut out by its number. */
export function table(header: readonly string[], rows: readonly (readonly Cell[])[], paintHeader: Paint): string {
  const titles = header.map((text): Cell => ({ text, paint: paintHeader }));
  const lines = [titles, ...rows].map((row) => row.map(whole));
  const widths = header.map((_, column) => Math.max(...lines.map((line) => widthOf(line[column]?.text ?? ''))));
  return lines.map((line) => lineOf(line, widths)).join('');
}

/** Names and what they stand for, line by line; those that stand for nothing are left out. */
export function pairs(
  entries: readonly (readonly [name: string, value: Cell | undefined])[],
  paintName: Paint,
): string {
  const shown = entries.filter((entry): entry is [string, Cell] => entry[1] !== undefined && textOf(entry[1]) !== '');
  const width = Math.max(...shown.map(([name]) => name.length));
  return shown.map(([name, value]) => lineOf([{ text: name, paint: paintName }, whole(value)], [width])).join('');
}

/** A line whose columns have these widths; the last goes on as far as it likes. */
export function row(cells: readonly Cell[], widths: readonly number[]): string {
  return lineOf(cells.map(whole), widths);
}

type Whole = Exclude<Cell, string>;

function whole(cell: Cell): Whole {
  const paint: Paint = typeof cell === 'string' ? (text) => text : cell.paint;
  return { text: printable(textOf(cell)) || '-', paint };
}

function textOf(cell: Cell): string {
  return typeof cell === 'string' ? cell : cell.text;
}

function lineOf(cells: readonly Whole[], widths: readonly number[]): string {
  const last = cells.length - 1;
  const padded = cells.map(({ text, paint }, column) => {
    const blanks = column === last ? 0 : (widths[column] ?? 0) - widthOf(text);
    return paint(text) + ' '.repeat(Math.max(0, blanks));
  });
  return `${padded.join('  ')}\n`;
}
