#!/usr/bin/env node
'use strict';
// Starts the daemon. Native calls block threads of libuv's pool. libuv reads the pool size from the
// environment when the pool is first used, so it is set here, before any other module is loaded. An
// ES module would be too late (D-70).
const POOL_THREADS = '16';

const { existsSync } = require('node:fs');
const { join } = require('node:path');
const { pathToFileURL } = require('node:url');

// The path is the same in the repository and in the Windows bundle.
const main = join(__dirname, '..', 'dist', 'wfdd', 'main.js');

/**
 * On Windows libuv before 1.52 reads the environment of the C runtime, which process.env does not
 * change.
 */
function canSizePool() {
  const [major, minor] = process.versions.uv.split('.').map(Number);
  return process.platform !== 'win32' || major > 1 || (major === 1 && minor >= 52);
}

/** Explains why the native module could not be loaded, and what to do. */
function blocked({ message }) {
  return `wfdd cannot load its native module: ${message}
Smart App Control, App Control for Business (WDAC) and AppLocker block modules without a trusted signature. If the Event
Viewer shows event 3077 in Microsoft-Windows-CodeIntegrity/Operational, allow the publisher or the folder in the policy.
If the files were downloaded, unblock them in PowerShell: Get-ChildItem -Recurse | Unblock-File
If a file is damaged or missing, unpack the folder again.`;
}

/**
 * Nobody sees the output of a service, so the text also goes to the Application log as event 104.
 */
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
    `wfdd cannot set the thread pool size in this version of Node (libuv ${process.versions.uv}). Start it with wfdd.cmd, set ` +
      `UV_THREADPOOL_SIZE=${POOL_THREADS} before starting it, or use a Node with libuv 1.52 or newer.`,
  );
} else {
  process.env.UV_THREADPOOL_SIZE ??= POOL_THREADS;
  // Stacks in the log show source lines.
  process.setSourceMapsEnabled(true);
  import(pathToFileURL(main).href).catch((error) => {
    // The second condition is koffi's message if its module is missing.
    if (error?.code !== 'ERR_DLOPEN_FAILED' && !/native Koffi module/.test(error?.message)) throw error;
    fail(blocked(error));
  });
}
