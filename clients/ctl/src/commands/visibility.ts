/** `wfdctl visibility`: whether a device is in reach of the host. */
import type { Command } from 'commander';
import { EXIT, type ExitCode } from '../exit-code.js';
import type { Invocation } from '../invocation.js';
import { duration } from '../operands.js';
import { visibility as visibilityMessage } from '../text/messages.js';
import { printable } from '../text/printable.js';
import { examples, type Run } from './command.js';

interface VisibilityOptions {
  /** How long to search, in ms. */
  readonly timeout?: number;
}

export function declareVisibility(program: Command, run: Run): Command {
  return program
    .command('visibility')
    .description('Search for a device by radio, and report whether it is visible.')
    .argument('<address>', 'address of the device')
    .option('--timeout <duration>', 'how long to search (default: 15s)', duration)
    .action((address: string, options: VisibilityOptions) =>
      run((invocation) => visibility(address, options, invocation)),
    )
    .addHelpText('after', examples('visibility 02:11:22:33:44:01'));
}

/** Succeeds whether or not the device is visible. Times out if the search did not complete. */
async function visibility(address: string, { timeout }: VisibilityOptions, invocation: Invocation): Promise<ExitCode> {
  const client = await invocation.client();
  const answer = client.devices.updateVisibility(address, { discoveryTimeoutMs: timeout });
  const found = await invocation.pending(`Searching for ${address}`, answer);
  const { device, discoveryCompleted } = found;
  const name = printable([device.deviceAddress, device.name].filter(Boolean).join(' '));
  const state = device.isVisible ? 'visible' : 'not visible';
  const text = discoveryCompleted
    ? `${name} is ${state}.\n`
    : `The search for ${name} has not finished; it was ${state} before. Run this again, or give a longer --timeout.\n`;
  invocation.output.result({
    text: () => text,
    message: () => visibilityMessage(found),
    names: () => [device.deviceAddress],
  });
  return discoveryCompleted ? EXIT.ok : EXIT.timedOut;
}
