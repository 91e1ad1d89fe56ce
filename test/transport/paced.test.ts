/** Which RPCs a principal may not call as often as it likes: every change, and every watch that begins. */
import test from 'ava';
import { ok } from '../../service/fault.js';
import { type Edge, paced } from '../../service/transport/edge.js';
import { DeviceServiceService } from '../../service/transport/gen/wifidirect/v1/device_service.js';
import { HostServiceService } from '../../service/transport/gen/wifidirect/v1/host_service.js';
import { SessionServiceService } from '../../service/transport/gen/wifidirect/v1/session_service.js';

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

const methods = [SessionServiceService, DeviceServiceService, HostServiceService].flatMap((service) =>
  Object.values(service).map(({ path }) => path.slice(1)),
);

test('each RPC takes from its rate, once, for its principal', (t) => {
  t.deepEqual(methods.map((rpc) => rpc.split('/')[1]).sort(), Object.keys(rates).sort());
  for (const rpc of methods) {
    const taken: string[] = [];
    const rate = (name: string) => ({ take: (principal: string) => ok(void taken.push(`${name} of ${principal}`)) });
    paced({ changes: rate('changes'), watches: rate('watches') } as unknown as Edge, rpc, 'alice');
    const wanted = rates[rpc.split('/')[1] ?? ''];
    t.deepEqual(taken, wanted === undefined ? [] : [`${wanted} of alice`], rpc);
  }
});
