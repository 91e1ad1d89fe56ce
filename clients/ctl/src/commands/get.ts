/** `wfdctl get`: everything that the host knows about one session. */
import type { Command } from 'commander';
import { EXIT, type ExitCode } from '../exit-code.js';
import type { Invocation } from '../invocation.js';
import { sessionAt } from '../text/messages.js';
import { describeSession } from '../text/session.js';
import { addCallTimeout, type CallOptions, examples, type Run } from './command.js';
import { hostNow } from './session-answer.js';

export function declareGet(program: Command, run: Run): Command {
  return addCallTimeout(program.command('get'))
    .description('Show all details of a session. The host keeps them for a while after its end.')
    .argument('<session>', 'id of the session')
    .action((id: string, options: CallOptions) => run((invocation) => get(id, options, invocation)))
    .addHelpText('after', examples('get my-session', 'get my-session -o yaml'));
}

async function get(id: string, { timeout }: CallOptions, invocation: Invocation): Promise<ExitCode> {
  const { sessions } = await invocation.client();
  const answer = sessions.get(id, { timeoutMs: timeout });
  const found = await invocation.pending(`Waiting for ${invocation.host}`, answer);
  invocation.output.result({
    text: (style) => describeSession(found.session, found.cursor, style, hostNow(found)),
    message: () => sessionAt(found),
    names: () => [found.session.sessionId],
  });
  return EXIT.ok;
}
