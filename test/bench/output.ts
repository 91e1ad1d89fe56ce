/** Where everything goes that a run writes: `dist/bench`. */
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const outputFolder = fileURLToPath(new URL('../../bench', import.meta.url));

mkdirSync(outputFolder, { recursive: true });
