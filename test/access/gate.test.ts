/**
 * Every RPC that the daemon serves, called by everybody: there is no way in but through the gate.
 */
import { connect, type IncomingHttpHeaders } from 'node:http2';
import { Server, status } from '@grpc/grpc-js';
import test from 'ava';
import { permissions, type Role } from '../../service/access/permissions.js';
import { Host, misuses } from '../harness/host.js';
import { Files } from './files.js';

/**
 * What grpc-js was told to serve, by whomever: health, reflection and our own services all come to
 * this one method.
 */
const served: string[] = [];
const { register } = Server.prototype;
Server.prototype.register = function remember(this: Server, path: string, ...rest: unknown[]) {
  served.push(path.slice(1));
  return Reflect.apply(register, this, [path, ...rest]);
} as typeof register;

const roles: readonly Role[] = ['prober', 'viewer', 'operator', 'admin'];
const everybody = [...roles, 'nobody', 'viewer and operator'];

/** Written out here once more, so that no slip of the pen in the table goes unnoticed. */
const allowed: Record<string, readonly Role[]> = {
  'grpc.health.v1.Health/Check': roles,
  'grpc.health.v1.Health/List': roles,
  'grpc.health.v1.Health/Watch': roles,
  'grpc.reflection.v1.ServerReflection/ServerReflectionInfo': roles,
  'grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo': roles,
  'wifidirect.v1.HostService/GetHost': ['viewer', 'operator', 'admin'],
  'wifidirect.v1.DeviceService/ListDevices': ['viewer', 'operator', 'admin'],
  'wifidirect.v1.DeviceService/WatchDevices': ['viewer', 'operator', 'admin'],
  'wifidirect.v1.DeviceService/UpdateDeviceVisibility': ['operator', 'admin'],
  'wifidirect.v1.SessionService/GetSession': ['viewer', 'operator', 'admin'],
  'wifidirect.v1.SessionService/ListSessions': ['viewer', 'operator', 'admin'],
  'wifidirect.v1.SessionService/WatchSessions': ['viewer', 'operator', 'admin'],
  'wifidirect.v1.SessionService/OpenSession': ['operator', 'admin'],
  'wifidirect.v1.SessionService/CancelOpenSession': ['operator', 'admin'],
  'wifidirect.v1.SessionService/CloseSession': ['operator', 'admin'],
  'wifidirect.v1.SessionService/RenewSession': ['operator', 'admin'],
};

/**
 * Not in the table on purpose: it is there only on demand and only on the simulator, and for
 * admins.
 */
const isForTests = (rpc: string) => rpc.startsWith('wifidirect.simulator.');

const files = new Files();
let host: Host;

test.before(async () => {
  const tokensFile = files.writeTokens(Object.fromEntries(everybody.map((name) => [name, token(name)])));
  host = await Host.start({
    driver: { simulatorService: true },
    access: {
      mode: 'authenticated',
      tokensFile,
      roles: [
        ...roles.map((role) => ({ role, principals: [role] })),
        { role: 'viewer', principals: ['viewer and operator'] },
        { role: 'operator', principals: ['viewer and *'] },
      ],
    },
  });
});

test.after.always(async () => {
  await host[Symbol.asyncDispose]();
  files[Symbol.dispose]();
});

test('the services of the contract, health and reflection are served, and each RPC is in the table', (t) => {
  t.deepEqual(served.filter((rpc) => !isForTests(rpc)).sort(), Object.keys(allowed).sort());
  t.deepEqual(Object.keys(permissions).sort(), Object.keys(allowed).sort());
});

test('no RPC answers without a good credential', async (t) => {
  for (const rpc of served) {
    const bad = [
      undefined,
      'Bearer nonsense',
      'Bearer',
      'Basic YTpi',
      `${token('admin')}`,
      `Bearer ${'x'.repeat(9000)}`,
    ];
    for (const authorization of bad) t.is(await outcome(rpc, authorization), status.UNAUTHENTICATED, rpc);
  }
});

test('whether an RPC is served is told to who is known alone', async (t) => {
  t.is(await outcome('no.Such/Thing', undefined), status.UNAUTHENTICATED);
  t.is(await outcome('no.Such/Thing', 'Bearer nonsense'), status.UNAUTHENTICATED);
  for (const name of everybody) {
    t.is(await outcome('no.Such/Thing', `Bearer ${token(name)}`), status.UNIMPLEMENTED, name);
  }
  const told = host.log.lines('access-denied').filter((line) => line['rpc'] === 'unserved');
  t.deepEqual(
    told.map(({ msg }) => msg),
    ['unserved was refused: The call has no credential.', 'unserved was refused: The token is unknown.'],
  );
});

for (const name of everybody) {
  test(`${name} may call what is in the table, and nothing else`, async (t) => {
    for (const rpc of served) {
      const isAllowed = (allowed[rpc] ?? ['admin']).some((role) => name.split(' and ').includes(role));
      const code = await outcome(rpc, `Bearer ${token(name)}`);
      t.is(code !== status.PERMISSION_DENIED, isAllowed, `${rpc} ended with ${code}`);
      t.not(code, status.UNAUTHENTICATED, rpc);
    }
  });
}

test.after('no credential is in the log, and nothing was misused', (t) => {
  t.true(host.log.lines('access-denied').length > 10);
  t.false(/token-of-|nonsense|YTpi|xxxx/.test(JSON.stringify(host.log.all)));
  t.deepEqual(misuses(), []);
});

function token(name: string): string {
  return `token-of-${name.replaceAll(' ', '-')}`;
}

/** Calls with an empty request; the code it ends with, or undefined where it stands and streams. */
async function outcome(rpc: string, authorization: string | undefined): Promise<number | undefined> {
  // One of its own: a connection whose every call is refused is closed.
  const connection = connect(`http://${host.address}`);
  const stream = connection.request({
    ':method': 'POST',
    ':path': `/${rpc}`,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...(authorization !== undefined && { authorization }),
  });
  const code = new Promise<number | undefined>((resolve, reject) => {
    const see = (headers: IncomingHttpHeaders) => {
      const text = headers['grpc-status'];
      if (text !== undefined) resolve(Number(text));
    };
    stream.once('response', see);
    stream.once('trailers', see);
    stream.once('data', () => resolve(undefined));
    stream.once('error', reject);
    stream.once('close', () => reject(new Error(`${rpc} ended without a status`)));
  });
  // A request with no fields: five bytes of frame, none of message.
  stream.end(Buffer.alloc(5));
  try {
    return await code;
  } finally {
    stream.close();
    connection.close();
  }
}
