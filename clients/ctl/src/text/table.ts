/** Tables whose columns are as wide as their content, with two spaces between. */
import { printable, widthOf } from './printable.js';
import type { Paint } from './style.js';

/** A text, which may come from outside, and its colour. */
export type Cell = string | { readonly text: string; readonly paint: Paint };

/** How a table fits a narrow terminal. */
interface Narrow {
  /** As `Style.columns`. */
  readonly columns: number | undefined;
  /** Columns that may be left out, in this order. */
  readonly spare: readonly string[];
}

/** A last column narrower than this is not worth showing. */
const LAST_WIDTH_MIN = 12;

/**
 * One line per row. An empty cell is `-`, so that tools like awk can count columns. If the table is
 * too wide, first the last column is shortened, and then spare columns are left out.
 */
export function table(
  header: readonly string[],
  rows: readonly (readonly Cell[])[],
  paintHeader: Paint,
  { columns, spare }: Narrow = { columns: undefined, spare: [] },
): string {
  const titles = header.map((text): Cell => ({ text, paint: paintHeader }));
  const lines = [titles, ...rows].map((row) => row.map(whole));
  const widths = header.map((_, column) => Math.max(...lines.map((line) => widthOf(line[column]?.text ?? ''))));
  if (columns === undefined) return lines.map((line) => lineOf(line, widths)).join('');
  let shown = header.map((_, column) => column);
  const before = (last: number): number => shown.slice(0, last).reduce((sum, at) => sum + (widths[at] ?? 0) + GAP, 0);
  const isTooWide = (): boolean => {
    const last = shown.length - 1;
    return before(last) + Math.min(widths[shown[last] ?? 0] ?? 0, LAST_WIDTH_MIN) > columns;
  };
  for (const title of spare) {
    if (isTooWide()) shown = shown.filter((column) => header[column] !== title);
  }
  const pick = <Item>(of: readonly Item[]): Item[] => shown.flatMap((column) => of.slice(column, column + 1));
  return lines.map((line) => lineOf(pick(line), pick(widths), columns)).join('');
}

/** One line per name and value. Empty values are left out. */
export function pairs(
  entries: readonly (readonly [name: string, value: Cell | undefined])[],
  paintName: Paint,
): string {
  const shown = entries.filter((entry): entry is [string, Cell] => entry[1] !== undefined && textOf(entry[1]) !== '');
  const width = Math.max(...shown.map(([name]) => name.length));
  return shown.map(([name, value]) => lineOf([{ text: name, paint: paintName }, whole(value)], [width])).join('');
}

/** One line with columns of these widths. The last column has no limit. */
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

const GAP = 2;

function lineOf(cells: readonly Whole[], widths: readonly number[], columns = Number.POSITIVE_INFINITY): string {
  const last = cells.length - 1;
  let used = 0;
  const padded = cells.map(({ text, paint }, column) => {
    if (column === last) return paint(cut(text, columns - used));
    const blanks = Math.max(0, (widths[column] ?? 0) - widthOf(text));
    used += widthOf(text) + blanks + GAP;
    return paint(text) + ' '.repeat(blanks);
  });
  return `${padded.join(' '.repeat(GAP))}\n`;
}

/** Shortens the text to this width, with an ellipsis at the end. */
function cut(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  let width = 0;
  let kept = '';
  for (const character of text) {
    width += widthOf(character);
    if (width > columns - 1) break;
    kept += character;
  }
  return `${kept}…`;
}
