/** `wfdctl renew`: extends the lease of a session. */
import type { Command } from 'commander';
import type { ExitCode } from '../exit-code.js';
import type { Invocation } from '../invocation.js';
import { duration } from '../operands.js';
import { addCallTimeout, type CallOptions, examples, type Run } from './command.js';
import { printSession } from './session-answer.js';

interface RenewOptions extends CallOptions {
  /** In ms. */
  readonly ttl?: number;
}

export function declareRenew(program: Command, run: Run): Command {
  return addCallTimeout(program.command('renew'))
    .description('Renew the lease of a session. The new lease starts now.')
    .argument('<session>', 'id of the session')
    .option('--ttl <duration>', 'length of the new lease (default: the length of the last one)', duration)
    .action((id: string, options: RenewOptions) => run((invocation) => renew(id, options, invocation)))
    .addHelpText('after', examples('renew my-session', 'renew my-session --ttl 5m'));
}

async function renew(id: string, { ttl, timeout }: RenewOptions, invocation: Invocation): Promise<ExitCode> {
  const { sessions } = await invocation.client();
  const answer = sessions.renew(id, { leaseTtlMs: ttl, timeoutMs: timeout });
  return printSession(await invocation.pending(`Renewing the lease of session ${id}`, answer), invocation);
}
