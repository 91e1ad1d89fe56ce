/**
 * Checks keys against each other and against the host. Each value of the Config is already valid by
 * itself.
 */
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
  /** An error prevents the start. A warning is logged at every start. */
  readonly severity: 'error' | 'warning';
  /**
   * The keys concerned, most likely culprit first; empty if the finding is about the configuration
   * file itself.
   */
  readonly keys: readonly KeyPath[];
  readonly message: string;
  readonly remedy: string;
}

export interface Host {
  readonly platform: NodeJS.Platform;
  /** The number of threads in libuv's pool. */
  readonly poolThreads: number;
  /** The limit on open files of the process; undefined if there is none. */
  readonly openFilesMax: number | undefined;
}

/** Pool threads that native calls must leave free for file access and name resolution. */
const FREE_THREADS_MIN = 2;

/**
 * Native calls reserved for the quick lanes, so that one can start, one can end and one can query
 * while slow calls hang.
 */
const QUICK_CALLS_MIN = 3;

/** In each pair, the first key must not be above the second. */
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

/** The limits per principal for each kind of call. */
const CALLS_OF_A_PRINCIPAL: readonly KeyPath[] = [
  'limits.sessionsPerPrincipalMax',
  'limits.watchersPerPrincipalMax',
  'limits.requestsPerPrincipalMax',
];

/** In each pair, the first key has no effect without the second. */
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

/** All findings about this configuration on this host. */
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
      `driver.slowCallsMax (${slowCallsMax}) must be at least ${QUICK_CALLS_MIN} below driver.nativeCallsMax (${nativeCallsMax}).`,
      'Lower driver.slowCallsMax, or raise driver.nativeCallsMax.',
    );
  }
  for (const [lower, upper] of ORDERED) {
    const [low, high] = [Number(valueAt(config, lower)), Number(valueAt(config, upper))];
    if (low <= high) continue;
    yield error([lower, upper], `${lower} (${low}) is above ${upper} (${high}).`, `Lower ${lower}, or raise ${upper}.`);
  }
}

/** Limits that can never be reached because another limit is lower. */
function* findUnreachable(config: Config): Iterable<Finding> {
  const { callsPerPrincipalMax } = config.limits;
  const needed = CALLS_OF_A_PRINCIPAL.reduce((sum, key) => sum + Number(valueAt(config, key)), 0);
  if (needed <= callsPerPrincipalMax) return;
  yield {
    severity: 'warning',
    keys: ['limits.callsPerPrincipalMax', ...CALLS_OF_A_PRINCIPAL],
    message: `One principal can have ${callsPerPrincipalMax} calls, but its sessions, watches and requests together can be ${needed} calls.`,
    remedy: `Raise it to ${needed}, or lower ${CALLS_OF_A_PRINCIPAL.join(', ')}.`,
  };
}

function* findMissing(config: Config): Iterable<Finding> {
  for (const [key, needed] of NEEDED) {
    if (!valueAt(config, key) || valueAt(config, needed)) continue;
    yield error([key, needed], `${key} has no effect without ${needed}.`, `Set ${needed} too, or remove ${key}.`);
  }
}

