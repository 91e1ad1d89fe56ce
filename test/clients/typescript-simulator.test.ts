/** The package that scripts a simulated host, used as its README says. */
import { readFile } from 'node:fs/promises';
import test from 'ava';
import { connectSimulator } from '../../clients/typescript/simulator/src/simulator.js';
import { connect, GatewayError } from '../../clients/typescript/src/client.js';
import { display, gatewayForThisFile } from '../harness/gateway.js';

const gateway = gatewayForThisFile();

test.serial('an open fails as it was scripted, and only once', async (t) => {
  const simulator = connectSimulator(gateway().daemon.address);
  const client = connect(gateway().daemon.address);
  await simulator.scriptOpen({ error: 1460 });
  const failing = client.sessions.hold({ deviceAddress: display });
  const error = await t.throwsAsync(failing.opened, { instanceOf: GatewayError });
  t.is(error?.reason, 'OPEN_FAILED');
  const held = client.sessions.hold({ deviceAddress: display });
  t.is((await held.opened).deviceAddress, display);
  await held.close();
  client.close();
  simulator.close();
});

test.serial('what the world refuses rejects, and says which field is wrong', async (t) => {
  const simulator = connectSimulator(gateway().daemon.address);
  await t.throwsAsync(simulator.setClock({ mode: 0 }), { message: /INVALID_ARGUMENT: mode is "0"/ });
  simulator.close();
});

test('the example of its README names what there is', async (t) => {
  const readme = await readFile('clients/typescript/simulator/README.md', 'utf8');
  const simulator = connectSimulator(gateway().daemon.address);
  const named = [...readme.matchAll(/simulator\.(\w+)\(/g)].map(([, name = '']) => name);
  t.true(named.length >= 3);
  for (const name of named) t.true(name in simulator, name);
  const { devices } = await simulator.listSimulatedDevices();
  t.is(devices.length, 6);
  simulator.close();
});
