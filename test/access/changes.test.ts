/**
 * Every change of a session by every kind of caller, and who sees whose sessions: a new RPC must be
 * put into the table.
 */
import { status } from '@grpc/grpc-js';
import test from 'ava';
import {
  CancelOpenSessionRequest,
  CloseSessionRequest,
  ListSessionsRequest,
  OpenSessionRequest,
  RenewSessionRequest,
  WatchSessionsRequest,
} from '../../proto/gen/wifidirect/v1/session_service.js';
import { permissions } from '../../service/access/permissions.js';
import { call, Received } from '../harness/calls.js';
import { type Clients, display, Host, misuses } from '../harness/host.js';
import { Files } from './files.js';

const files = new Files();
test.after.always(() => files[Symbol.dispose]());

const roles: { role: 'operator' | 'viewer' | 'admin'; principals: string[] }[] = [
  { role: 'operator', principals: ['owner', 'stranger', 'onlooker'] },
  { role: 'viewer', principals: ['onlooker', 'wall'] },
  { role: 'admin', principals: ['root'] },
];
const callers = ['stranger', 'onlooker', 'wall', 'owner', 'root'] as const;
const sessionId = 'of-owner';

/** By RPC: the call, and its status for who may do it, as the session is open. */
const changes: Readonly<Record<string, { ask: (clients: Clients) => Promise<unknown>; allowed: status }>> = {
  CancelOpenSession: {
    ask: ({ sessions }) =>
      call(sessions.cancelOpenSession.bind(sessions), CancelOpenSessionRequest.fromPartial({ sessionId })),
    allowed: status.FAILED_PRECONDITION,
  },
  RenewSession: {
    ask: ({ sessions }) => call(sessions.renewSession.bind(sessions), RenewSessionRequest.fromPartial({ sessionId })),
    allowed: status.OK,
  },
  // The last, as it ends the session; then it is OK for who may.
  CloseSession: {
    ask: ({ sessions }) => call(sessions.closeSession.bind(sessions), CloseSessionRequest.fromPartial({ sessionId })),
    allowed: status.OK,
  },
};

test.serial(
  'a change of a session is for its owner and for admins; others are told no more than they may see',
  async (t) => {
    const names = Object.entries(permissions).flatMap(([rpc, { changes: isChange }]) =>
      isChange && rpc.startsWith('wifidirect.v1.SessionService/') ? [rpc.split('/')[1]] : [],
    );
    t.deepEqual(names.sort(), [...Object.keys(changes), 'OpenSession'].sort());
    const tokens = Object.fromEntries(callers.map((name) => [name, `token-of-${name}`]));
    const tokensFile = files.writeTokens(tokens);
    await using host = await Host.start({ access: { mode: 'authenticated', tokensFile, roles } });
    const clients = new Map(callers.map((name) => [name, host.clients(tokens[name])] as const));
    const { sessions } = clients.get('owner') as Clients;
    const fields = { sessionId, deviceAddress: display, leaseTtl: { seconds: 60n } };
    await using opened = new Received(sessions.openSession(OpenSessionRequest.fromPartial(fields)));
    await opened.first(({ event }) => event?.session?.openTime !== undefined);

    const seen: Record<string, number> = {};
    const watches = new Map<string, Received<unknown>>();
    for (const [name, { sessions: of }] of clients) {
      const list = await call(of.listSessions.bind(of), ListSessionsRequest.fromPartial({}));
      seen[name] = list.sessions.length;
      const watch = new Received(
        of.watchSessions(WatchSessionsRequest.fromPartial({ bookmarkInterval: { seconds: 1n } })),
      );
      watches.set(name, watch);
      const { snapshot } = await watch.first(({ snapshotComplete }) => snapshotComplete);
      t.is(snapshot.length, seen[name], `the snapshot of ${name}`);
    }
    t.deepEqual(seen, { stranger: 0, onlooker: 1, wall: 1, owner: 1, root: 1 });

    for (const [rpc, { ask, allowed }] of Object.entries(changes)) {
      const codes: Record<string, string | undefined> = {};
      for (const [name, each] of clients) {
        const code = await ask(each).then(
          () => status.OK,
          (error: { code: status }) => error.code,
        );
        codes[name] = status[code];
      }
      const may = status[allowed];
      const wanted = {
        stranger: 'NOT_FOUND',
        onlooker: 'PERMISSION_DENIED',
        wall: 'PERMISSION_DENIED',
        owner: may,
        root: may,
      };
      t.deepEqual(codes, wanted, rpc);
    }

    for (const [name, watch] of watches) {
      const messages = () => watch.messages as { events: unknown[]; snapshot: unknown[] }[];
      // What came of the close, or, for who may not see it, a bookmark after it.
      await watch.first(
        () => messages().some(({ events }) => events.length > 0) || (name === 'stranger' && messages().length > 1),
      );
      t.is(
        messages().some(({ events }) => events.length > 0),
        name !== 'stranger',
        `the events of ${name}`,
      );
      watch.cancel();
    }
    t.deepEqual(misuses(), []);
  },
);