function* findExposure(config: Config): Iterable<Finding> {
  const exposed = config.listen.map(parseListenAddress).some((address) => !isLocal(address));
  const hasTls = config.tls.certFile !== null;
  const knowsCallers = config.access.mode === 'authenticated' || config.tls.requireClientCertificate;
  if (exposed && config.insecureNonLoopback && !(hasTls && knowsCallers)) {
    const lack = hasTls ? 'without authentication' : 'without TLS';
    yield {
      severity: 'warning',
      keys: ['insecureNonLoopback', 'listen'],
      message: `The daemon is open to the network ${lack}: anyone who can reach it can open radio links on this host.`,
      remedy: 'Outside a laboratory, set up TLS and authentication, and remove insecureNonLoopback.',
    };
  } else if (exposed && !hasTls) {
    yield error(
      ['listen', 'tls.certFile'],
      'An address other than loopback requires TLS.',
      'Set tls.certFile and tls.keyFile, or listen on 127.0.0.1. In a laboratory, use --insecure-non-loopback.',
    );
  } else if (exposed && !knowsCallers) {
    yield error(
      ['listen', 'access.mode'],
      'An address other than loopback requires authentication.',
      'Set access.mode to authenticated, or tls.requireClientCertificate to true. In a laboratory, use --insecure-non-loopback.',
    );
  }
  const hasSocket = config.listen.map(parseListenAddress).some(({ kind }) => kind === 'unix');
  if (hasSocket && config.access.mode === 'anonymous' && (Number.parseInt(config.socketMode, 8) & 0o002) !== 0) {
    yield error(
      ['socketMode', 'access.mode', 'listen'],
      'Every account on this host can connect to the socket, and has all rights there.',
      'Set access.mode to authenticated, or set socketMode to 0660 and give access to a group.',
    );
  }
  const metricsAddress = config.metrics.listen === null ? undefined : parseListenAddress(config.metrics.listen);
  if (metricsAddress !== undefined && !isLocal(metricsAddress)) {
    const isAllowed = config.insecureNonLoopback;
    yield {
      severity: isAllowed ? 'warning' : 'error',
      keys: ['metrics.listen', 'insecureNonLoopback'],
      message: `Metrics have neither TLS nor authentication, ${isAllowed ? 'so everyone on the network can read them' : 'so they are served on loopback only'}.`,
      remedy: 'Listen on 127.0.0.1, and let a local agent collect the metrics.',
    };
  }
}

/** Checks the connection to a collector of spans or of metrics. */
function* findCollector(config: Config, group: 'traces' | 'metrics', what: string): Iterable<Finding> {
  const { endpoint, caFile } = config[group];
  if (endpoint === null) return;
  const url = parseCollectorUrl(endpoint);
  if (isExposed(url) && config.insecureNonLoopback) {
    yield {
      severity: 'warning',
      keys: [`${group}.endpoint`, 'insecureNonLoopback'],
      message: `${what} and their headers are sent over the network unencrypted.`,
      remedy: 'Outside a laboratory, use https, or a collector on 127.0.0.1 that forwards them.',
    };
  } else if (isExposed(url)) {
    yield error(
      [`${group}.endpoint`],
      `${what} and their headers are sent to other hosts over https only.`,
      'Use https, or a collector on 127.0.0.1 that forwards them. In a laboratory, use --insecure-non-loopback.',
    );
  }
  if (url.pathname === '/') {
    yield {
      severity: 'warning',
      keys: [`${group}.endpoint`],
      message: 'The URL has no path. Most collectors answer such requests with 404.',
      remedy: `Use ${url.origin}/v1/${group}, the usual path for OTLP over HTTP, unless your collector differs.`,
    };
  }
  if (url.protocol === 'http:' && caFile !== null) {
    yield error(
      [`${group}.caFile`, `${group}.endpoint`],
      `${group}.caFile has no effect, because ${group}.endpoint uses http.`,
      `Use https in ${group}.endpoint, or remove ${group}.caFile.`,
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
        `${key} is set, but access.mode is anonymous, which gives every caller all rights.`,
        `Set access.mode to authenticated, or remove ${key}.`,
      );
    }
    return;
  }
  if (access.tokensFile === null && access.jwt.jwksFile === null && tls.clientCaFile === null) {
    yield error(
      ['access.mode', 'access.tokensFile', 'access.jwt.jwksFile', 'tls.clientCaFile'],
      'Authentication is on, but no kind of credential is configured.',
      'Set access.tokensFile, access.jwt.jwksFile or tls.clientCaFile.',
    );
  }
  if (access.roles.length === 0 && access.rolesFile === null) {
    yield error(
      ['access.roles', 'access.mode', 'access.rolesFile'],
      'No principal has a role, so every call would be refused.',
      'Add a role binding to access.roles, such as { role: admin, principals: ["token:ops-*"] }.',
    );
  }
  yield* findMixed(config);
}

