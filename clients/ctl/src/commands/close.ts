/** `wfdctl close`: closes a session, or cancels it if it is still opening. */
import type { Command } from 'commander';
import type { ExitCode } from '../exit-code.js';
import type { Invocation } from '../invocation.js';
import { addCallTimeout, type CallOptions, examples, type Run } from './command.js';
import { printSession } from './session-answer.js';

interface CloseOptions extends CallOptions {
  readonly wait?: boolean;
}

export function declareClose(program: Command, run: Run): Command {
  return addCallTimeout(program.command('close'))
    .description('Close a session. If it is still opening, its open is cancelled.')
    .argument('<session>', 'id of the session')
    .option('--wait', 'wait until the session has ended (no default timeout)')
    .action((id: string, options: CloseOptions) => run((invocation) => close(id, options, invocation)))
    .addHelpText('after', examples('close my-session', 'close my-session --wait'));
}

async function close(id: string, options: CloseOptions, invocation: Invocation): Promise<ExitCode> {
  const { wait = false, timeout: timeoutMs } = options;
  const { sessions } = await invocation.client();
  const answer = sessions.close(id, { wait, timeoutMs });
  return printSession(await invocation.pending(`Closing session ${id}`, answer), invocation);
}
