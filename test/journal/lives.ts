/** Daemons that keep a journal, one after another on the same folder. */
import type { ExecutionContext } from 'ava';
import { isWine, startSimulated } from '../harness/daemon.js';
import { Gateway } from '../harness/gateway.js';
import { windowsPath } from '../windows/wine.js';

/** A daemon on this folder; it is killed at the end of the test, if it still lives. */
export async function life(t: ExecutionContext, folder: string, ...flags: string[]): Promise<Gateway> {
  const journalFolder = isWine ? windowsPath(folder) : folder;
  const gateway = new Gateway(await startSimulated('--journal-folder', journalFolder, ...flags));
  t.teardown(async () => {
    gateway.disconnect();
    await gateway.daemon.kill();
  });
  return gateway;
}

export async function killed(gateway: Gateway): Promise<void> {
  gateway.disconnect();
  await gateway.daemon.kill();
}
