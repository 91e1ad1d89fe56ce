/** Scenarios: who the client is, and what it finds. */
import { display, robot } from '../../harness/gateway.js';
import { AGENT_URI } from '../hosts.js';
import { eventOf, matches, type Scenario } from '../scenario.js';

export const connections: readonly Scenario[] = [
  {
    name: 'in clear text, on this machine',
    play: async ({ client }) => {
      matches(await client.ask('host', {}), [{ host: { state: 'READY', driver: 'SIMULATOR' }, health: 'SERVING' }]);
      const devices = await client.ask('devices', {});
      matches(devices.length, 6);
      matches(devices[0], { device: { address: display, name: 'Meeting Room Display' } });
      matches(await client.ask('find', { deviceAddress: robot }), [
        { device: { address: robot, name: 'Delivery Robot', isVisible: false } },
      ]);
    },
  },
  {
    name: 'by TLS and a token',
    play: async ({ client, hosts }) => {
      await client.connect(hosts.guardedAddress, hosts.credentials({ token: 'token-of-operator' }));
      const opening = client.do('open', { deviceAddress: display });
      matches((await eventOf(opening, 'OPENED')).session, { owner: 'operator' });
      await client.leave(opening);
    },
  },
  {
    name: 'by mTLS',
    play: async ({ client, hosts }) => {
      await client.connect(hosts.guardedAddress, hosts.credentials({ certificate: true }));
      const opening = client.do('open', { deviceAddress: display });
      matches((await eventOf(opening, 'OPENED')).session, { owner: AGENT_URI });
      await client.leave(opening);
    },
  },
  {
    name: 'but not to a host of another authority',
    play: async ({ client, hosts }) => {
      const { certFile: caFile = '' } = hosts.credentials({ certificate: true });
      await client.connect(hosts.guardedAddress, { caFile, token: 'token-of-operator' });
      const error = await client.refusal('host', {});
      matches({ code: error.code, reason: error.reason ?? null }, { code: 'UNAVAILABLE', reason: null });
    },
  },
];
