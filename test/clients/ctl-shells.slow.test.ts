/**
 * The completion scripts in the shells themselves, with addresses and ids asked from the real
 * daemon.
 */
import { execFile, spawnSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { delimiter, resolve } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { display, forklifts, gatewayForThisFile, robot } from '../harness/gateway.js';
import { Folder } from './ctl-run.js';

const gateway = gatewayForThisFile();
const execute = promisify(execFile);

/** Runs the shell with a `wfdctl` on its path whose context is the daemon of this file. */
async function shell(name: string, args: readonly string[], script: string): Promise<string[]> {
  using folder = new Folder();
  writeFileSync(
    folder.file('wfdctl'),
    `#!/bin/sh\nexec '${process.execPath}' '${resolve('clients/ctl/wfdctl.mjs')}' "$@"\n`,
  );
  chmodSync(folder.file('wfdctl'), 0o755);
  const { address } = gateway().daemon;
  const contexts = { current: 'here', contexts: { here: { address }, nowhere: { address: '127.0.0.1:1' } } };
  writeFileSync(folder.file('config.yaml'), JSON.stringify(contexts));
  const PATH = `${folder.path}${delimiter}${process.env['PATH']}`;
  const env = { ...process.env, PATH, WFDCTL_CONFIG: folder.file('config.yaml') };
  const { stdout, stderr } = await execute(name, [...args, script], { env });
  if (stderr !== '') throw new Error(stderr);
  return stdout.split('\n').filter((line) => line !== '');
}

/**
 * What bash offers at the end of the line. Bash replaces the word from its last colon or `=` on.
 */
function inBash(line: string, wordBreaks?: string): Promise<string[]> {
  return shell(
    'bash',
    ['--norc', '-c'],
    `source <(wfdctl completion bash); ${wordBreaks === undefined ? '' : `COMP_WORDBREAKS='${wordBreaks}'`}
    COMP_LINE='${line}'; COMP_POINT=\${#COMP_LINE}; complete -p wfdctl >/dev/null; _wfdctl
    printf '%s\\n' "\${COMPREPLY[@]}"`,
  );
}

const isHere = (name: string): boolean => spawnSync(name, ['--version']).status === 0;
const inZsh = isHere('zsh') ? test.serial : test.serial.skip;

test.serial('bash completes the addresses of the devices that the host has', async (t) => {
  await gateway().world.addDevice('0a:00:00:00:00:09');
  t.deepEqual(await inBash('wfdctl open 0a'), ['0a:00:00:00:00:09']);
  t.deepEqual(await inBash('wfdctl open 02:11:22:33:44:'), ['01', '02', '03', '04', '05', '06']);
  t.deepEqual(await inBash(`wfdctl visibility ${robot.slice(0, -1)}`, ' '), [...devices()]);
  t.deepEqual(await inBash('wfdctl list --device=0a:00'), ['00:00:00:00:09']);
  t.deepEqual(await inBash('wfdctl --context nowhere open '), []);
});

const devices = () => [display, '02:11:22:33:44:02', '02:11:22:33:44:03', robot, ...forklifts];

test.serial('bash completes the ids of sessions, those that are of use', async (t) => {
  const leaseTtl = { seconds: 60n, nanos: 0 };
  await gateway().openSession({ deviceAddress: display, sessionId: 'that-is-open', leaseTtl });
  await gateway().open({ deviceAddress: robot, sessionId: 'that-has-failed' }).status();
  t.deepEqual(await inBash('wfdctl get that-'), ['that-is-open', 'that-has-failed']);
  t.deepEqual(await inBash('wfdctl close '), ['that-is-open']);
  t.deepEqual(await inBash('wfdctl close that-is-open '), []);
});

test.serial('bash completes commands, flags, and their values', async (t) => {
  t.deepEqual(await inBash('wfdctl vis'), ['visibility']);
  t.deepEqual(await inBash('wfdctl   context   use   now'), ['nowhere']);
  t.deepEqual(await inBash('wfdctl open --leg'), ['--legacy']);
  t.deepEqual(await inBash('wfdctl list --output=y'), ['yaml']);
  t.deepEqual(await inBash('wfdctl list --ca '), []);
});

inZsh('zsh completes them too, with what they are', async (t) => {
  const inZshAt = (...words: string[]) =>
    shell(
      'zsh',
      ['-f', '-c'],
      `compdef() { registered=$2; }; _files() { print files; }; _describe() { print -rl -- "\${(@P)3}"; }
      source <(wfdctl completion zsh); [[ $registered == wfdctl ]] || exit 1
      words=(${words.map((word) => `'${word}'`).join(' ')}); CURRENT=$#words; _wfdctl`,
    );
  t.deepEqual(await inZshAt('wfdctl', 'open', '02:11:22:33:44:01'), [
    '02\\:11\\:22\\:33\\:44\\:01:Meeting Room Display',
  ]);
  t.deepEqual(await inZshAt('wfdctl', 'list', '--output=j'), ['--output=json']);
  t.deepEqual(await inZshAt('wfdctl', 'context', 'use', 'he'), [`here:${gateway().daemon.address}`]);
  t.deepEqual(await inZshAt('wfdctl', '--ca', ''), ['files']);
});
