/**
 * What an administrator does with the installer, under Wine: twice, since what an installation
 * leaves behind shows at the second. Under Wine there is no User Account Control, and no restart
 * manager.
 */

import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { credentials } from '@grpc/grpc-js';
import test from 'ava';
import { GetHostRequest, type GetHostResponse } from '../../proto/gen/wifidirect/v1/host_service.js';
import { SessionEndReason, SessionEventType } from '../../proto/gen/wifidirect/v1/session.js';
import {
  OpenSessionRequest,
  WatchSessionsRequest,
  type WatchSessionsResponse,
} from '../../proto/gen/wifidirect/v1/session_service.js';
import { filesIn, sha256 } from '../../service/bundle/contents.js';
import { EXIT } from '../../service/commands/command-line.js';
import { hasMsiTools } from '../../service/release/msi.js';
import { call, Received } from '../harness/calls.js';
import { display, Opened } from '../harness/gateway.js';
import { HostServiceClient, SessionServiceClient } from '../harness/grpc-services.js';
import { startNode } from './bundle.js';
import { bundleContents, dataFolder, freePort, installerOf, installFolder, msiexec, run, wfdd } from './installer.js';
import { lacks } from './machine.js';
import { windowsTest } from './windows-test.js';
import type { WindowsProcess } from './wine.js';

const isPossible = lacks.length === 0 && hasMsiTools();
const installerTest: typeof windowsTest = isPossible ? windowsTest : (title, body) => test.serial.skip(title, body);
const config = join(dataFolder, 'config.yaml');
/** ERROR_SERVICE_DOES_NOT_EXIST, as far as an exit code of Unix shows it. */
const NO_SUCH_SERVICE = 1060 & 0xff;
let old = '';
let next = '';
let keeper: WindowsProcess | undefined;

if (isPossible) {
  test.before(async (t) => {
    t.timeout(300_000);
    [old, next] = [installerOf('0.1.0'), installerOf('0.1.1')];
    // Wine ends its services with the last other process.
    keeper = startNode('-e', "setInterval(() => {}, 60_000); console.log('ready')");
    await keeper.line((text) => text === 'ready');
    await takeAway();
  });
  test.after.always(async () => {
    await takeAway();
    await keeper?.close();
    for (const file of [old, next]) rmSync(join(file, '..'), { recursive: true, force: true });
  });
}

async function takeAway(): Promise<void> {
  for (const installer of [next, old]) await msiexec('/x', installer);
  for (const folder of [installFolder, dataFolder]) rmSync(folder, { recursive: true, force: true });
}

async function isRunning(): Promise<boolean> {
  return (await wfdd('service', 'status')).code === EXIT.ok;
}

/** What the service at this address says of its host. */
async function host(address: string): Promise<GetHostResponse> {
  const client = new HostServiceClient(address, credentials.createInsecure());
  try {
    return await call(client.getHost.bind(client), GetHostRequest.fromPartial({}));
  } finally {
    client.close();
  }
}

/** A value below the key of all uninstallers, by its name, once for each product. */
async function uninstallers(name: string): Promise<string[]> {
  const key = 'HKLM\\Software\\Microsoft\\Windows\\CurrentVersion\\Uninstall';
  const { output } = await run('reg.exe', 'query', key, '/s');
  return [...output.matchAll(new RegExp(`^ +${name} +REG_SZ +(.*?)\\r?$`, 'gm'))].map(([, value = '']) => value);
}

async function machinePath(): Promise<string[]> {
  const key = 'HKLM\\System\\CurrentControlSet\\Control\\Session Manager\\Environment';
  const { output } = await run('reg.exe', 'query', key, '/v', 'PATH');
  return (/REG_\w+ +(.*?)\r?$/m.exec(output)?.[1] ?? '').split(';').filter((part) => part !== '');
}

