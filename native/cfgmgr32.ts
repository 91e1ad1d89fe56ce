/**
 * cfgmgr32.dll: the device query API (`devquery.h`), which lists the paired devices and says
 * whether each is connected. Names and the order of parameters are Microsoft's, except that a count
 * and its array are one array here. `code` is the HRESULT as an unsigned number.
 *
 * Invariant: objects and properties belong to the system, so they are copied into plain values at
 * once. The system frees those of a callback when it returns, and DevFreeObjects frees those of
 * DevGetObjects. DevCloseObjectQuery waits for a running callback, which runs on the thread of the
 * event loop, so it is called asynchronously only.
 *
 * Source: learn.microsoft.com/windows/win32/api/devquery
 */
import koffi from 'koffi';
import { Callbacks } from './callbacks.js';
import * as c from './constants.js';
import type { Library } from './library.js';
import {
  copyBytes,
  guidFromBytes,
  guidToBytes,
  guidToStruct,
  type Handle,
  offsetsOf,
  toBigInt,
  wideText,
} from './types.js';

// Enumerations are `int` in C; their values are in constants.ts.
for (const name of [
  'DEV_OBJECT_TYPE',
  'DEV_QUERY_RESULT_ACTION',
  'DEV_QUERY_STATE',
  'DEVPROP_OPERATOR',
  'DEVPROPSTORE',
]) {
  koffi.alias(name, 'int32_t');
}
koffi.alias('DEVPROPTYPE', 'ULONG');
koffi.struct('DEVPROPKEY', { fmtid: 'GUID', pid: 'ULONG' });
koffi.struct('DEVPROPCOMPKEY', { Key: 'DEVPROPKEY', Store: 'DEVPROPSTORE', LocaleName: 'PCWSTR' });
koffi.struct('DEVPROPERTY', { CompKey: 'DEVPROPCOMPKEY', Type: 'DEVPROPTYPE', BufferSize: 'ULONG', Buffer: 'PVOID' });
koffi.struct('DEVPROP_FILTER_EXPRESSION', { Operator: 'DEVPROP_OPERATOR', Property: 'DEVPROPERTY' });
koffi.struct('DEV_OBJECT', {
  ObjectType: 'DEV_OBJECT_TYPE',
  pszObjectId: 'PCWSTR',
  cPropertyCount: 'ULONG',
  pProperties: 'DEVPROPERTY *',
});
koffi.union('DEV_QUERY_RESULT_UPDATE_PAYLOAD', { State: 'DEV_QUERY_STATE', DeviceObject: 'DEV_OBJECT' });
koffi.struct('DEV_QUERY_RESULT_ACTION_DATA', {
  Action: 'DEV_QUERY_RESULT_ACTION',
  Data: 'DEV_QUERY_RESULT_UPDATE_PAYLOAD',
});
koffi.pointer('HDEVQUERY', koffi.opaque());
koffi.alias('PHDEVQUERY', 'HDEVQUERY *');

/** `phDevQuery` of DevCreateObjectQuery. */
export type DevQueryHandle = Handle<'device query'>;

/**
 * EMPTY is null, BOOLEAN a boolean, UINT32 a number, STRING and GUID a string. BINARY, every other
 * type, and a value that is too short are the bytes.
 */
export type DevPropertyValue = null | boolean | number | string | Buffer;

/** A DEVPROPERTY of the system store, without a locale. */
export interface DevProperty {
  readonly Key: c.DevPropKey;
  /** DEVPROPTYPE */
  readonly Type: number;
  readonly Value: DevPropertyValue;
}

/** A DEV_OBJECT. */
export interface DevObject {
  /** DEV_OBJECT_TYPE */
  readonly ObjectType: number;
  readonly ObjectId: string;
  /** The requested properties. One that the object lacks has the type EMPTY or is left out. */
  readonly Properties: readonly DevProperty[];
}

/** A DEVPROP_FILTER_EXPRESSION: the result has the objects whose `Property` compares like this. */
export interface DevFilter {
  /** DEVPROP_OPERATOR */
  readonly Operator: number;
  readonly Property: DevProperty;
}

/**
 * A DEV_QUERY_RESULT_ACTION_DATA: a state of the query, or an object that was added, updated or
 * removed.
 */
export type DevQueryResult =
  | { readonly Action: typeof c.DevQueryResultStateChange; readonly State: number }
  | {
      readonly Action: typeof c.DevQueryResultAdd | typeof c.DevQueryResultUpdate | typeof c.DevQueryResultRemove;
      readonly DeviceObject: DevObject;
    };

interface RawObject {
  readonly ObjectType: number;
  readonly pszObjectId: string;
  readonly cPropertyCount: number;
  readonly pProperties: bigint | null;
}

/**
 * Listeners for DevCreateObjectQuery. The calls of one query are sequential: first the existing
 * objects, then the state EnumCompleted, then each change. After the state Aborted there are no
 * more calls: close the query and create another.
 */
