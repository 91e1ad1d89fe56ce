#!/usr/bin/env node
// Starts wfdctl. In the npm package its code is beside this file. In the repository and in the
// bundle for Windows it is in `dist/` at the top.
import { existsSync } from 'node:fs';

const places = ['./dist/clients/ctl/src/main.js', '../../dist/wfdctl/main.js'];
const place = places.map((path) => new URL(path, import.meta.url)).find((url) => existsSync(url));

if (place === undefined) {
  console.error('wfdctl is not built. Run `npm run build` first.');
  process.exitCode = 70;
} else {
  const { main } = await import(place.href);
  await main(new URL('./', import.meta.url));
}
