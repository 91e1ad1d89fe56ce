/** `wfdctl watch`: the events of sessions, one per line. */
import type { Command } from 'commander';
import type { Change, SessionEvent, SessionSnapshot } from '../../../typescript/src/client.js';
import type { ExitCode } from '../exit-code.js';
import { type FollowOptions, follow, type View } from '../follow.js';
import type { Invocation } from '../invocation.js';
import { duration } from '../operands.js';
import { watchedSessions } from '../text/messages.js';
import { headerOfSessions, lineOfSession, lineOfSnapshot } from '../text/time-line.js';
import { examples, type Run } from './command.js';

export function declareWatch(program: Command, run: Run): Command {
  return program
    .command('watch')
    .description('Show the events of sessions, from now or from a cursor, until Ctrl+C.')
    .argument('[session...]', 'ids of the sessions, which need not exist yet (default: all)')
    .option('--since <cursor>', 'continue after this cursor (default: start with a snapshot)')
    .option('-v, --verbose', 'also show bookmarks: cursors of times when nothing happened')
    .option('--timeout <duration>', 'how long to watch (default: until Ctrl+C)', duration)
    .action((ids: string[], options: FollowOptions) => run((invocation) => watch(ids, options, invocation)))
    .addHelpText('after', examples('watch', 'watch my-session --since 5f0c2a9e1b7d4e63.41 -o json'));
}

async function watch(ids: readonly string[], options: FollowOptions, invocation: Invocation): Promise<ExitCode> {
  const { sessions } = await invocation.client();
  const items = sessions.watch({ cursor: options.since, sessionIds: ids });
  return follow({ items, view: VIEW, options }, invocation);
}

const VIEW: View<SessionSnapshot, Change<SessionEvent>> = {
  header: headerOfSessions,
  snapshot: (item, style) => item.sessions.map((session) => lineOfSnapshot(session, style)).join(''),
  change: ({ event }, style) => lineOfSession(event, style),
  message: watchedSessions,
};
