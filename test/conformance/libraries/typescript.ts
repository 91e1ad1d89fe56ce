/** The TypeScript client. What there is to check of its package is in `test/clients`. */
import { fileURLToPath } from 'node:url';
import type { Library } from '../library.js';

const agent = fileURLToPath(new URL('../agents/typescript.js', import.meta.url));

export const typescript: Library = {
  language: 'TypeScript',
  lacks: undefined,
  prepare: async () => {},
  checks: [],
  agents: [{ name: 'TypeScript', command: [process.execPath, agent] }],
};