for (const time of ['first', 'second']) {
  let address = '';

  installerTest(
    `${time} time: it lays down the files of the bundle and runs the service as its properties say`,
    async (t) => {
      address = `127.0.0.1:${await freePort()}`;
      const { code, output } = await msiexec('/i', old, `LISTEN=${address}`, 'HOSTID=host-7');
      t.is(code, 0, output);
      const hashes = (files: Iterable<readonly [string, Uint8Array]>) =>
        Object.fromEntries([...files].map(([path, bytes]) => [path, sha256(bytes)]));
      const installed = filesIn(installFolder, (path) => path !== 'install.log');
      t.deepEqual(hashes(installed), hashes(bundleContents()));
      t.is((await host(address)).hostId, 'host-7');
      t.deepEqual(await uninstallers('DisplayVersion'), ['0.1.0']);
      t.deepEqual(
        (await machinePath()).filter((part) => part.includes('wfdd')),
        ['C:\\Program Files\\wfdd\\bin\\'],
      );
      const version = await run('cmd.exe', '/c', 'C:\\Program Files\\wfdd\\bin\\wfdctl.cmd', '--version');
      t.is(version.code, 0, version.output);
    },
  );

  installerTest(
    `${time} time: an upgrade keeps the configuration, and a client learns how its session ended`,
    async (t) => {
      t.timeout(180_000);
      const edited = `listen: ["${address}"]\nhostId: host-8\ndriver: { kind: simulator }\n`;
      writeFileSync(config, edited);
      t.is((await wfdd('service', 'restart')).code, EXIT.ok);
      const client = new SessionServiceClient(address, credentials.createInsecure());
      t.teardown(() => client.close());
      const leaseTtl = { seconds: 600n };
      const opened = new Opened(
        client.openSession(OpenSessionRequest.fromPartial({ deviceAddress: display, leaseTtl })),
      );
      const { session } = await opened.event('OPENED');
      const before = await host(address);

      const { code, output } = await msiexec('/i', next, 'LISTEN=127.0.0.1:1', 'HOSTID=host-9');
      t.is(code, 0, output);
      t.is(readFileSync(config, 'utf8'), edited);
      t.deepEqual(await uninstallers('DisplayVersion'), ['0.1.1']);
      const after = await host(address);
      t.is(after.hostId, 'host-8');
      t.is(after.epoch, before.epoch, 'the journal goes on');
      const resumed = WatchSessionsRequest.fromPartial({ cursor: before.newestCursor });
      const watch = new Received<WatchSessionsResponse>(client.watchSessions(resumed));
      const { events } = await watch.first((message) =>
        message.events.some(({ type }) => type === SessionEventType.CLOSED),
      );
      const closed = events.find(({ type }) => type === SessionEventType.CLOSED);
      t.is(closed?.session?.sessionId, session.sessionId);
      t.is(closed?.session?.end?.reason, SessionEndReason.HOST_STOPPING);
      watch.cancel();
    },
  );

  installerTest(`${time} time: a repair brings back a file that is gone, and changes no configuration`, async (t) => {
    const lost = join(installFolder, 'service/wfdd.cjs');
    const before = [readFileSync(lost, 'utf8'), readFileSync(config, 'utf8')];
    rmSync(lost);
    const { code, output } = await msiexec('/i', next, 'REINSTALL=ALL', 'REINSTALLMODE=amus');
    t.is(code, 0, output);
    t.deepEqual([readFileSync(lost, 'utf8'), readFileSync(config, 'utf8')], before);
    t.is((await host(address)).hostId, 'host-8');
  });

  installerTest(`${time} time: removed, it leaves its data and nothing else`, async (t) => {
    const { code, output } = await msiexec('/x', next);
    t.is(code, 0, output);
    // What a process had loaded that has only just ended may be held a moment longer: Windows
    // removes it at its next start.
    const left = existsSync(installFolder) ? filesIn(installFolder, () => true).map(([path]) => path) : [];
    t.deepEqual(
      left.filter((path) => !/\.(exe|node|dll)$/.test(path)),
      [],
    );
    t.true(existsSync(config));
    t.deepEqual(await uninstallers('DisplayVersion'), []);
    t.deepEqual(
      (await machinePath()).filter((part) => part.includes('wfdd')),
      [],
    );
    t.is((await run('sc.exe', 'query', 'wfdd')).code, NO_SUCH_SERVICE);
  });

  installerTest(`${time} time: with REMOVEDATA=1 the data go too, but not at an upgrade`, async (t) => {
    t.timeout(180_000);
    t.is((await msiexec('/i', old, 'START=0')).code, 0);
    t.false(await isRunning(), 'START=0');
    t.is((await msiexec('/i', next, 'REMOVEDATA=1', 'START=0')).code, 0);
    t.true(existsSync(config));
    t.is((await msiexec('/x', next, 'REMOVEDATA=1')).code, 0);
    t.false(existsSync(dataFolder));
  });

  installerTest(`${time} time: a service that can't start fails no installation, and says why`, async (t) => {
    t.timeout(180_000);
    const { code, output } = await msiexec('/i', old, 'LISTEN=nonsense');
    t.is(code, 0, output);
    t.false(await isRunning());
    const started = await wfdd('service', 'start');
    t.regex(started.output, /its configuration is invalid/);
    // The file is somebody's by now: an upgrade takes it as it is, wrong as it is.
    t.is((await msiexec('/i', next)).code, 0);
    t.true(readFileSync(config, 'utf8').includes('nonsense'));
    t.is((await msiexec('/x', next, 'REMOVEDATA=1')).code, 0);
  });
}

installerTest('an installation that can do no more takes back what it did', async (t) => {
  // A file where the folder of the service has to be: `wfdd service install` refuses it.
  mkdirSync(join(dataFolder, '..'), { recursive: true });
  writeFileSync(dataFolder, '');
  t.teardown(() => rmSync(dataFolder));
  t.not((await msiexec('/i', old)).code, 0);
  t.deepEqual(await uninstallers('DisplayVersion'), []);
  t.false(existsSync(join(installFolder, 'node.exe')));
});
