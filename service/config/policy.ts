/** What the keys demand of each other and of the host: findings about a Config whose every value is valid by itself. */
import { accessSync, closeSync, constants, openSync, readSync } from 'node:fs';
import { isExposed, parseCollectorUrl } from './collector.js';
import { chooseDriver } from './driver.js';
import { keys, valueAt } from './keys.js';
import { isLocal, type ListenAddress, parseListenAddress } from './listen.js';
import { isMissing } from './missing.js';
import { connectionsWithin } from './open-files.js';
import { sourceOf } from './role-binding.js';
import type { Config, KeyPath } from './schema.js';

export interface Finding {
  /** An error keeps the daemon from starting, a warning is logged at every start. */
  readonly severity: 'error' | 'warning';
  /** The keys it is about, the one to blame first; none where it is about the file of the configuration itself. */
  readonly keys: readonly KeyPath[];
  readonly message: string;
  readonly remedy: string;
}

export interface Host {
  readonly platform: NodeJS.Platform;
  /** How many threads libuv's pool has. */
  readonly poolThreads: number;
  /** How many files the process may have open; undefined where there is no limit. */
  readonly openFilesMax: number | undefined;
}

/** Threads of the pool that native calls must leave free, or files and names wait behind them. */
const FREE_THREADS_MIN = 2;

/** Native calls that are not slow: one that begins a session, one that ends one, one that looks, whatever hangs in the others. */
const QUICK_CALLS_MIN = 3;

/** The first of each pair may not be above the second. */
const ORDERED: readonly (readonly [KeyPath, KeyPath])[] = [
  ['session.openTimeoutMs', 'session.openTimeoutMaxMs'],
  ['session.leaseTtlMinMs', 'session.leaseTtlMaxMs'],
  ['limits.sessionsPerPrincipalMax', 'limits.sessionsMax'],
  ['limits.watchersPerPrincipalMax', 'limits.watchersMax'],
  ['limits.watchedIdsPerPrincipalMax', 'limits.watchedIdsMax'],
  ['limits.requestsPerPrincipalMax', 'limits.requestsInFlightMax'],
  ['limits.callsPerPrincipalMax', 'limits.callsMax'],
  ['limits.connectionsPerAddressMax', 'limits.connectionsMax'],
  ['limits.unidentifiedConnectionsPerAddressMax', 'limits.unidentifiedConnectionsMax'],
  ['events.batchEventsMax', 'events.watcherQueueEventsMax'],
  ['events.watcherQueueEventsMax', 'events.logEventsMax'],
  ['driver.reopenBackoffMinMs', 'driver.reopenBackoffMaxMs'],
];

/** What one principal may have of each kind of call. */
const CALLS_OF_A_PRINCIPAL: readonly KeyPath[] = [
  'limits.sessionsPerPrincipalMax',
  'limits.watchersPerPrincipalMax',
  'limits.requestsPerPrincipalMax',
];

/** The first of each pair means nothing without the second. */
const NEEDED: readonly (readonly [KeyPath, KeyPath])[] = [
  ['tls.certFile', 'tls.keyFile'],
  ['tls.keyFile', 'tls.certFile'],
  ['tls.keyPassphrase', 'tls.keyFile'],
  ['tls.clientCaFile', 'tls.certFile'],
  ['tls.requireClientCertificate', 'tls.clientCaFile'],
  ['tls.clientDenyFile', 'tls.clientCaFile'],
  ['access.jwt.jwksFile', 'access.jwt.issuer'],
  ['access.jwt.jwksFile', 'access.jwt.audience'],
  ['access.jwt.issuer', 'access.jwt.jwksFile'],
  ['access.jwt.audience', 'access.jwt.jwksFile'],
  ['traces.headers', 'traces.endpoint'],
  ['traces.caFile', 'traces.endpoint'],
  ['metrics.headers', 'metrics.endpoint'],
  ['metrics.caFile', 'metrics.endpoint'],
];

/** Everything that the configuration as a whole gets wrong on this host. */
export function* findings(config: Config, host: Host): Iterable<Finding> {
  yield* findOrder(config);
  yield* findUnreachable(config);
  yield* findMissing(config);
  yield* findExposure(config);
  yield* findCollector(config, 'traces', 'Spans');
  yield* findCollector(config, 'metrics', 'Metrics');
  yield* findAccess(config);
  yield* findPlatform(config, host);
  yield* findOpenFiles(config, host);
  yield* findUnreadable(config);
  yield* findNoLibrary(config);
}

