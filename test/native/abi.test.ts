/** koffi's idea of every struct against C: the Windows headers by mingw-w64, the simulator's header by both compilers. */
import test from 'ava';
import koffi from 'koffi';
import '../../native/cfgmgr32.js';
import '../../native/netioapi.js';
import { compilerErrors, hasCompiler, mingw, simulatorHeader, windowsHeaders } from './compiler.js';
import { layout, same } from './layout.js';

const everyMember = (member: string) => member !== 'ucDot11MacAddress'; // DOT11_MAC_ADDRESS is a plain array in C.
const only =
  (...members: string[]) =>
  (member: string) =>
    members.includes(member);

/** The structs by the headers they are in, and which of their members the simulator's header has by the same name. */
const structs = {
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

const withMingw = hasCompiler(mingw) ? test : test.skip;

for (const name of [...Object.keys(structs), 'SOCKADDR_IN', 'SOCKADDR_IN6']) {
  withMingw(`${name} is laid out as on Windows (needs ${mingw})`, (t) => {
    t.is(errors(mingw, windowsHeaders, layout(name, everyMember)), '');
  });
}

for (const [name, has] of Object.entries(structs)) {
  test(`${name} is laid out as in the simulator`, (t) => {
    t.is(errors('cc', simulatorHeader, layout(name, has)), '');
  });
  withMingw(`${name} is laid out as in the simulator for Windows (needs ${mingw})`, (t) => {
    t.is(errors(mingw, simulatorHeader, layout(name, has)), '');
  });
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
