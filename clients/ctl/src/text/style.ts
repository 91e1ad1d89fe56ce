/** Colours, by meaning. */

export type Paint = (text: string) => string;

export interface Style {
  readonly bold: Paint;
  readonly dim: Paint;
  readonly good: Paint;
  readonly pending: Paint;
  readonly bad: Paint;
  /** The width of the terminal. Undefined if lines need not fit. */
  readonly columns?: number | undefined;
}

/** Codes for on and off of ECMA-48 (Select Graphic Rendition). */
const CODES = { bold: [1, 22], dim: [2, 22], good: [32, 39], pending: [33, 39], bad: [31, 39] } as const;

export const plain: Style = makeStyle(() => (text) => text);
export const coloured: Style = makeStyle(
  ([on, off]) =>
    (text) =>
      `\x1b[${on}m${text}\x1b[${off}m`,
);

function makeStyle(paint: (codes: readonly [number, number]) => Paint): Style {
  const { bold, dim, good, pending, bad } = CODES;
  return { bold: paint(bold), dim: paint(dim), good: paint(good), pending: paint(pending), bad: paint(bad) };
}

/** The colour of each state, event and answer, wherever it is printed. */
const COLOURS: Readonly<Record<string, Exclude<keyof Style, 'columns'>>> = {
  ...{ OPEN: 'good', OPENED: 'good', READY: 'good', SERVING: 'good', ADDED: 'good', yes: 'good' },
  ...{ OPENING: 'pending', CANCELLING: 'pending', CLOSING: 'pending', DRAINING: 'pending', LEASE_EXPIRED: 'pending' },
  ...{ FAILED: 'bad', LOST: 'bad', DEGRADED: 'bad', NOT_SERVING: 'bad', REMOVED: 'bad' },
  ...{ CLOSED: 'dim', CANCELLED: 'dim', SNAPSHOT: 'dim', BOOKMARK: 'dim', INTERFACE: 'dim' },
  ...{ CHANGED: 'dim', no: 'dim' },
};

export function paintOf(style: Style, name: string): Paint {
  return style[COLOURS[name] ?? 'bold'];
}
