/** Device nodes merged into devices: every order of arrival gives the same devices. */
import test from 'ava';
import fc from 'fast-check';
import type { DevObject, DevPropertyValue } from '../../native/cfgmgr32.js';
import * as c from '../../native/constants.js';
import { macToBytes } from '../../native/types.js';
import { DeviceNodes } from '../../service/driver/device-nodes.js';
import { randomly } from '../session/seed.js';

const address = '02:11:22:33:44:01';

type Values = readonly (readonly [c.DevPropKey, DevPropertyValue])[];

function node(ObjectId: string, values: Values, ObjectType: number = c.DevObjectTypeDevice): DevObject {
  const all: Values = [[c.DEVPKEY_WiFiDirect_DeviceAddress, macToBytes(address)], ...values];
  return { ObjectType, ObjectId, Properties: all.map(([Key, Value]) => ({ Key, Type: 0, Value })) };
}

const connected = (value: DevPropertyValue) => [c.DEVPKEY_WiFiDirect_IsConnected, value] as const;
const named = (value: DevPropertyValue) => [c.DEVPKEY_NAME, value] as const;
const guid = (value: DevPropertyValue) => [c.DEVPKEY_WiFiDirect_InterfaceGuid, value] as const;

/** The device of these nodes, put in this order. */
function merged(nodes: readonly DevObject[]) {
  const all = new DeviceNodes();
  for (const each of nodes) all.put(each);
  all.settle();
  return all.devices.get(address);
}

test('TRUE in any node wins over FALSE, and FALSE over nothing', (t) => {
  const say = (...values: DevPropertyValue[]) =>
    merged(values.map((value, index) => node(String(index), [connected(value)])))?.isConnected;
  t.true(say(true, null));
  t.true(say(false, true));
  t.true(say(null, false, true));
  t.false(say(null, false));
  t.is(say(null, null), undefined);
});

test('the rest comes from the connected node, else from the first by its id that has it', (t) => {
  const plain = node('dev', [connected(false), named('Display'), guid(null)]);
  const miracast = node('dev#MIRACAST', [connected(true), named('Miracast Display'), guid('of-the-link')]);
  t.like(merged([plain, miracast]), { name: 'Miracast Display', interfaceGuid: 'of-the-link' });
  const idle = node('dev#MIRACAST', [connected(null), named('Miracast Display')]);
  t.like(merged([idle, plain]), { name: 'Display', isConnected: false });
  t.like(merged([idle, node('dev', [named('')])]), { name: 'Miracast Display' });
});

test('a device interface counts only for an address that has no device node', (t) => {
  const face = node('\\\\?\\dev', [connected(true), named('Interface')], c.DevObjectTypeDeviceInterface);
  t.like(merged([face]), { name: 'Interface', isConnected: true });
  t.like(merged([face, node('dev', [connected(false), named('Node')])]), { name: 'Node', isConnected: false });
});

test('the canonical address is taken before the other', (t) => {
  const nodes = new DeviceNodes();
  nodes.put(node('dev', [[c.DEVPKEY_WiFiDirect_DeviceAddressCopy, macToBytes('02:aa:aa:aa:aa:aa')]]));
  nodes.settle();
  t.deepEqual([...nodes.devices.keys()], ['02:aa:aa:aa:aa:aa']);
});

test('a device is removed with its last node, and the others are heard until then', (t) => {
  const nodes = new DeviceNodes();
  nodes.put(node('a', [connected(false)]));
  nodes.put(node('b', [connected(false)]));
  t.deepEqual(
    nodes.settle().map(({ type }) => type),
    ['ADDED'],
  );
  nodes.remove('a');
  t.deepEqual(nodes.settle(), [], 'the device is as it was');
  nodes.put({ ...node('b', [connected(true)]), Properties: [{ Key: connected(true)[0], Type: 0, Value: true }] });
  t.deepEqual(
    nodes.settle().map(({ type, device }) => [type, device.isConnected]),
    [['CHANGED', true]],
  );
  nodes.remove('b');
  t.deepEqual(
    nodes.settle().map(({ type }) => type),
    ['REMOVED'],
  );
  nodes.remove('b');
  t.deepEqual(nodes.settle(), []);
});

test('an update keeps what it does not carry, and unsets what it says is empty', (t) => {
  const nodes = new DeviceNodes();
  nodes.put(node('a', [connected(true), guid('g'), named('Door')]));
  nodes.put({
    ObjectType: c.DevObjectTypeDevice,
    ObjectId: 'a',
    Properties: [{ Key: guid('')[0], Type: 0, Value: null }],
  });
  nodes.settle();
  t.like(nodes.devices.get(address), { isConnected: true, interfaceGuid: undefined, name: 'Door' });
});

test('any order of nodes gives the same device', (t) => {
  const value = fc.constantFrom(true, false, null);
  const some = fc.array(fc.tuple(value, fc.constantFrom('', 'A', 'B'), fc.constantFrom(null, 'g', 'h'), fc.boolean()), {
    minLength: 1,
    maxLength: 4,
  });
  const property = fc.property(some, fc.infiniteStream(fc.nat()), (told, order) => {
    const nodes = told.map(([isConnected, name, interfaceGuid, isInterface], index) =>
      node(
        `node-${index}`,
        [connected(isConnected), named(name), guid(interfaceGuid)],
        isInterface ? c.DevObjectTypeDeviceInterface : c.DevObjectTypeDevice,
      ),
    );
    const shuffled = [...nodes].sort(() => ((order.next().value ?? 0) % 2 === 0 ? 1 : -1));
    t.deepEqual(merged(shuffled), merged(nodes));
  });
  fc.assert(property, randomly(t, 500));
  t.pass();
});
