/** `wfdctl cancel`: stops an open that is still pending. */
import type { Command } from 'commander';
import type { ExitCode } from '../exit-code.js';
import type { Invocation } from '../invocation.js';
import { addCallTimeout, type CallOptions, examples, type Run } from './command.js';
import { printSession } from './session-answer.js';

export function declareCancel(program: Command, run: Run): Command {
  return addCallTimeout(program.command('cancel'))
    .description('Cancel a session that is still opening.')
    .argument('<session>', 'id of the session')
    .action((id: string, options: CallOptions) => run((invocation) => cancel(id, options, invocation)))
    .addHelpText('after', examples('cancel my-session'));
}

async function cancel(id: string, { timeout }: CallOptions, invocation: Invocation): Promise<ExitCode> {
  const { sessions } = await invocation.client();
  const answer = sessions.cancel(id, { timeoutMs: timeout });
  return printSession(await invocation.pending(`Cancelling session ${id}`, answer), invocation);
}
