/**
 * What can go wrong with a service, under Wine's service control manager: each is said, and none
 * leaves it hanging.
 */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { EXIT } from '../../service/commands/command-line.js';
import { display } from '../harness/gateway.js';
import { startNode } from './bundle.js';
import { lacks } from './machine.js';
import {
  closeServices,
  log,
  openServices,
  openSession,
  run,
  service,
  serviceAsTyped,
  serviceName,
  simulated,
  status,
} from './service.js';
import { windowsTest } from './windows-test.js';
import { windowsPath } from './wine.js';

if (lacks.length === 0) {
  test.before(openServices);
  test.after.always(closeServices);
}

/** Starts the service with these flags, and opens a session in it. */
async function sessionIn(t: ExecutionContext, ...more: string[]) {
  t.is((await service('install', ...simulated, ...more)).code, EXIT.ok);
  const started = await service('start');
  t.is(started.code, EXIT.ok, started.output);
  return openSession(t);
}

windowsTest('a stop that takes long reports progress', async (t) => {
  const { session, world } = await sessionIn(
    t,
    ...['--set', 'shutdown.graceMs=120000', '--set', 'session.closeTimeoutMs=120000'],
  );
  await world.scriptClose({ deviceAddress: display, delayMs: 'never' });
  const stopping = service('stop');
  await session.event('CLOSING');
  const first = await status();
  t.true(first.checkPoint >= 1);
  let later = first;
  while (later.state === 'stopping' && later.checkPoint === first.checkPoint) later = await status();
  await world.dropLink(display);
  t.is((await stopping).code, EXIT.ok);
  t.deepEqual([first.state, later.state], ['stopping', 'stopping']);
  t.true(later.checkPoint > first.checkPoint, `${first.checkPoint}, ${later.checkPoint}`);
});

windowsTest('a drain that exceeds its limit ends the process all the same', async (t) => {
  const { world } = await sessionIn(t, '--set', 'shutdown.graceMs=2000');
  await world.scriptCall({ function: 'WFDCloseSession', blockMs: 'never' });
  const { processId } = await status();
  const stopped = await service('stop');
  t.is(stopped.code, EXIT.ok, stopped.output);
  const after = await status();
  t.deepEqual([after.state, after.exitCode, after.processId], ['stopped', 0, undefined]);
  t.is(log().at(-1)?.event, 'stop-incomplete');
  const isAlive = startNode(
    '-e',
    `try { process.kill(${processId}, 0); console.log('alive') } catch { console.log('gone') }`,
  );
  t.is(await isAlive.line((text) => /alive|gone/.test(text)), 'gone');
  await isAlive.close();
});

windowsTest(
  'what others could change is installed only by who answers for it, and never for LocalSystem',
  async (t) => {
    await service('uninstall');
    const refused = await serviceAsTyped('install', ...simulated);
    t.is(refused.code, EXIT.service, refused.output);
    t.regex(refused.output, /Put the program below Program Files.*--allow-unprotected/s);
    const system = await service('install', ...simulated, '--account', 'LocalSystem');
    t.is(system.code, EXIT.service, system.output);
    t.regex(system.output, /has no effect/);
    t.is((await status()).isInstalled, false);
  },
);

windowsTest('a configuration that has gone wrong is named, by start and by status', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'wfdd-service-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'a file with spaces.yaml');
  writeFileSync(file, 'log: { level: debug }\n');
  const installed = await service('install', ...simulated, '--config', windowsPath(file));
  t.is(installed.code, EXIT.ok, installed.output);
  writeFileSync(file, 'log: { levle: debug }\n');
  const started = await service('start');
  t.is(started.code, EXIT.service, started.output);
  t.regex(started.output, /its configuration is invalid/);
  t.is((await status()).serviceExitCode, EXIT.config);
  t.regex(String(log().at(-1)?.['msg']), /levle/);
});

windowsTest('an address that is taken is named in the log', async (t) => {
  const other = createServer().listen(0, '127.0.0.1');
  t.teardown(() => other.close());
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  t.is((await service('install', '--driver', 'simulator', '--listen', `127.0.0.1:${port}`)).code, EXIT.ok);
  const started = await service('start');
  t.is(started.code, EXIT.service, started.output);
  t.is((await status()).serviceExitCode, EXIT.address);
  t.is(log().at(-1)?.event, 'start-failed');
});

windowsTest('a service of that name that is not wfdd is left alone', async (t) => {
  const name = `${serviceName}-other`;
  t.is((await run('sc.exe', 'create', name, 'binPath=', 'C:\\windows\\system32\\notepad.exe')).code, 0);
  for (const verb of ['install', 'stop', 'uninstall']) {
    const { code, output } = await service(verb, '--name', name);
    t.is(code, EXIT.service);
    t.regex(output, /is not wfdd: it runs .*notepad\.exe/);
  }
  t.is((await run('sc.exe', 'delete', name)).code, 0);
});

windowsTest('nobody runs it as a service but Windows', async (t) => {
  const { code, output } = await service('run');
  t.is(code, EXIT.usage);
  t.regex(output, /only Windows can run this command/);
});
