/** The TypeScript client. What else there is to check of its package is in `test/clients`. */
import { match } from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { type Library, root, run, walkthrough } from '../library.js';

const agent = fileURLToPath(new URL('../agents/typescript.js', import.meta.url));
const story = fileURLToPath(new URL('../../story/walkthrough.js', import.meta.url));

export const typescript: Library = {
  language: 'TypeScript',
  lacks: undefined,
  prepare: async () => {},
  checks: [
    {
      name: 'its walkthrough ends with "ok"',
      run: async ({ address }) => match(await run(root, [process.execPath, story, address]), walkthrough),
    },
  ],
  agents: [{ name: 'TypeScript', command: [process.execPath, agent] }],
};
