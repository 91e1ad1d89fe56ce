/**
 * Every field of every request, out of its range: refused by its name. The fields are those of the
 * descriptors, so that a new one is tested as soon as it is there: one that takes what is thrown at
 * it fails until it is checked, or listed here as one that takes all.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import {
  createFileRegistry,
  type DescField,
  type DescMessage,
  type DescMethod,
  fromBinary,
  fromJson,
  type JsonObject,
  type JsonValue,
  ScalarType,
  toBinary,
} from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { status } from '@grpc/grpc-js';
import test from 'ava';
import fc from 'fast-check';
import { scanner } from '../harness/gateway.js';
import { endOf, framed, WireClient } from '../harness/grpc-wire.js';
import { Siege } from '../harness/siege.js';
import { randomly } from '../session/seed.js';

const siege = new Siege();
const descriptors = new URL('../../../proto/gen/descriptors.binpb', import.meta.url);
const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(descriptors)));
// Health and reflection are gRPC's own protocols, with answers of their own.
const methods = [...registry].flatMap((type) =>
  type.kind === 'service' && type.typeName.startsWith('wifidirect.') ? type.methods : [],
);
const isForTests = ({ parent }: DescMethod) => parent.typeName.startsWith('wifidirect.simulator.');

/**
 * A request of each kind with nothing wrong in it, but for a session that it needs: where one is
 * missing, the RPC needs nothing.
 */
const valid: Readonly<Record<string, JsonObject>> = {
  OpenSessionRequest: { deviceAddress: '02:11:22:33:44:01' },
  CancelOpenSessionRequest: { sessionId: '' },
  CloseSessionRequest: { sessionId: '' },
  RenewSessionRequest: { sessionId: '' },
  GetSessionRequest: { sessionId: '' },
  UpdateDeviceVisibilityRequest: { deviceAddress: '02:11:22:33:44:01' },
};

const MANY = 10_001;
const texts = ['x'.repeat(10_000), '\0', ' ', 'ab\u202ecd', '../../etc/passwd', '\u{1f600}', '02:11:22:33:44:0', '-'];
const durations = ['-0.000000001s', '-1s', '315576000000s', '-315576000000s', '0s'];
const numbers: Partial<Readonly<Record<ScalarType, readonly JsonValue[]>>> = {
  [ScalarType.INT32]: [-1, -(2 ** 31)],
  [ScalarType.STRING]: texts,
  // Both are right.
  [ScalarType.BOOL]: [],
};

/** What does not fit one value of this field. */
function outOfRange(field: DescField): readonly JsonValue[] {
  if (field.enum !== undefined) return [9999, -1, 2 ** 31 - 1];
  if (field.message !== undefined) {
    if (field.message.typeName === 'google.protobuf.Duration') return durations;
    throw new Error(`${field.toString()}: say here what is out of range for a ${field.message.typeName}`);
  }
  const bad = numbers[field.scalar as ScalarType];
  if (bad === undefined) throw new Error(`${field.toString()}: say here what is out of range for its type`);
  return bad;
}

/** The same where the field is a list: one of them, and too many that are right by themselves. */
function wrongValues(field: DescField): readonly JsonValue[] {
  if (field.fieldKind !== 'list') return outOfRange(field);
  const tooMany = new Array<JsonValue>(MANY).fill(field.name === 'session_ids' ? 'abcd' : '02:11:22:33:44:01');
  return [...outOfRange(field).map((value) => [value]), ...(field.enum === undefined ? [tooMany] : [])];
}

interface Answer {
  /** undefined: it stands, and streams. */
  readonly code: status | undefined;
  readonly reason: string | undefined;
  readonly fields: readonly string[];
}

/** Calls until it is answered at all. */
async function ask(client: WireClient, rpc: string, body: Uint8Array): Promise<Answer> {
  const stream = client.start(rpc);
  stream.end(body);
  const end = endOf(stream);
  const first = await Promise.race([once(stream, 'data').then(() => undefined), end]);
  if (first === undefined) stream.close();
  const { status: told } = await end;
  return { code: told?.code, reason: told?.info?.reason, fields: told?.fields ?? [] };
}

