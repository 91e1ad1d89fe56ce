/** Scenarios: each row of the error table that a client can meet, but those of watches. */
import { equal, match, ok } from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { display, robot, scanner } from '../../harness/gateway.js';
import type { ErrorItem } from '../protocol.js';
import { eventOf, matches, type Scenario, type Stage } from '../scenario.js';

const nowhere = '02:aa:aa:aa:aa:aa';
const nothing = 'no-such-session';

const opening = (request: object = {}) => ({ deviceAddress: display, ...request });

interface Row {
  readonly reason: string;
  readonly code: string;
  /** Brings it about. */
  readonly ask: (stage: Stage) => Promise<ErrorItem>;
  /** What else the library tells of it. */
  readonly tells?: Partial<ErrorItem>;
}

const rows: readonly Row[] = [
  {
    reason: 'INVALID_FIELD',
    code: 'INVALID_ARGUMENT',
    ask: ({ client }) => client.refusal('open', opening({ deviceAddress: 'nonsense' })),
    tells: { fields: ['device_address'], metadata: { field: 'device_address' } },
  },
  {
    reason: 'REQUEST_ID_REUSED',
    code: 'INVALID_ARGUMENT',
    ask: async ({ client }) => {
      const requestId = randomUUID();
      await eventOf(client.do('open', opening({ requestId })), 'OPENING');
      const error = await client.refusal('open', opening({ deviceAddress: scanner, requestId }));
      matches(error, { metadata: { request_id: requestId } });
      return error;
    },
  },
  {
    reason: 'SESSION_ALREADY_EXISTS',
    code: 'ALREADY_EXISTS',
    ask: async ({ client }) => {
      const sessionId = randomUUID();
      await eventOf(client.do('open', opening({ sessionId })), 'OPENING');
      const error = await client.refusal('open', opening({ sessionId }));
      matches(error, { metadata: { session_id: sessionId } });
      return error;
    },
  },
  {
    reason: 'SESSION_NOT_FOUND',
    code: 'NOT_FOUND',
    ask: async ({ client }) => {
      for (const what of ['close', 'cancel', 'renew'] as const) {
        matches(await client.refusal(what, { sessionId: nothing }), { reason: 'SESSION_NOT_FOUND' });
      }
      return client.refusal('get', { sessionId: nothing });
    },
    tells: { metadata: { session_id: nothing } },
  },
  {
    reason: 'DEVICE_NOT_FOUND',
    code: 'NOT_FOUND',
    ask: ({ client }) => client.refusal('find', { deviceAddress: nowhere }),
    tells: { metadata: { device_address: nowhere } },
  },
  {
    reason: 'SESSION_STATE_INVALID',
    code: 'FAILED_PRECONDITION',
    ask: async ({ client }) => {
      const { session } = await eventOf(client.do('open', opening()), 'OPENED');
      return client.refusal('cancel', { sessionId: session.id });
    },
    tells: { metadata: { state: 'OPEN' } },
  },
  native('WIFI_DIRECT_DISABLED_BY_POLICY', 'FAILED_PRECONDITION', {}, 5023),
  native('WLAN_SERVICE_NOT_RUNNING', 'UNAVAILABLE', { retryDelayMs: 5000 }, 1062),
  native('WLAN_SERVICE_UNREACHABLE', 'UNAVAILABLE', { retryDelayMs: 1000 }, 1722, 1723, 1726, 1727, 1753),
  native('NATIVE_LIMIT_REACHED', 'RESOURCE_EXHAUSTED', {}, 1220, 8, 14),
  native('NATIVE_HANDLE_LOST', 'INTERNAL', {}, 6, 87),
  native('HOST_ACCESS_DENIED', 'FAILED_PRECONDITION', {}, 5),
  native('DEVICE_NOT_PAIRED', 'FAILED_PRECONDITION', {}, 1168),
  native('NATIVE_ERROR', 'INTERNAL', {}, 4319),
  {
    reason: 'OPEN_FAILED',
    code: 'ABORTED',
    ask: ({ client }) => client.refusal('open', opening({ deviceAddress: robot })),
    tells: {
      metadata: { win32_code: '1460', win32_name: 'ERROR_TIMEOUT', reason_code: '163851' },
      native: {
        function: 'WFD_OPEN_SESSION_COMPLETE_CALLBACK',
        code: 1460,
        name: 'ERROR_TIMEOUT',
        reasonCode: 163851,
      },
    },
  },
  {
    reason: 'OPEN_TIMED_OUT',
    code: 'DEADLINE_EXCEEDED',
    ask: async ({ client, host }) => {
      await host.world.scriptOpen({ deviceAddress: display, delayMs: 'never' });
      return client.refusal('open', opening({ openTimeoutMs: 50 }));
    },
    tells: { metadata: { device_address: display } },
  },
  {
    reason: 'QUOTA_EXCEEDED',
    code: 'RESOURCE_EXHAUSTED',
    ask: async ({ client, host }) => {
      await host.world.scriptOpen({ delayMs: 'never', count: 3 });
      for (let held = 0; held < 3; held += 1) await eventOf(client.do('open', opening()), 'OPENING');
      return client.refusal('open', opening());
    },
    tells: { metadata: { limit: 'sessions_per_principal_max', limit_value: '3' } },
  },
  {
    reason: 'UNAUTHENTICATED',
    code: 'UNAUTHENTICATED',
    ask: async ({ client, hosts }) => {
      await client.connect(hosts.guardedAddress, hosts.credentials({}));
      return client.refusal('host', {});
    },
  },
  {
    reason: 'PERMISSION_DENIED',
    code: 'PERMISSION_DENIED',
    ask: async ({ client, hosts }) => {
      await client.connect(hosts.guardedAddress, hosts.credentials({ token: 'token-of-viewer' }));
      return client.refusal('open', opening());
    },
    tells: { metadata: { rpc: 'wifidirect.v1.SessionService/OpenSession' } },
  },
  {
    reason: 'DRIVER_NOT_AVAILABLE',
    code: 'UNIMPLEMENTED',
    ask: async ({ client, hosts }) => {
      await client.connect(hosts.bare.address);
      matches(await client.ask('host', {}), [
        { host: { state: 'DEGRADED', driver: 'SIMULATOR' }, health: 'NOT_SERVING' },
      ]);
      return client.refusal('open', opening());
    },
  },
];

/** A code that a native call returns to the host. */
function native(reason: string, code: string, tells: Partial<ErrorItem>, ...win32: readonly number[]): Row {
  const ask = async ({ client, host }: Stage) => {
    let error: ErrorItem = { code: '' };
    for (const returned of win32) {
      await host.settle();
      await host.world.scriptOpen({ deviceAddress: display, code: returned });
      error = await client.refusal('open', opening());
      matches(error, { code, reason, native: { function: 'WFDStartOpenSession', code: returned }, ...tells });
      match(error.native?.name ?? '', /^(ERROR|RPC|EPT)_/);
    }
    return error;
  };
  return { reason, code, ask, tells };
}

export const refusals: readonly Scenario[] = rows.map(({ reason, code, ask, tells = {} }) => ({
  name: `\`${reason}\``,
  play: async (stage) => {
    const error = await ask(stage);
    matches(error, { code, reason, ...tells });
    if (tells.retryDelayMs === undefined) ok(!error.retryDelayMs, 'nobody said when to ask again');
    if (tells.fields === undefined) equal(error.fields?.length ?? 0, 0);
  },
}));
