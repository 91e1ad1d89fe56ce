#!/usr/bin/env node
'use strict';
// Starts the daemon. Native calls block threads of libuv's pool, whose size is read from the environment when the pool is
// first used; so it is set here, before any module that could use it is loaded. (In an ES module it would be too late.)
process.env.UV_THREADPOOL_SIZE ??= '16';

const { existsSync } = require('node:fs');
const { join } = require('node:path');
const { pathToFileURL } = require('node:url');

// The same tree in the repository and in the bundle for Windows.
const main = join(__dirname, '..', 'dist', 'wfdd', 'main.js');

if (existsSync(main)) {
  // A stack in the log shows the lines of the sources.
  process.setSourceMapsEnabled(true);
  import(pathToFileURL(main).href);
} else {
  console.error(`wfdd is not built: ${main} is missing. Run \`npm run build\` first.`);
  process.exitCode = 70;
}
