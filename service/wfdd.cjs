#!/usr/bin/env node
'use strict';
// Starts the daemon. Native calls block threads of libuv's pool, whose size is read from the environment when the pool is
// first used; so it is set here, before any module that could use it is loaded. (In an ES module it would be too late.)
const POOL_THREADS = '16';

const { existsSync } = require('node:fs');
const { join } = require('node:path');
const { pathToFileURL } = require('node:url');

// The same tree in the repository and in the bundle for Windows.
const main = join(__dirname, '..', 'dist', 'wfdd', 'main.js');

/** On Windows libuv before 1.52 reads the environment of the C runtime, to which what is set here never comes. */
function canSizePool() {
  const [major, minor] = process.versions.uv.split('.').map(Number);
  return process.platform !== 'win32' || major > 1 || (major === 1 && minor >= 52);
}

/** What helps where Windows, or the file itself, keeps a native module from being loaded. */
function blocked({ message }) {
  return `wfdd can't load its native module: ${message}
Smart App Control, App Control for Business (WDAC) and AppLocker block modules whose signer they do not trust: look in the
Event Viewer for event 3077 of Microsoft-Windows-CodeIntegrity/Operational, and have the publisher or the folder allowed.
A file that was downloaded may have to be unblocked (PowerShell: Get-ChildItem -Recurse | Unblock-File); one that is
damaged or missing comes back when the folder is unpacked anew.`;
}

/** Who starts services shows nobody what they write, so it goes to the Application log, as event 104. */
function reportToEventLog(text) {
  const [, , command, verb, option, name] = process.argv;
  if (process.platform !== 'win32' || command !== 'service' || verb !== 'run' || option !== '--name') return;
  const shell = join(
    process.env.SystemRoot || 'C:\\Windows',
    'System32',
    'WindowsPowerShell',
    'v1.0',
    'powershell.exe',
  );
  const script =
    'Write-EventLog -LogName Application -Source $env:WFDD_EVENT_SOURCE -EventId 104 -EntryType Error -Message $env:WFDD_EVENT_TEXT';
  const env = { ...process.env, WFDD_EVENT_SOURCE: name, WFDD_EVENT_TEXT: text };
  require('node:child_process').spawnSync(shell, ['-NoProfile', '-NonInteractive', '-Command', script], {
    env,
    timeout: 20_000,
    windowsHide: true,
  });
}

function fail(text) {
  console.error(text);
  reportToEventLog(text);
  process.exitCode = 70;
}

if (!existsSync(main)) {
  fail(`wfdd is not built: ${main} is missing. Run \`npm run build\` first.`);
} else if (process.env.UV_THREADPOOL_SIZE === undefined && !canSizePool()) {
  fail(
    `wfdd can't size the thread pool of this Node (libuv ${process.versions.uv}) from inside: start it with wfdd.cmd, set ` +
      `UV_THREADPOOL_SIZE=${POOL_THREADS} before it starts, or use a Node with libuv 1.52 or newer.`,
  );
} else {
  process.env.UV_THREADPOOL_SIZE ??= POOL_THREADS;
  // A stack in the log shows the lines of the sources.
  process.setSourceMapsEnabled(true);
  import(pathToFileURL(main).href).catch((error) => {
    // The second is what koffi says where its module is not there at all.
    if (error?.code !== 'ERR_DLOPEN_FAILED' && !/native Koffi module/.test(error?.message)) throw error;
    fail(blocked(error));
  });
}
