/** Each rule of the house finds what breaks it, by file and line, and lets pass what does not. */
import test from 'ava';
import { type SourceFile, tidy } from './tidy.js';

function file(path: string, text = '', isMarked = false): SourceFile {
  return { path, text, isMarked };
}

/** What the rules say of one file: `line: rule`. */
function said(path: string, text = '', isMarked = false): string[] {
  return tidy([file(path, text, isMarked)]).map(({ line, rule }) => `${line}: ${rule}`);
}

const allowed: readonly (readonly [path: string, text: string])[] = [
  ['service/session/lifecycle.ts', "import { step } from './machine.js';"],
  ['service/session/lifecycle.ts', "import type { Driver } from '../driver/driver.js';"],
  ['service/session/lifecycle.ts', "import { type Completion, type Driver } from '../driver/driver.js';"],
  ['service/session/lifecycle.ts', "import { Subject } from 'rxjs';"],
  ['service/driver/wlan-driver.ts', "import { winerror } from '../../native/constants.js';"],
  ['service/composition.ts', "import { openSimulatorControl } from '../native/simulator-control.js';"],
  ['service/main.ts', "import { Daemon } from './daemon.js';"],
  ['service/codec/limits.ts', "import type { Config } from '../config/schema.js';"],
  [
    'service/grpc/status.ts',
    "import { status } from '@grpc/grpc-js';\nimport { x } from '../../proto/gen/wifidirect/v1/error.js';",
  ],
  ['service/config/schema/leaf.ts', "import * as z from 'zod';\nimport { x } from '../keys.js';"],
  ['clients/ctl/src/open.ts', "import { connect } from '../../typescript/src/client.js';"],
  ['test/story/demo.ts', "import koffi from 'koffi';\nimport { x } from '../../service/session/machine.js';"],
  ['native/library.ts', "import koffi from 'koffi';\nimport { basename } from 'node:path';"],
  ['service/session/machine.ts', "import type { Fault } from '../fault.js';\nimport { end } from './transition.js';"],
];
for (const [path, text] of allowed) {
  test(`${path} may say ${JSON.stringify(text)}`, (t) => {
    t.deepEqual(said(path, text), []);
  });
}

const forbidden: readonly (readonly [path: string, text: string, rule: string])[] = [
  [
    'service/session/lifecycle.ts',
    "import { WlanDriver } from '../driver/wlan-driver.js';",
    'service/session does not import service/driver/wlan-driver.ts',
  ],
  [
    'service/session/lifecycle.ts',
    "import { Driver } from '../driver/driver.js';",
    'service/session does not import values of service/driver/driver.ts',
  ],
  [
    'service/session/lifecycle.ts',
    "import { type A, b } from '../driver/driver.js';",
    'service/session does not import values of service/driver/driver.ts',
  ],
  [
    'service/session/lifecycle.ts',
    "import '../driver/driver.js';",
    'service/session does not import values of service/driver/driver.ts',
  ],
  [
    'service/events/log.ts',
    "import type { Session } from '../session/session.js';",
    'service/events does not import service/session/session.ts',
  ],
  [
    'service/driver/link-watch.ts',
    "export { x } from '../session/lifecycle.js';",
    'service/driver does not import service/session/lifecycle.ts',
  ],
  [
    'service/api/host-service.ts',
    "import type { Config } from '../config/schema.js';",
    'service/api does not import service/config/schema.ts',
  ],
  [
    'service/grpc/server.ts',
    "import { loadLibraries } from '../../native/load.js';",
    'service/grpc does not import native/load.ts',
  ],
  [
    'service/api/session-service.ts',
    "import { status } from '@grpc/grpc-js';",
    '@grpc/grpc-js belongs to service/grpc, clients/typescript',
  ],
  [
    'service/api/stream-call.ts',
    "import { Gate } from '../grpc/gate.js';",
    'service/api does not import service/grpc/gate.ts',
  ],
  [
    'service/session/lifecycle.ts',
    "import { x } from '../../test/session/life.js';",
    'service/session does not import test/session/life.ts',
  ],
  [
    'service/session/lifecycle.ts',
    "import { x } from '../../clients/typescript/src/watch.js';",
    'service/session does not import clients/typescript/src/watch.ts',
  ],
  [
    'clients/typescript/src/watch.ts',
    "import { x } from '../../../service/fault.js';",
    'clients/typescript does not import service/fault.ts',
  ],
  [
    'clients/ctl/src/open.ts',
    "import { x } from '../../../service/fault.js';",
    'clients/ctl does not import service/fault.ts',
  ],
  ['native/load.ts', "import { x } from '../service/fault.js';", 'native does not import service/fault.ts'],
  ['native/load.ts', "import { x } from './simulator/build.js';", 'native does not import native/simulator/build.ts'],
  [
    'service/daemon.ts',
    "await import('../native/simulator/build.js');",
    'service/daemon.ts does not import native/simulator/build.ts',
  ],
  [
    'service/main.ts',
    "import { Lifecycle } from './session/lifecycle.js';",
    'service/main.ts does not import service/session/lifecycle.ts',
  ],
  [
    'service/session/session.ts',
    "import { ok } from '../fault.js';",
    'it is pure, and imports values of service/fault.ts',
  ],
  [
    'service/session/machine.ts',
    "import { randomUUID } from 'node:crypto';",
    'it is pure, and imports values of node:crypto',
  ],
  [
    'service/session/registry.ts',
    "import { Subject } from 'rxjs';",
    'rxjs belongs to service/api, service/device, service/driver',
  ],
  [
    'service/session/lifecycle.ts',
    "import { status } from '@grpc/grpc-js';",
    '@grpc/grpc-js belongs to service/grpc, clients/typescript',
  ],
  ['service/driver/wlan-driver.ts', "import type { KoffiFunction } from 'koffi';", 'koffi belongs to native'],
  [
    'service/codec/status.ts',
    "import { x } from '@bufbuild/protobuf/wire';\nimport lodash from 'lodash/fp';",
    'no room has the package lodash',
  ],
  ['service/loose.ts', '', 'every source file belongs to a room'],
];
for (const [path, text, rule] of forbidden) {
  test(`${path} may not say ${JSON.stringify(text)}`, (t) => {
    const [first = '', ...more] = said(path, text);
    t.true(first.slice(first.indexOf(' ') + 1).startsWith(rule), first);
    t.deepEqual(more, []);
  });
}

