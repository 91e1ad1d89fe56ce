/** Runs `wfdd doctor` and prints its results. */
import { writeFileSync } from 'node:fs';
import { EXIT } from '../commands/command-line.js';
import type { DoctorChoice, DoctorPlan } from '../commands/doctor.js';
import { askService } from './as-service.js';
import { diagnose, type Report } from './doctor.js';
import { checkText, DOCTOR_EXIT, reportMarkdown, summaryText } from './report.js';
import { openAndStay } from './session-check.js';
import { thisHost } from './this-host.js';

/** Runs the command and returns the exit code. */
export async function runDoctor(
  { choice, loaded }: DoctorPlan,
  version: string,
  environment: NodeJS.ProcessEnv,
): Promise<number> {
  const { showAddresses, json } = choice;
  const write = (text: string) => new Promise<void>((resolve) => process.stdout.write(text, () => resolve()));
  const tell = (text: string) => {
    if (!json) process.stdout.write(text);
  };
  let report: Report;
  if (choice.asService) {
    const answer = await askService(choice, environment);
    if (typeof answer === 'string') {
      process.stderr.write(`error: ${answer}\n`);
      return EXIT.service;
    }
    report = answer;
    for (const checked of report.checks) tell(checkText(checked));
  } else {
    const host = await thisHost(choice, { loaded, version, environment }, false);
    if (choice.isChild) {
      await openAndStay(host.native, choice.open ?? '', (text) => process.stdout.write(text));
      return EXIT.ok;
    }
    report = await diagnose(host, { showAddresses, tell: (checked) => tell(checkText(checked)) });
  }
  await write(json ? `${JSON.stringify(report, null, 2)}\n` : summaryText(report));
  return (await writeReport(choice, report, write)) ? DOCTOR_EXIT[report.state] : EXIT.denied;
}

async function writeReport(
  { report: file, json }: DoctorChoice,
  report: Report,
  write: (text: string) => Promise<void>,
): Promise<boolean> {
  if (file === undefined) return true;
  try {
    writeFileSync(file, reportMarkdown(report));
  } catch (error) {
    process.stderr.write(`error: cannot write the report: ${(error as Error).message}\n`);
    return false;
  }
  if (!json) await write(`Wrote the report to ${file}. Read it before you share it.\n`);
  return true;
}
