/** The command line of `wfdd doctor`. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { LoadedConfig } from '../config/load.js';
import type { ConfigError } from '../config/problem.js';

export interface DoctorChoice {
  readonly action: 'doctor';
  readonly json: boolean;
  /** The device to open a session to, as `aa:bb:cc:dd:ee:ff`. */
  readonly open: string | undefined;
  readonly holdMs: number;
  /** The file to write the report to. */
  readonly report: string | undefined;
  readonly showAddresses: boolean;
  readonly endpoints: boolean;
  readonly asService: boolean;
  readonly service: string;
  /** This process is the child that the doctor kills. */
  readonly isChild: boolean;
}

export interface DoctorPlan {
  readonly kind: 'doctor';
  readonly choice: DoctorChoice;
  readonly loaded: LoadedConfig | ConfigError;
}

/** The words of this command; any other word on the command line is unknown. */
export const DOCTOR_WORDS: readonly string[] = ['doctor'];

const AFTER_HELP = `
The doctor changes nothing, starts no scan, and calls nothing that needs consent
to location access. With --open it opens a session to a paired device and closes
it, cancels a second one, and kills a process that holds a third.

Its output has shortened addresses, and no names of the host, the user and the
devices.

Examples:
  wfdd doctor
  wfdd doctor --open 02:11:22:33:44:01 --report doctor.md
  wfdd doctor --as-service            (as administrator, service stopped)

Exit codes: 0 no problems, 1 warnings, 2 a check failed, 64 usage.
`;

interface Options extends Partial<Omit<DoctorChoice, 'action' | 'holdMs'>> {
  readonly hold?: number;
}

/** Adds `wfdd doctor`. */
export function addDoctorCommand(program: Command, choose: (choice: DoctorChoice) => void): void {
  program
    .command('doctor')
    .description('Check everything that Wi-Fi Direct on this host depends on, and suggest remedies.')
    .option('--json', 'Print JSON.')
    .option('--open <address>', 'Also open a session to this paired device.', deviceFrom)
    .option('--hold <seconds>', 'How long to hold that session.', secondsFrom, 180)
    .option('--report <file>', 'Also write a Markdown report to this file, to paste into an issue.')
    .option('--show-addresses', 'Do not shorten addresses.')
    .option('--endpoints', 'Also check association endpoints. This can start a discovery.')
    .option('--as-service', 'Run the checks inside the Windows service, with its account. The service must be stopped.')
    .option('--service <name>', 'The Windows service to check.', 'wfdd')
    .addOption(new Option('--is-child').hideHelp())
    .addHelpText('after', AFTER_HELP)
    .action((options: Options) => {
      const { json = false, open, hold = 180, report, service = 'wfdd' } = options;
      const { showAddresses = false, endpoints = false, asService = false, isChild = false } = options;
      choose({
        ...{ action: 'doctor', json, open, holdMs: hold * 1000, report, service },
        ...{ showAddresses, endpoints, asService, isChild },
      });
    });
}

function deviceFrom(text: string): string {
  const address = text.toLowerCase().replaceAll('-', ':');
  if (/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(address)) return address;
  throw new InvalidArgumentError('Expected an address like aa:bb:cc:dd:ee:ff.');
}

function secondsFrom(text: string): number {
  if (/^\d{1,4}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Expected a number of seconds from 0 to 9999.');
}