function* findOrder(config: Config): Iterable<Finding> {
  const { slowCallsMax, nativeCallsMax } = config.driver;
  if (slowCallsMax + QUICK_CALLS_MIN > nativeCallsMax) {
    yield error(
      ['driver.slowCallsMax', 'driver.nativeCallsMax'],
      `driver.slowCallsMax (${slowCallsMax}) leaves fewer than ${QUICK_CALLS_MIN} of driver.nativeCallsMax (${nativeCallsMax}) to the other calls.`,
      'Lower the first or raise the second.',
    );
  }
  for (const [lower, upper] of ORDERED) {
    const [low, high] = [Number(valueAt(config, lower)), Number(valueAt(config, upper))];
    if (low <= high) continue;
    yield error(
      [lower, upper],
      `${lower} (${low}) is above ${upper} (${high}).`,
      'Lower the first or raise the second.',
    );
  }
}

/** Limits that another one keeps from ever being reached. */
function* findUnreachable(config: Config): Iterable<Finding> {
  const { callsPerPrincipalMax } = config.limits;
  const needed = CALLS_OF_A_PRINCIPAL.reduce((sum, key) => sum + Number(valueAt(config, key)), 0);
  if (needed <= callsPerPrincipalMax) return;
  yield {
    severity: 'warning',
    keys: ['limits.callsPerPrincipalMax', ...CALLS_OF_A_PRINCIPAL],
    message: `One principal may have fewer calls (${callsPerPrincipalMax}) than sessions, watches and requests together (${needed}), and is refused before it has them all.`,
    remedy: `Raise it to ${needed}, or lower ${CALLS_OF_A_PRINCIPAL.join(', ')}.`,
  };
}

function* findMissing(config: Config): Iterable<Finding> {
  for (const [key, needed] of NEEDED) {
    if (!valueAt(config, key) || valueAt(config, needed)) continue;
    yield error([key, needed], `${key} means nothing without ${needed}.`, `Set ${needed} too, or take ${key} out.`);
  }
}

function* findExposure(config: Config): Iterable<Finding> {
  const exposed = config.listen.map(parseListenAddress).some((address) => !isLocal(address));
  const hasTls = config.tls.certFile !== null;
  const knowsCallers = config.access.mode === 'authenticated' || config.tls.requireClientCertificate;
  if (exposed && config.insecureNonLoopback && !(hasTls && knowsCallers)) {
    const lack = hasTls ? 'without asking who calls' : 'without TLS';
    yield {
      severity: 'warning',
      keys: ['insecureNonLoopback', 'listen'],
      message: `The daemon is open to the network ${lack}: whoever reaches it may open radio links on this host.`,
      remedy: 'Outside a laboratory, set up TLS and authentication and take insecureNonLoopback out.',
    };
  } else if (exposed && !hasTls) {
    yield error(
      ['listen', 'tls.certFile'],
      'An address other than loopback is served with TLS only.',
      'Set tls.certFile and tls.keyFile, or listen on 127.0.0.1; in a laboratory, --insecure-non-loopback.',
    );
  } else if (exposed && !knowsCallers) {
    yield error(
      ['listen', 'access.mode'],
      'An address other than loopback is served to known callers only.',
      'Set access.mode to authenticated, or tls.requireClientCertificate to true; in a laboratory, --insecure-non-loopback.',
    );
  }
  const hasSocket = config.listen.map(parseListenAddress).some(({ kind }) => kind === 'unix');
  if (hasSocket && config.access.mode === 'anonymous' && (Number.parseInt(config.socketMode, 8) & 0o002) !== 0) {
    yield error(
      ['socketMode', 'access.mode', 'listen'],
      'Everybody on this host could connect to the socket, and whoever connects has all rights.',
      'Set access.mode to authenticated, or socketMode to 0660 and let a group in.',
    );
  }
  const metricsAddress = config.metrics.listen === null ? undefined : parseListenAddress(config.metrics.listen);
  if (metricsAddress !== undefined && !isLocal(metricsAddress)) {
    const isAllowed = config.insecureNonLoopback;
    yield {
      severity: isAllowed ? 'warning' : 'error',
      keys: ['metrics.listen', 'insecureNonLoopback'],
      message: `Metrics have neither TLS nor authentication, and ${isAllowed ? 'the network can read them' : 'are served on loopback only'}.`,
      remedy: 'Use 127.0.0.1, and let a local agent collect them.',
    };
  }
}

