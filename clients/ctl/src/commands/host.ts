/** `wfdctl host`: the state, driver and limits of a host. */
import type { Command } from 'commander';
import { EXIT, type ExitCode } from '../exit-code.js';
import type { Invocation } from '../invocation.js';
import { describeHost, hostMessage } from '../text/host.js';
import { addCallTimeout, type CallOptions, examples, type Run } from './command.js';

export function declareHost(program: Command, run: Run): Command {
  return addCallTimeout(program.command('host'))
    .description('Show the state, the driver and the limits of the host.')
    .action((options: CallOptions) => run((invocation) => host(options, invocation)))
    .addHelpText('after', examples('host', 'host -o json'));
}

async function host({ timeout: timeoutMs }: CallOptions, invocation: Invocation): Promise<ExitCode> {
  invocation.output.refuseNames();
  const client = await invocation.client();
  const found = await invocation.pending(`Waiting for ${invocation.host}`, client.host({ timeoutMs }));
  invocation.output.result({ text: (style) => describeHost(found, style), message: () => hostMessage(found) });
  return EXIT.ok;
}
