/**
 * koffi's idea of every struct against C: the Windows headers by mingw-w64, the simulator's header
 * by both compilers.
 */
import test from 'ava';
import koffi from 'koffi';
import '../../native/cfgmgr32.js';
import '../../native/netioapi.js';
import { compilerErrors, hasCompiler, mingw, simulatorHeader, windowsHeaders } from './compiler.js';
import { layout, same } from './layout.js';

const fileOf = (line: string): string => line.split(':', 1)[0] ?? '';
const isError = (line: string): boolean => /\berror: /.test(line);

type Members = Readonly<Record<string, (member: string) => boolean>>;

const everyMember = (member: string) => member !== 'ucDot11MacAddress'; // DOT11_MAC_ADDRESS is a plain array in C.
const only =
  (...members: string[]) =>
  (member: string) =>
    members.includes(member);

/**
 * The structs by the headers they are in, and which of their members the simulator's header has by
 * the same name.
 */
const structs: Members = {
  GUID: everyMember,
  DOT11_MAC_ADDRESS: everyMember,
  NET_LUID: everyMember,
  SOCKADDR_INET: only('si_family'),
  MIB_IF_ROW2: everyMember,
  MIB_IPINTERFACE_ROW: only('Family', 'InterfaceLuid', 'InterfaceIndex', 'InterfaceIdentifier', 'NlMtu', 'Connected'),
  MIB_UNICASTIPADDRESS_ROW: everyMember,
  MIB_UNICASTIPADDRESS_TABLE: everyMember,
  MIB_IPNET_ROW2: everyMember,
  MIB_IPNET_TABLE2: everyMember,
  DEVPROPKEY: everyMember,
  DEVPROPCOMPKEY: everyMember,
  DEVPROPERTY: everyMember,
  DEVPROP_FILTER_EXPRESSION: everyMember,
  DEV_OBJECT: everyMember,
  DEV_QUERY_RESULT_ACTION_DATA: everyMember,
};

const errors = (compiler: string, header: string, assertions: readonly string[]) =>
  compilerErrors(compiler, [header, '#include <stddef.h>', ...assertions].join('\n'));

/**
 * What a compiler has to say against each struct. It is asked once for all of them, as it takes a
 * second for each reading of the Windows headers; the checks of a struct stand in a file of its
 * name, and what names no such file is against every struct.
 */
function errorsByStruct(compiler: string, header: string, all: Members): (name: string) => string {
  let lines: readonly string[] | undefined;
  return (name) => {
    lines ??= errors(
      compiler,
      header,
      Object.entries(all).flatMap(([each, has]) => [`#line 1 "${each}"`, ...layout(each, has)]),
    ).split('\n');
    return lines.filter((line) => fileOf(line) === name || (isError(line) && !(fileOf(line) in all))).join('\n');
  };
}

const withMingw = hasCompiler(mingw) ? test : test.skip;
const onWindows: Members = { ...structs, SOCKADDR_IN: everyMember, SOCKADDR_IN6: everyMember };

for (const [all, header, compiler, where] of [
  [onWindows, windowsHeaders, mingw, 'on Windows'],
  [structs, simulatorHeader, mingw, 'in the simulator for Windows'],
  [structs, simulatorHeader, 'cc', 'in the simulator'],
] as const) {
  const errorsOf = errorsByStruct(compiler, header, all);
  for (const name of Object.keys(all)) {
    const isMingw = compiler === mingw;
    (isMingw ? withMingw : test)(`${name} is laid out as ${where}${isMingw ? ` (needs ${mingw})` : ''}`, (t) => {
      t.is(errorsOf(name), '');
    });
  }
}

test('the addresses in a SOCKADDR_INET are where the simulator has them', (t) => {
  const assertions = [
    same('offsetof(SOCKADDR_INET, Ipv4)', koffi.offsetof('SOCKADDR_IN', 'sin_addr')),
    same('offsetof(SOCKADDR_INET, Ipv6.address)', koffi.offsetof('SOCKADDR_IN6', 'sin6_addr')),
    same('offsetof(SOCKADDR_INET, Ipv6.scope_id)', koffi.offsetof('SOCKADDR_IN6', 'sin6_scope_id')),
  ];
  t.is(errors('cc', simulatorHeader, assertions), '');
});

test('a wrong layout is told by the compiler', (t) => {
  t.regex(errors('cc', simulatorHeader, [same('offsetof(GUID, Data4)', 9)]), /koffi has 9/);
});
