/** `wfdd doctor`: what was typed -> what is to be looked at. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { LoadedConfig } from './load.js';
import type { ConfigError } from './problem.js';

export interface DoctorChoice {
  readonly action: 'doctor';
  readonly json: boolean;
  /** The device that a session is opened to, as `aa:bb:cc:dd:ee:ff`. */
  readonly open: string | undefined;
  readonly holdMs: number;
  /** Where the report goes. */
  readonly report: string | undefined;
  readonly showAddresses: boolean;
  readonly endpoints: boolean;
  readonly asService: boolean;
  readonly service: string;
  /** This process is the one that is to be killed. */
  readonly isChild: boolean;
}

export interface DoctorPlan {
  readonly kind: 'doctor';
  readonly choice: DoctorChoice;
  readonly loaded: LoadedConfig | ConfigError;
}

/** The words of this command, for telling an unknown one. */
export const DOCTOR_WORDS: readonly string[] = ['doctor'];

const AFTER_HELP = `
It changes nothing, scans for nothing, and asks nothing that needs consent to
location. With --open it opens one session to a paired device and closes it,
cancels another, and kills a process that has one.

Addresses are shortened, and names of the host, the user and the devices are
taken out of everything that it writes.

Examples:
  wfdd doctor
  wfdd doctor --open 02:11:22:33:44:01 --report doctor.md
  wfdd doctor --as-service            (administrator; the service stopped)

Exit codes: 0 all is well, 1 warnings, 2 something failed, 64 usage.
`;

interface Options extends Partial<Omit<DoctorChoice, 'action' | 'holdMs'>> {
  readonly hold?: number;
}

/** Adds `wfdd doctor`. */
export function addDoctorCommand(program: Command, choose: (choice: DoctorChoice) => void): void {
  program
    .command('doctor')
    .description('Look at everything that Wi-Fi Direct on this host depends on, and say what helps.')
    .option('--json', 'As JSON.')
    .option('--open <address>', 'Also open a session to this paired device.', deviceFrom)
    .option('--hold <seconds>', 'How long that session is held.', secondsFrom, 180)
    .option('--report <file>', 'Also write a report to this file, fit to be pasted into an issue.')
    .option('--show-addresses', 'Write addresses whole.')
    .option('--endpoints', 'Also look at association endpoints, which may start a discovery.')
    .option('--as-service', 'Have the service itself look, with its account, and stop again. It must be stopped.')
    .option('--service <name>', 'The service that is looked at.', 'wfdd')
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
  throw new InvalidArgumentError('It is not of the form aa:bb:cc:dd:ee:ff.');
}

function secondsFrom(text: string): number {
  if (/^\d{1,4}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It is not a number of seconds from 0 to 9999.');
}
