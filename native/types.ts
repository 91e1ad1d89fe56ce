/**
 * The scalar and shared types of the Windows headers, for koffi and for TypeScript, and the text
 * forms of GUID and MAC address.
 *
 * Invariant: koffi's type names are global to the process, so each is defined once, here or in the
 * one module whose functions use it.
 *
 * Sizes are those of 64-bit Windows. They are the same on 64-bit Linux, because nothing here is a
 * `long`.
 */
import koffi from 'koffi';

koffi.alias('VOID', 'void');
koffi.alias('UCHAR', 'uint8_t');
koffi.alias('BOOLEAN', 'uint8_t');
koffi.alias('WCHAR', 'char16_t');
koffi.alias('USHORT', 'uint16_t');
koffi.alias('ULONG', 'uint32_t');
koffi.alias('DWORD', 'uint32_t');
koffi.alias('ULONG64', 'uint64_t');
koffi.alias('HRESULT', 'int32_t');
koffi.alias('ADDRESS_FAMILY', 'USHORT');
koffi.alias('NET_IFINDEX', 'ULONG');
/** A union of a ULONG64 and bit-fields in C; only the whole value is used here. */
koffi.alias('NET_LUID', 'ULONG64');

koffi.alias('PVOID', 'void *');
koffi.alias('PWCHAR', 'WCHAR *');
koffi.alias('PCWSTR', 'str16');
koffi.alias('PULONG', 'ULONG *');
koffi.alias('PDWORD', 'DWORD *');
koffi.alias('PNET_LUID', 'NET_LUID *');
koffi.pointer('HANDLE', koffi.opaque());
koffi.alias('PHANDLE', 'HANDLE *');

koffi.struct('GUID', { Data1: 'ULONG', Data2: 'USHORT', Data3: 'USHORT', Data4: koffi.array('UCHAR', 8, 'Typed') });
/** `typedef UCHAR DOT11_MAC_ADDRESS[6]`: octets in the order they are printed, alignment 1. */
koffi.struct('DOT11_MAC_ADDRESS', { ucDot11MacAddress: koffi.array('UCHAR', 6, 'Buffer') });
koffi.alias('PDOT11_MAC_ADDRESS', 'DOT11_MAC_ADDRESS *');

declare const kind: unique symbol;

/**
 * A native handle. koffi accepts any pointer for any other, so the compiler distinguishes them. 0n
 * is NULL.
 */
export type Handle<Kind extends string> = bigint & { readonly [kind]: Kind };

/** A GUID as koffi passes it inside a struct or by value. */
export interface GuidStruct {
  readonly Data1: number;
  readonly Data2: number;
  readonly Data3: number;
  readonly Data4: Uint8Array;
}

const GUID_TEXT = /^\{?([0-9a-f]{8})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{12})\}?$/i;
const MAC_TEXT = /^([0-9a-f]{2})([:-])(?:[0-9a-f]{2}\2){4}[0-9a-f]{2}$/i;

/**
 * The 16 bytes of a GUID in memory: the first three fields little-endian, the rest as printed.
 * Braces are accepted.
 */
export function guidToBytes(text: string): Buffer {
  const fields = GUID_TEXT.exec(text);
  if (fields === null) throw new TypeError(`Not a GUID: ${text}`);
  const bytes = Buffer.from(fields.slice(1).join(''), 'hex');
  bytes.subarray(0, 4).swap32();
  bytes.subarray(4, 8).swap16();
  return bytes;
}

/**
 * The text of the GUID at `offset`, as `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` in lower case without
 * braces.
 */
export function guidFromBytes(bytes: Uint8Array, offset = 0): string {
  const copy = Buffer.from(bytes.subarray(offset, offset + 16));
  if (copy.length !== 16) throw new RangeError('A GUID has 16 bytes');
  copy.subarray(0, 4).swap32();
  copy.subarray(4, 8).swap16();
  return copy.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** A GUID for a struct that is passed to koffi. */
export function guidToStruct(text: string): GuidStruct {
  const bytes = guidToBytes(text);
  return {
    Data1: bytes.readUInt32LE(0),
    Data2: bytes.readUInt16LE(4),
    Data3: bytes.readUInt16LE(6),
    Data4: bytes.subarray(8),
  };
}

/** The text of a GUID from a struct or by value, in the form of guidFromBytes(). */
export function guidFromStruct({ Data1, Data2, Data3, Data4 }: GuidStruct): string {
  const tail = Buffer.from(Data4).toString('hex');
  return `${hex(Data1, 8)}-${hex(Data2, 4)}-${hex(Data3, 4)}-${tail.slice(0, 4)}-${tail.slice(4)}`;
}

/** The six octets of `aa:bb:cc:dd:ee:ff`, in that order. Upper case and `-` are accepted. */
export function macToBytes(text: string): Buffer {
  if (!MAC_TEXT.test(text)) throw new TypeError(`Not a MAC address: ${text}`);
  return Buffer.from(text.replaceAll(/[:-]/g, ''), 'hex');
}

/** The six octets at `offset` as `aa:bb:cc:dd:ee:ff`. */
export function macFromBytes(bytes: Uint8Array, offset = 0): string {
  const octets = bytes.subarray(offset, offset + 6);
  if (octets.length !== 6) throw new RangeError('A MAC address has 6 octets');
  return Array.from(octets, (octet) => hex(octet, 2)).join(':');
}

/**
 * Converts a pointer or 64-bit number from koffi (null, number or bigint) to a bigint. NULL is 0n.
 */
export function toBigInt(value: number | bigint | null | undefined): bigint {
  return BigInt(value ?? 0);
}

/** The text of a WCHAR buffer, up to its first NUL. */
export function wideText(bytes: Buffer): string {
  let end = 0;
  while (end + 1 < bytes.length && bytes.readUInt16LE(end) !== 0) end += 2;
  return bytes.toString('utf16le', 0, end);
}

/**
 * Copies memory that belongs to the system. Reading fields from a copy takes a tenth of the time of
 * decoding the struct.
 */
export function copyBytes(pointer: bigint, length: number): Buffer {
  return length === 0 ? Buffer.alloc(0) : Buffer.from(koffi.decode(pointer, 'UCHAR', length));
}

/** Where the fields of a struct are, in bytes from its beginning. */
export function offsetsOf<Name extends string>(struct: string, ...names: Name[]): Readonly<Record<Name, number>> {
  return Object.fromEntries(names.map((name) => [name, koffi.offsetof(struct, name)])) as Record<Name, number>;
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}
