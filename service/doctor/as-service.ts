/**
 * `wfdd doctor --as-service`: starts the service once to run the checks with its own account, in
 * its own session. The service writes its report to its log folder and stops without serving.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DoctorChoice } from '../commands/doctor.js';
import { foldersOf } from '../windows-service/folders.js';
import { DOCTOR_ARGUMENT } from '../windows-service/run.js';
import { ServiceError } from '../windows-service/service-error.js';
import { Services } from '../windows-service/services.js';
import { diagnose, type Report } from './doctor.js';
import { type Self, thisHost } from './this-host.js';

/** The options that are passed to the service. */
type Wish = Pick<DoctorChoice, 'open' | 'holdMs' | 'showAddresses' | 'endpoints' | 'service'>;

const reportIn = (folder: string) => join(folder, 'doctor.json');

/** In the service: runs the checks and writes the report. */
export async function leaveReport(wish: string, self: Self, logFolder: string): Promise<void> {
  const choice = JSON.parse(wish) as Wish;
  const report = await diagnose(await thisHost(choice, self, true), choice);
  writeFileSync(reportIn(logFolder), JSON.stringify(report));
}

/** In the console: returns the report of the service, or why there is none. */
export async function askService(choice: DoctorChoice, environment: NodeJS.ProcessEnv): Promise<Report | string> {
  if (process.platform !== 'win32') return '--as-service works on Windows only. Run wfdd doctor without it.';
  const { loadAdvapi32 } = await import('../../native/advapi32.js');
  const { service: name, open, holdMs, showAddresses, endpoints } = choice;
  const file = reportIn(foldersOf(name, environment).logs);
  const wish: Wish = { open, holdMs, showAddresses, endpoints, service: name };
  try {
    const answer = await new Services(loadAdvapi32()).find(name, 'start', async (service) => {
      const before = await service.look();
      if (before.state !== 'stopped') return `the service ${name} is ${before.state}. Stop it first: wfdd service stop`;
      rmSync(file, { force: true });
      await service.start([name, DOCTOR_ARGUMENT, JSON.stringify(wish)]);
      await service.settle(() => {});
      return readFileSync(file, 'utf8');
    });
    if (answer === undefined) return `the service ${name} is not installed. Run wfdd service install.`;
    return answer.startsWith('{') ? (JSON.parse(answer) as Report) : answer;
  } catch (error) {
    if (error instanceof ServiceError) return error.message;
    const { logs } = foldersOf(name, environment);
    return `the service wrote no report (${(error as Error).message}). Its log: ${logs}`;
  } finally {
    forget(file);
  }
}

/** Deletes the report, ignoring errors. */
function forget(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // The next run overwrites it.
  }
}