/** What is wrong with the way to a collector, of spans or of metrics. */
function* findCollector(config: Config, group: 'traces' | 'metrics', what: string): Iterable<Finding> {
  const { endpoint, caFile } = config[group];
  if (endpoint === null) return;
  const url = parseCollectorUrl(endpoint);
  if (isExposed(url) && config.insecureNonLoopback) {
    yield {
      severity: 'warning',
      keys: [`${group}.endpoint`, 'insecureNonLoopback'],
      message: `${what}, and the headers that go with them, cross the network unencrypted.`,
      remedy: 'Outside a laboratory, use https, or let a collector on 127.0.0.1 pass them on.',
    };
  } else if (isExposed(url)) {
    yield error(
      [`${group}.endpoint`],
      `${what}, and the headers that go with them, leave this host over https only.`,
      'Use https, or let a collector on 127.0.0.1 pass them on; in a laboratory, --insecure-non-loopback.',
    );
  }
  if (url.pathname === '/') {
    yield {
      severity: 'warning',
      keys: [`${group}.endpoint`],
      message: 'The URL has no path, and most collectors answer 404 there.',
      remedy: `Use ${url.origin}/v1/${group}, where collectors take OTLP over HTTP, unless yours differs.`,
    };
  }
  if (url.protocol === 'http:' && caFile !== null) {
    yield error(
      [`${group}.caFile`, `${group}.endpoint`],
      `${group}.caFile means nothing where the collector is reached over http.`,
      `Use https in ${group}.endpoint, or take ${group}.caFile out.`,
    );
  }
}

function* findAccess(config: Config): Iterable<Finding> {
  const { access, tls } = config;
  if (access.mode === 'anonymous') {
    const idle: [KeyPath, boolean][] = [
      ['access.tokensFile', access.tokensFile !== null],
      ['access.jwt.jwksFile', access.jwt.jwksFile !== null],
      ['access.roles', access.roles.length > 0],
      ['access.rolesFile', access.rolesFile !== null],
    ];
    for (const [key] of idle.filter(([, isSet]) => isSet)) {
      yield error(
        [key, 'access.mode'],
        `${key} is set, yet access.mode is anonymous: every caller has all rights.`,
        `Set access.mode to authenticated, or take ${key} out.`,
      );
    }
    return;
  }
  if (access.tokensFile === null && access.jwt.jwksFile === null && tls.clientCaFile === null) {
    yield error(
      ['access.mode', 'access.tokensFile', 'access.jwt.jwksFile', 'tls.clientCaFile'],
      'There is no credential by which anybody could be known.',
      'Set access.tokensFile, access.jwt.jwksFile or tls.clientCaFile.',
    );
  }
  if (access.roles.length === 0 && access.rolesFile === null) {
    yield error(
      ['access.roles', 'access.mode', 'access.rolesFile'],
      'No principal has a role, so every call would be refused.',
      'Bind at least one in access.roles, such as { role: admin, principals: ["token:ops-*"] }.',
    );
  }
  yield* findMixed(config);
}

/** Where several sources name callers, a pattern for all of them lets each source make anybody of the others. */
function* findMixed({ access, tls }: Config): Iterable<Finding> {
  const sources = [
    ...(access.tokensFile === null ? [] : ['token:']),
    ...(access.jwt.jwksFile === null ? [] : ['jwt:']),
    ...(tls.clientCaFile === null ? [] : ['cert:']),
  ];
  const patterns = access.roles.flatMap(({ principals }) => principals);
  const open = [...new Set(patterns.filter((pattern) => sourceOf(pattern) === undefined))];
  if (sources.length < 2 || open.length === 0) return;
  const shown = open.slice(0, 5).map((pattern) => JSON.stringify(pattern));
  yield {
    severity: 'warning',
    keys: ['access.roles'],
    message: `Callers of ${sources.length} sources can meet ${shown.join(', ')}${open.length > 5 ? ', ...' : ''}: whoever one source calls so has the role, too.`,
    remedy: `Say which source is meant, such as "${sources[0]}${open[0]}" (${sources.join(', ')}).`,
  };
}

