/**
 * Which RPCs a principal may not call as often as it likes: every change, and every watch that
 * begins.
 */
import test from 'ava';
import { DeviceServiceDefinition } from '../../proto/gen/wifidirect/v1/device_service.js';
import { HostServiceDefinition } from '../../proto/gen/wifidirect/v1/host_service.js';
import { SessionServiceDefinition } from '../../proto/gen/wifidirect/v1/session_service.js';
import { permissionOf } from '../../service/access/permissions.js';
import { type CallServices, checkRate } from '../../service/api/call-services.js';
import type { Method } from '../../service/api/method.js';
import { ok } from '../../service/fault.js';

/** By the rate that it takes from. A new RPC must be put somewhere. */
const rates: Readonly<Record<string, 'changes' | 'watches' | undefined>> = {
  OpenSession: 'changes',
  CancelOpenSession: 'changes',
  CloseSession: 'changes',
  RenewSession: 'changes',
  UpdateDeviceVisibility: 'changes',
  WatchSessions: 'watches',
  WatchDevices: 'watches',
  GetSession: undefined,
  ListSessions: undefined,
  ListDevices: undefined,
  GetHost: undefined,
};

const methods = [SessionServiceDefinition, DeviceServiceDefinition, HostServiceDefinition].flatMap(
  ({ fullName, methods }) => Object.values(methods).map(({ name }) => `${fullName}/${name}`),
);

test('each RPC takes from its rate, once, for its principal', (t) => {
  t.deepEqual(methods.map((rpc) => rpc.split('/')[1]).sort(), Object.keys(rates).sort());
  for (const rpc of methods) {
    const taken: string[] = [];
    const rate = (name: string) => ({ take: (principal: string) => ok(void taken.push(`${name} of ${principal}`)) });
    const services = { rates: { changes: rate('changes'), watches: rate('watches') } } as unknown as CallServices;
    checkRate(services, { permission: permissionOf(rpc) } as Method, 'alice');
    const wanted = rates[rpc.split('/')[1] ?? ''];
    t.deepEqual(taken, wanted === undefined ? [] : [`${wanted} of alice`], rpc);
  }
});