export const devQueryResultCallbacks = new Callbacks<DevQueryResult>(
  'PDEV_QUERY_RESULT_CALLBACK',
  'VOID __stdcall (HDEVQUERY hDevQuery, PVOID pContext, const DEV_QUERY_RESULT_ACTION_DATA *pActionData)',
  (deliver) => (_hDevQuery: bigint | null, pContext: bigint | null, pActionData: bigint) =>
    deliver(pContext, () => {
      const Action: DevQueryResult['Action'] = koffi.decode(pActionData, 'DEV_QUERY_RESULT_ACTION');
      const offset = koffi.offsetof('DEV_QUERY_RESULT_ACTION_DATA', 'Data');
      if (Action === c.DevQueryResultStateChange) {
        return { Action, State: koffi.decode(pActionData, offset, 'DEV_QUERY_STATE') };
      }
      return { Action, DeviceObject: toObject(koffi.decode(pActionData, offset, 'DEV_OBJECT')) };
    }),
);

/** The functions of cfgmgr32.dll; see bindCfgmgr32(). */
export type Cfgmgr32 = ReturnType<typeof bindCfgmgr32>;

/** Binds cfgmgr32.dll, or a library with its exports. `library.missing` lists what is missing. */
export function bindCfgmgr32(library: Library) {
  const query =
    'DEV_OBJECT_TYPE ObjectType, ULONG QueryFlags, ULONG cRequestedProperties, const DEVPROPCOMPKEY *pRequestedProperties, ULONG cFilterExpressionCount, const DEVPROP_FILTER_EXPRESSION *pFilter';
  const DevCreateObjectQuery = library.bind<[...QueryArguments, bigint, bigint, (bigint | null)[]]>(
    `HRESULT __stdcall DevCreateObjectQuery(${query}, PDEV_QUERY_RESULT_CALLBACK pCallback, PVOID pContext, _Out_ PHDEVQUERY phDevQuery)`,
  );
  const DevCloseObjectQuery = library.bind<[DevQueryHandle], void>(
    'VOID __stdcall DevCloseObjectQuery(HDEVQUERY hDevQuery)',
  );
  const DevGetObjects = library.bind<[...QueryArguments, number[], (bigint | null)[]]>(
    `HRESULT __stdcall DevGetObjects(${query}, _Out_ PULONG pcObjectCount, _Out_ const DEV_OBJECT **ppObjects)`,
  );
  const DevFreeObjects = library.bindSync<[number, bigint], void>(
    'VOID __stdcall DevFreeObjects(ULONG cObjectCount, const DEV_OBJECT *pObjects)',
  );

  return {
    /**
     * Starts a query. Its results go to the context of devQueryResultCallbacks, possibly before
     * this resolves.
     */
    async DevCreateObjectQuery(
      ObjectType: number,
      QueryFlags: number,
      RequestedProperties: readonly c.DevPropKey[],
      Filter: readonly DevFilter[],
      pContext: bigint,
    ) {
      const phDevQuery = [null];
      const code = await DevCreateObjectQuery(
        ...queryArguments(ObjectType, QueryFlags, RequestedProperties, Filter),
        devQueryResultCallbacks.pointer,
        pContext,
        phDevQuery,
      );
      return { code: code >>> 0, hDevQuery: toBigInt(phDevQuery[0]) as DevQueryHandle };
    },

    /**
     * Ends a query. It waits for a running callback; there is none afterwards. Then forget the
     * context.
     */
    DevCloseObjectQuery: (hDevQuery: DevQueryHandle) => DevCloseObjectQuery(hDevQuery),

    /**
     * The objects that exist now, if `isWanted` accepts their id. Decoding is what takes the time.
     */
    async DevGetObjects(
      ObjectType: number,
      QueryFlags: number,
      RequestedProperties: readonly c.DevPropKey[],
      Filter: readonly DevFilter[],
      isWanted: (ObjectId: string) => boolean = () => true,
    ): Promise<{ code: number; Objects: DevObject[] }> {
      const pcObjectCount = [0];
      const ppObjects: (bigint | null)[] = [null];
      const query = queryArguments(ObjectType, QueryFlags, RequestedProperties, Filter);
      const code = await DevGetObjects(...query, pcObjectCount, ppObjects);
      const count = pcObjectCount[0] ?? 0;
      const objects = ppObjects[0] ?? null;
      if (code !== 0 || objects === null) return { code: code >>> 0, Objects: [] };
      try {
        const raw: RawObject[] = koffi.decode(objects, 'DEV_OBJECT', count);
        return { code, Objects: raw.filter(({ pszObjectId }) => isWanted(pszObjectId)).map(toObject) };
      } finally {
        DevFreeObjects(count, objects);
      }
    },
  };
}