test('a violation is at the line of its import, also where that goes over several', (t) => {
  const text = `/** A file. */\nimport {\n  type A,\n  b,\n} from '../driver/driver.js';\nimport type {\n  C,\n} from '../driver/driver.js';\n`;
  t.deepEqual(said('service/session/lifecycle.ts', text), [
    '2: service/session does not import values of service/driver/driver.ts',
  ]);
});

test('what looks like an import in a comment or a string is none', (t) => {
  const text = "// import { x } from 'lodash';\n *   import y from 'lodash';\nconst text = \"from 'lodash'\";\n";
  t.deepEqual(said('service/session/lifecycle.ts', text), []);
});

test('a file has at most 500 lines, with or without a newline at its end, or says why', (t) => {
  for (const path of [
    'service/session/long.ts',
    'native/simulator/long.c',
    'test/long.test.ts',
    'clients/go/long.go',
  ]) {
    t.deepEqual(said(path, 'x;\n'.repeat(500)), [], path);
    t.deepEqual(
      said(path, 'x;\n'.repeat(501)),
      ['501: a file has at most 500 lines or says why, this one has 501'],
      path,
    );
    t.deepEqual(
      said(path, `${'x;\n'.repeat(500)}x;`),
      ['501: a file has at most 500 lines or says why, this one has 501'],
      path,
    );
    const why = '/*\n * All of it.\n *\n * More than 500 lines, because it is one table.\n */\n';
    t.deepEqual(said(path, `${why}${'x;\n'.repeat(501)}`), [], path);
  }
});

test('a comment has at most 100 columns; code, and what can not be broken, may have more', (t) => {
  const long = 'word '.repeat(25).trim();
  const rule = (columns: number) => `1: a comment has at most 100 columns, this one has ${columns}`;
  t.deepEqual(said('service/session/a.ts', `// ${long}`), [rule(127)]);
  t.deepEqual(said('native/simulator/a.c', ` * ${long}`), [rule(127)]);
  t.deepEqual(said('clients/python/src/a.py', `# ${long}`), [rule(126)]);
  t.deepEqual(said('proto/wifidirect/v1/a.proto', `  // ${long}`), [rule(129)]);
  t.deepEqual(said('service/session/a.ts', `const text = '${long}';`), []);
  t.deepEqual(said('service/session/a.ts', `// https://example.test/${'x'.repeat(120)}`), []);
});

test('what is exported is imported somewhere', (t) => {
  const alone = file('service/session/a.ts', 'export function used() {}\nexport const unused = 1;\n');
  const user = file('service/session/b.ts', "import { used } from './a.js';\nused();\n");
  t.deepEqual(
    tidy([alone, user]).map(({ line, rule }) => `${line}: ${rule}`),
    ['2: no other file imports unused: do not export it'],
  );
});

test('a room of the daemon has at most 18 files', (t) => {
  const files = Array.from({ length: 19 }, (_, index) => file(`service/session/f${index}.ts`));
  t.deepEqual(tidy(files.slice(1)), []);
  t.is(tidy(files)[0]?.rule, 'a room has at most 18 files, this one has 19: cut it by meaning');
});