function* findPlatform(config: Config, { platform, poolThreads }: Host): Iterable<Finding> {
  const isWindows = platform === 'win32';
  if (!isWindows && config.driver.kind === 'wlanapi') {
    yield error(['driver.kind'], 'wlanapi.dll exists on Windows only.', 'Set it to simulator, or run wfdd on Windows.');
  }
  if (config.driver.simulatorService && chooseDriver(config, platform).kind !== 'simulator') {
    yield error(
      ['driver.simulatorService', 'driver.kind'],
      'The service of the simulator needs the simulator, and the driver is wlanapi.',
      'Add --driver simulator, or take simulatorService out.',
    );
  }
  const foreign: ListenAddress['kind'] = isWindows ? 'unix' : 'pipe';
  if (config.listen.some((address) => parseListenAddress(address).kind === foreign)) {
    yield error(
      ['listen'],
      isWindows ? 'Node has no Unix sockets on Windows.' : 'Named pipes exist on Windows only.',
      isWindows ? 'Use "pipe:name" there.' : 'Use "unix:/path" here.',
    );
  }
  if (config.driver.nativeCallsMax + FREE_THREADS_MIN > poolThreads) {
    yield {
      severity: 'warning',
      keys: ['driver.nativeCallsMax'],
      message: `So many native calls can take all but ${Math.max(0, poolThreads - config.driver.nativeCallsMax)} of the ${poolThreads} threads of the pool, and files and names then wait.`,
      remedy: `Lower it to ${Math.max(config.driver.slowCallsMax + QUICK_CALLS_MIN, poolThreads - FREE_THREADS_MIN)}, or start with UV_THREADPOOL_SIZE=${config.driver.nativeCallsMax + FREE_THREADS_MIN} or more.`,
    };
  }
}

/** Running out of files would close connections silently, and stop metrics and logs too. */
function* findOpenFiles({ limits }: Config, { openFilesMax }: Host): Iterable<Finding> {
  const room = connectionsWithin(limits.connectionsMax, openFilesMax);
  if (room >= limits.connectionsMax) return;
  yield {
    severity: 'warning',
    keys: ['limits.connectionsMax'],
    message: `The process may have ${openFilesMax} files open, so it serves ${room} connections at once, not ${limits.connectionsMax}.`,
    remedy: `Raise the limit (ulimit -n, or LimitNOFILE of systemd) to ${limits.connectionsMax + (openFilesMax ?? 0) - room} or more, or lower the key.`,
  };
}

function* findUnreadable(config: Config): Iterable<Finding> {
  for (const { path, notes } of keys) {
    const file = valueAt(config, path);
    if (notes.file !== 'readable' || typeof file !== 'string') continue;
    try {
      accessSync(file, constants.R_OK);
    } catch (failure) {
      const isAbsent = isMissing(failure);
      yield error(
        [path],
        isAbsent ? 'There is no such file.' : `The file cannot be read: ${(failure as Error).message}.`,
        isAbsent
          ? `Put it there, or name another; it holds: ${lowerFirst(notes.description)}`
          : 'Let the account of the daemon read it.',
      );
    }
  }
}

/** What the files of libraries begin with: ELF, PE, and Mach-O of one processor and of several. */
const LIBRARY_BEGINS = ['7f454c46', '4d5a', 'cffaedfe', 'cafebabe'];

function* findNoLibrary({ driver: { simulatorLibrary } }: Config): Iterable<Finding> {
  const begin = simulatorLibrary === null ? undefined : beginOf(simulatorLibrary);
  if (begin === undefined || LIBRARY_BEGINS.some((known) => begin.startsWith(known))) return;
  yield error(
    ['driver.simulatorLibrary'],
    'The file is no library.',
    'Name libwfdsim.so or wfdsim.dll, or take the key out for the one that came with the daemon.',
  );
}

/** The first four bytes in hexadecimal; `undefined` where they can't be read, which has been said. */
function beginOf(file: string): string | undefined {
  try {
    const descriptor = openSync(file, 'r');
    try {
      const bytes = Buffer.alloc(4);
      return bytes.subarray(0, readSync(descriptor, bytes)).toString('hex');
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return undefined;
  }
}

function error(keysOfIt: Finding['keys'], message: string, remedy: string): Finding {
  return { severity: 'error', keys: keysOfIt, message, remedy };
}

function lowerFirst(sentence: string): string {
  return sentence.charAt(0).toLowerCase() + sentence.slice(1);
}