/**
 * The value of a property of `object`: null if it is EMPTY, undefined if the object does not have
 * it.
 */
export function findProperty(object: DevObject, key: c.DevPropKey): DevPropertyValue | undefined {
  return object.Properties.find(({ Key }) => Key.pid === key.pid && Key.fmtid === key.fmtid)?.Value;
}

type QueryArguments = [number, number, number, unknown[] | null, number, unknown[] | null];

function queryArguments(
  ObjectType: number,
  QueryFlags: number,
  keys: readonly c.DevPropKey[],
  filter: readonly DevFilter[],
): QueryArguments {
  const requested = keys.map(toCompKey);
  const expressions = filter.map(({ Operator, Property: { Key, Type, Value } }) => {
    const bytes = toBytes(Type, Value);
    return { Operator, Property: { CompKey: toCompKey(Key), Type, BufferSize: bytes.length, Buffer: bytes } };
  });
  // NULL means no array at all: DevQueryFlagAllProperties requires it.
  const orNull = (array: unknown[]) => (array.length > 0 ? array : null);
  return [ObjectType, QueryFlags, requested.length, orNull(requested), expressions.length, orNull(expressions)];
}

function toCompKey({ fmtid, pid }: c.DevPropKey) {
  return { Key: { fmtid: guidToStruct(fmtid), pid }, Store: c.DEVPROP_STORE_SYSTEM, LocaleName: null };
}

/** The bytes of a value with which a filter compares. */
function toBytes(Type: number, value: DevPropertyValue): Buffer {
  if (value === null) return Buffer.alloc(0);
  if (typeof value === 'boolean') return Buffer.from(Int8Array.of(value ? c.DEVPROP_TRUE : c.DEVPROP_FALSE));
  if (typeof value === 'number') return Buffer.from(Uint32Array.of(value).buffer);
  if (typeof value === 'object') return value;
  return Type === c.DEVPROP_TYPE_GUID ? guidToBytes(value) : Buffer.from(`${value}\0`, 'utf16le');
}

const devProperty = {
  size: koffi.sizeof('DEVPROPERTY'),
  fmtid: koffi.offsetof('DEVPROPERTY', 'CompKey'),
  pid: koffi.offsetof('DEVPROPERTY', 'CompKey') + koffi.offsetof('DEVPROPKEY', 'pid'),
  ...offsetsOf('DEVPROPERTY', 'Type', 'BufferSize', 'Buffer'),
};

function toObject({ ObjectType, pszObjectId, cPropertyCount, pProperties }: RawObject): DevObject {
  const bytes = copyBytes(pProperties ?? 0n, pProperties === null ? 0 : cPropertyCount * devProperty.size);
  const Properties: DevProperty[] = [];
  for (let at = 0; at < bytes.length; at += devProperty.size) {
    const Type = bytes.readUInt32LE(at + devProperty.Type);
    const pointer = bytes.readBigUInt64LE(at + devProperty.Buffer);
    const value = copyBytes(pointer, pointer === 0n ? 0 : bytes.readUInt32LE(at + devProperty.BufferSize));
    Properties.push({ Key: keyAt(bytes, at), Type, Value: toValue(Type, value) });
  }
  return { ObjectType, ObjectId: pszObjectId, Properties };
}

/** Keys that were seen, by their bytes. There are only as many as were requested. */
const keys = new Map<string, c.DevPropKey>();

/** The DEVPROPKEY of the DEVPROPERTY at `at`. */
function keyAt(bytes: Buffer, at: number): c.DevPropKey {
  const id = bytes.toString('latin1', at + devProperty.fmtid, at + devProperty.pid + 4);
  let key = keys.get(id);
  if (key === undefined) {
    key = { fmtid: guidFromBytes(bytes, at + devProperty.fmtid), pid: bytes.readUInt32LE(at + devProperty.pid) };
    keys.set(id, key);
  }
  return key;
}

/** The size of each type that has one, in bytes. */
const sizes: Readonly<Record<number, number>> = {
  [c.DEVPROP_TYPE_BOOLEAN]: 1,
  [c.DEVPROP_TYPE_UINT32]: 4,
  [c.DEVPROP_TYPE_GUID]: 16,
};

function toValue(Type: number, bytes: Buffer): DevPropertyValue {
  if (bytes.length < (sizes[Type] ?? 0)) return bytes;
  switch (Type) {
    case c.DEVPROP_TYPE_EMPTY:
      return null;
    case c.DEVPROP_TYPE_BOOLEAN:
      return bytes.readInt8() !== c.DEVPROP_FALSE;
    case c.DEVPROP_TYPE_UINT32:
      return bytes.readUInt32LE();
    case c.DEVPROP_TYPE_GUID:
      return guidFromBytes(bytes);
    case c.DEVPROP_TYPE_STRING:
      return wideText(bytes);
    default:
      return bytes;
  }
}
