/** `wfdctl health`: whether a host can serve requests. */
import type { Command } from 'commander';
import { EXIT, type ExitCode } from '../exit-code.js';
import type { Invocation } from '../invocation.js';
import { reasonOf } from '../text/host.js';
import { paintOf } from '../text/style.js';
import { addCallTimeout, type CallOptions, examples, type Run } from './command.js';

export function declareHealth(program: Command, run: Run): Command {
  return addCallTimeout(program.command('health'))
    .description(`Check whether the host can serve requests. If not, exit with code ${EXIT.unavailable}.`)
    .argument('[service]', 'name of a gRPC service of the host (default: the host as a whole)')
    .action((service: string | undefined, options: CallOptions) =>
      run((invocation) => health(service, options, invocation)),
    )
    .addHelpText('after', examples('health', 'health wifidirect.v1.SessionService'));
}

async function health(service = '', options: CallOptions, invocation: Invocation): Promise<ExitCode> {
  const { timeout: timeoutMs } = options;
  invocation.output.refuseNames();
  const client = await invocation.client();
  const status = await invocation.pending(`Waiting for ${invocation.host}`, client.health(service, { timeoutMs }));
  invocation.output.result({
    text: (style) => `${paintOf(style, status)(status)}\n`,
    message: () => ({ status }),
  });
  if (status === 'SERVING') return EXIT.ok;
  // The reason comes from HostService, which may deny a caller that may check the health.
  const reason = await client.host({ timeoutMs }).then(reasonOf, () => undefined);
  if (reason !== undefined) invocation.output.warn(reason);
  return EXIT.unavailable;
}