async function openSession(): Promise<string> {
  const { gateway } = siege;
  await gateway.world.setDefaults({ open: 0 });
  const { stream, id } = await gateway.openSession({ deviceAddress: scanner, leaseTtl: { seconds: 600n } });
  stream.cancel();
  return id;
}

const nameOf = (method: DescMethod) => `${method.parent.typeName}/${method.name}`;
const encode = (input: DescMessage, json: JsonObject) => framed(toBinary(input, fromJson(input, json, { registry })));

for (const method of methods.filter((each) => !isForTests(each))) {
  for (const field of method.input.fields) {
    const what = `${method.input.name}.${field.name}`;
    const wrong = wrongValues(field);
    if (wrong.length === 0) continue;
    test.serial(`${what} of ${method.name} is refused out of its range`, async (t) => {
      using client = new WireClient(siege.address);
      const right = valid[method.input.name] ?? {};
      const session = right['sessionId'] === undefined ? {} : { sessionId: await openSession() };
      for (const value of wrong) {
        const request = { ...right, ...session, [field.jsonName]: value };
        const answer = await ask(client, nameOf(method), encode(method.input, request));
        const shown = JSON.stringify(value).slice(0, 60);
        t.is(answer.code, status.INVALID_ARGUMENT, shown);
        t.is(answer.reason, 'INVALID_FIELD', shown);
        t.is(answer.fields[0]?.replace(/\[\d+\]$/, ''), field.name, shown);
      }
    });
  }
}

test.serial('no bytes that a request may be made of are more than the daemon can take', async (t) => {
  t.timeout(60_000);
  const rpcs = [...methods.filter((each) => !isForTests(each)).map(nameOf), 'grpc.health.v1.Health/Check'];
  const mayBe = new Set([
    undefined,
    ...['OK', 'INVALID_ARGUMENT', 'NOT_FOUND', 'OUT_OF_RANGE', 'FAILED_PRECONDITION'].map(
      (code) => status[code as keyof typeof status],
    ),
  ]);
  using client = new WireClient(siege.address);
  await siege.endure(t, async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...rpcs), fields(), async (rpc, body) => {
        const { code, reason } = await ask(client, rpc, framed(body));
        if (!mayBe.has(code)) throw new Error(`${rpc} answered with ${code}`);
        if (code !== undefined && code !== status.OK && reason === undefined && !rpc.startsWith('grpc.'))
          throw new Error(`${rpc} answered with ${code}, without details`);
      }),
      randomly(t, 300),
    );
  });
});

test.serial('nor those for the service of the simulator', async (t) => {
  const rpcs = methods.filter(isForTests).map(nameOf);
  using client = new WireClient(siege.address);
  const property = fc.asyncProperty(fc.constantFrom(...rpcs), fields(), async (rpc, body) => {
    const { code } = await ask(client, rpc, framed(body));
    if (code === status.INTERNAL || code === status.UNKNOWN) throw new Error(`${rpc} answered with ${status[code]}`);
  });
  await t.notThrowsAsync(async () => fc.assert(property, randomly(t, 300)));
  await siege.gateway.world.reset();
});

/**
 * Tags of the fields that there are and of some that are not, with what may follow and what may
 * not.
 */
function fields(): fc.Arbitrary<Uint8Array> {
  const part = fc.tuple(
    fc.integer({ min: 1, max: 8 }),
    fc.integer({ min: 0, max: 7 }),
    fc.uint8Array({ maxLength: 12 }),
  );
  const parts = fc.array(
    part.map(([number, wireType, rest]) => Uint8Array.of((number << 3) | wireType, rest.length, ...rest)),
    { maxLength: 6 },
  );
  return parts.map((all) => Buffer.concat(all));
}