test('prose, data, and what is generated or not ours may be longer', (t) => {
  const long = 'x\n'.repeat(1000);
  for (const path of ['README.md', 'package-lock.json', 'proto/wifidirect/v1/session.proto'])
    t.deepEqual(said(path, long), []);
  t.deepEqual(said('proto/gen/wifidirect/v1/session.ts', long, true), []);
});

test('nothing else lies at the top level', (t) => {
  for (const path of ['docs/a.md', 'Makefile', 'tools/x.ts', 'index.js']) {
    t.regex(said(path).join(), /nothing else lies at the top level/, path);
  }
  const usual = [
    '.gitignore',
    '.ci/run',
    'LICENSE',
    'buf.gen.yaml',
    'tsconfig.json',
    'package-lock.json',
    'ava.config.js',
  ];
  for (const path of usual) t.deepEqual(said(path), [], path);
});

test('there is no index.ts, but where a generator makes one', (t) => {
  t.deepEqual(said('service/session/index.ts'), ['1: no index.ts: import the file that has the thing']);
  t.deepEqual(said('proto/gen/index.ts', '', true), []);
});

test('the daemon does not know that there is a simulator, but where it must', (t) => {
  const text = 'a\n/** As the Simulator has it. */\n';
  for (const path of ['service/session/lifecycle.ts', 'service/driver/wlan-driver.ts', 'service/grpc/server.ts']) {
    t.deepEqual(said(path, text), ['2: the word "simulator" stays out of service/'], path);
  }
  const where = ['config/schema.ts', 'main.ts', 'daemon.ts', 'simulator/service.ts', 'bundle/windows.ts'];
  for (const path of where) t.deepEqual(said(`service/${path}`, text), [], path);
  t.deepEqual(said('native/load.ts', text), []);
});

test('a generated file is marked in .gitattributes, by its folder or by what it says of itself', (t) => {
  const rule = '1: a generated file is marked in .gitattributes';
  t.true(said('clients/go/gen/session.pb.go').includes(rule));
  t.deepEqual(
    said('clients/python/src/session_pb2.py', '# -*- coding: utf-8 -*-\n# Generated by protoc.  DO NOT EDIT!\n'),
    [rule],
  );
  t.deepEqual(said('clients/go/gen/session.pb.go', '// Code generated', true), []);
});

test('files are named as their language has it', (t) => {
  t.deepEqual(said('service/session/requestMemory.ts'), ['1: TypeScript files are named in kebab-case']);
  t.deepEqual(said('native/simulator/link-watch.c'), ['1: C and proto: names in snake_case']);
  t.deepEqual(said('proto/wifidirect/v1/Session.proto'), ['1: C and proto: names in snake_case']);
});

test('types have names that say something', (t) => {
  const text =
    'class SessionManager {}\ninterface ISession {}\ntype Impl = 1;\nabstract class X {}\ninterface IpRow {}\n';
  t.deepEqual(
    said('service/session/x.ts', text).map((line) => line.slice(0, line.indexOf(' says'))),
    ['1: "SessionManager"', '2: "ISession"', '3: "Impl"'],
  );
});

test('files that import each other are found, by a third one too, and by types alone', (t) => {
  const two = [
    file('native/a.ts', "import type { B } from './b.js';"),
    file('native/b.ts', "import { c } from './c.js';"),
    file('native/c.ts', "import { a } from './a.js';\nimport { d } from './d.js';"),
    file('native/d.ts', "import { join } from 'node:path';"),
    file('test/x.test.ts', "import './x.test.js';"),
  ];
  t.deepEqual(tidy(two), [
    { file: 'native/a.ts', line: 1, rule: 'a cycle of files: native/a.ts, native/b.ts, native/c.ts' },
    { file: 'test/x.test.ts', line: 1, rule: 'a file does not import itself' },
  ]);
  t.deepEqual(tidy(two.slice(1)).length, 1);
});

test('modules of Rust that use each other are found; links in comments and tests are no use', (t) => {
  const rust = (name: string, text: string) => file(`clients/rust/src/${name}.rs`, text);
  const client = rust('cable', 'use crate::connect::Builder;');
  t.deepEqual(tidy([client, rust('connect', '/// See [`Client`](crate::cable::Client).\nuse crate::tls::Tls;')]), []);
  t.deepEqual(tidy([client, rust('connect', ''), rust('connect/tests', 'use crate::cable::Client;')]), []);
  t.deepEqual(tidy([client, rust('connect', 'fn f() -> crate::cable::Client {}')]), [
    {
      file: 'clients/rust/src/cable.rs',
      line: 1,
      rule: 'a cycle of files: clients/rust/src/cable.rs, clients/rust/src/connect.rs',
    },
  ]);
});

test('a violation names its file', (t) => {
  t.deepEqual(tidy([file('service/fault.ts'), file('stray.txt')]), [
    { file: 'stray.txt', line: 1, rule: 'nothing else lies at the top level' },
  ]);
});
