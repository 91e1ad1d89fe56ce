/**
 * `npm run api-reports` writes the API report of each client library anew.
 * `npm run api-reports -- Go Python` writes those of these languages alone.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { libraries } from './libraries.js';
import { root } from './library.js';

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !libraries.some(({ language }) => language === name));
if (unknown.length > 0) {
  console.error(`${unknown.join(', ')} is none of ${libraries.map(({ language }) => language).join(', ')}.`);
  process.exit(2);
}
for (const { language, lacks, prepare, apiReports } of libraries) {
  if (wanted.length > 0 && !wanted.includes(language)) continue;
  if (lacks !== undefined) {
    console.error(`${language} is left out: this machine lacks ${lacks.what}. To install it: ${lacks.remedy}`);
    process.exitCode = 1;
    continue;
  }
  await prepare();
  for (const { file, make } of apiReports) {
    await writeFile(join(root, file), await make());
    console.log(file);
  }
}