/**
 * If several sources name callers, a pattern without a source lets each of them impersonate the
 * callers of the others.
 */
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
    message: `${shown.join(', ')}${open.length > 5 ? ', ...' : ''} matches callers of ${sources.length} kinds of credential, so each kind can grant the role.`,
    remedy: `Add the kind of credential, for example "${sources[0]}${open[0]}" (${sources.join(', ')}).`,
  };
}

function* findPlatform(config: Config, { platform, poolThreads }: Host): Iterable<Finding> {
  const isWindows = platform === 'win32';
  if (!isWindows && config.driver.kind === 'wlanapi') {
    yield error(
      ['driver.kind'],
      'wlanapi.dll exists on Windows only.',
      'Set driver.kind to simulator, or run wfdd on Windows.',
    );
  }
  if (config.driver.simulatorService && chooseDriver(config, platform).kind !== 'simulator') {
    yield error(
      ['driver.simulatorService', 'driver.kind'],
      'driver.simulatorService needs the simulator, but the driver is wlanapi.',
      'Add --driver simulator, or remove driver.simulatorService.',
    );
  }
  const foreign: ListenAddress['kind'] = isWindows ? 'unix' : 'pipe';
  if (config.listen.some((address) => parseListenAddress(address).kind === foreign)) {
    yield error(
      ['listen'],
      isWindows ? 'Node does not support Unix sockets on Windows.' : 'Named pipes exist on Windows only.',
      isWindows ? 'Use "pipe:name".' : 'Use "unix:/path".',
    );
  }
  if (config.driver.nativeCallsMax + FREE_THREADS_MIN > poolThreads) {
    yield {
      severity: 'warning',
      keys: ['driver.nativeCallsMax'],
      message: `Native calls can use all but ${Math.max(0, poolThreads - config.driver.nativeCallsMax)} of the ${poolThreads} pool threads. File access and name resolution then have to wait.`,
      remedy: `Lower it to ${Math.max(config.driver.slowCallsMax + QUICK_CALLS_MIN, poolThreads - FREE_THREADS_MIN)}, or start with UV_THREADPOOL_SIZE=${config.driver.nativeCallsMax + FREE_THREADS_MIN} or more.`,
    };
  }
}

/**
 * A process without free file descriptors closes connections silently, and stops metrics and logs.
 */
function* findOpenFiles({ limits }: Config, { openFilesMax }: Host): Iterable<Finding> {
  const room = connectionsWithin(limits.connectionsMax, openFilesMax);
  if (room >= limits.connectionsMax) return;
  yield {
    severity: 'warning',
    keys: ['limits.connectionsMax'],
    message: `The limit on open files is ${openFilesMax}, so the daemon serves ${room} connections at once, not ${limits.connectionsMax}.`,
    remedy: `Raise the limit (ulimit -n, or LimitNOFILE in systemd) to ${limits.connectionsMax + (openFilesMax ?? 0) - room} or more, or lower limits.connectionsMax.`,
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
        isAbsent ? 'The file does not exist.' : `The file cannot be read: ${(failure as Error).message}.`,
        isAbsent
          ? `Create it, or name another file. It holds: ${lowerFirst(notes.description)}`
          : 'Give the account of the daemon read access.',
      );
    }
  }
}

/** The first bytes of library files: ELF, PE, Mach-O for one processor and for several. */
const LIBRARY_BEGINS = ['7f454c46', '4d5a', 'cffaedfe', 'cafebabe'];

function* findNoLibrary({ driver: { simulatorLibrary } }: Config): Iterable<Finding> {
  const begin = simulatorLibrary === null ? undefined : beginOf(simulatorLibrary);
  if (begin === undefined || LIBRARY_BEGINS.some((known) => begin.startsWith(known))) return;
  yield error(
    ['driver.simulatorLibrary'],
    'The file is not a library.',
    'Name libwfdsim.so or wfdsim.dll, or remove the key to use the library that came with the daemon.',
  );
}

/**
 * The first four bytes in hexadecimal; `undefined` if they cannot be read, which findUnreadable()
 * reports.
 */
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
