/** `wfdctl list`: the sessions of a host. */
import type { Command } from 'commander';
import { SessionState } from '../../../../proto/gen/wifidirect/v1/session.js';
import type { Session, SessionPage } from '../../../typescript/src/client.js';
import { CliError } from '../cli-error.js';
import { EXIT, type ExitCode } from '../exit-code.js';
import type { Invocation } from '../invocation.js';
import { type StateName, states } from '../operands.js';
import { listSessions } from '../text/messages.js';
import { listOfSessions } from '../text/session.js';
import { addCallTimeout, type CallOptions, examples, type Run } from './command.js';
import { hostNow } from './session-answer.js';

interface ListOptions extends CallOptions {
  readonly state?: readonly StateName[];
  /** An address. */
  readonly device?: string;
  readonly owner?: string;
  /** Also lists sessions that have ended. */
  readonly all?: boolean;
}

export function declareList(program: Command, run: Run): Command {
  return addCallTimeout(program.command('list'))
    .description('List the active sessions.')
    .option('--all', 'also list sessions that ended recently')
    .option('--state <states>', 'only sessions in these states, such as open,closing', states)
    .option('--device <address>', 'only sessions with this device')
    .option('--owner <principal>', 'only sessions of this owner')
    .action((options: ListOptions) => run((invocation) => list(options, invocation)))
    .addHelpText(
      'after',
      examples(
        'list',
        'list --all -o wide',
        'list --state opening,open --owner agent-7',
        'list --device 02:11:22:33:44:01 -o json',
      ),
    );
}

const ACTIVE = ['OPENING', 'OPEN', 'CANCELLING', 'CLOSING'] as const satisfies StateName[];

/** The largest page that a host sends. */
const PAGE_SIZE = 1000;

async function list(options: ListOptions, invocation: Invocation): Promise<ExitCode> {
  const { state, device, owner, all = false, timeout: timeoutMs } = options;
  if (all && state !== undefined)
    throw new CliError('usage', '--all includes every state; remove either --all or --state.');
  const client = await invocation.client();
  const wanted = (state ?? (all ? [] : ACTIVE)).map((name) => SessionState[name]);
  const pages = client.sessions.list({ states: wanted, deviceAddress: device, pageSize: PAGE_SIZE, timeoutMs });
  const { sessions: found, ...at } = await invocation.pending(`Waiting for ${invocation.host}`, readAll(pages));
  const owned = owner === undefined ? found : found.filter((session) => session.owner === owner);
  const sessions = [...owned].sort((one, other) => Number(isActive(other)) - Number(isActive(one)));
  const none = all || state !== undefined ? 'No sessions.\n' : 'No active sessions; --all also lists ended ones.\n';
  invocation.output.result({
    text: (style) => (sessions.length === 0 ? none : listOfSessions(sessions, style, hostNow(at))),
    message: () => listSessions(sessions, at.cursor, at.hostTime),
    names: () => sessions.map(({ sessionId }) => sessionId),
  });
  return EXIT.ok;
}

function isActive({ state }: Session): boolean {
  return ACTIVE.some((name) => SessionState[name] === state);
}

/**
 * All pages as one. The cursor is that of the first page: a watch that starts there misses no event
 * that happened while the other pages were read.
 */
async function readAll(pages: AsyncIterable<SessionPage>): Promise<SessionPage> {
  const sessions: Session[] = [];
  let first: SessionPage | undefined;
  for await (const page of pages) {
    first ??= page;
    sessions.push(...page.sessions);
  }
  return { sessions, cursor: first?.cursor ?? '', hostTime: first?.hostTime };
}
