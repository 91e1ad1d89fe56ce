/**
 * The door of this room: who is calling, and may they. Every RPC asks `admit` before anything of its request is read.
 *
 *     credentials -> identity -> roles -> may they call this RPC at all? -> Caller, who knows whose sessions are theirs to see
 *
 * The rule that must not be broken: a caller learns that it is refused, and the log learns why; no credential is in either. A
 * credential counts as a call begins. A stream that stands outlives a certificate or token that expires, since a session hangs on
 * it, but not a token that is taken back: it is ended with `revoked`.
 */
import type { Config } from '../config/schema.js';
import { type Fault, ok, type Result, refuse } from '../fault.js';
import type { Log } from '../telemetry/log.js';
import { anonymous, type Caller, callerWith } from './caller.js';
import { type AccessObserver, Denials, type Origin } from './denials.js';
import { type Credentials, type Identified, unidentified } from './identity.js';
import type { JwtVerifier } from './jwt.js';
import { LineLimit } from './line-limit.js';
import { mayCall, rolesOf } from './permissions.js';
import { identifyToken, type Token } from './tokens.js';
import { textOf } from './utf8.js';
import { WatchedFiles } from './watched-files.js';

/** RFC 6750. What is longer than a header should be is not even hashed. */
const BEARER = /^Bearer +([A-Za-z0-9._~+/-]{1,8192}={0,2})$/i;

/** The codes of calls that changed nothing. */
const REFUSALS: ReadonlySet<string> = new Set([
  'INVALID_ARGUMENT',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'UNIMPLEMENTED',
]);

export interface AuditRecord {
  readonly principal: string;
  readonly rpc: string;
  readonly sessionId: string | undefined;
  readonly deviceAddress: string | undefined;
  readonly requestId: string | undefined;
  /** The name of the status code that the call was answered with. */
  readonly code: string;
  readonly client: string;
  readonly traceId: string | undefined;
}

/** What the settings say that callers are known by, beside certificates. */
interface Sources {
  tokens?: WatchedFiles<readonly Token[]>;
  keys?: { close(): void };
  jwt?: JwtVerifier;
}

export class Access {
  readonly denials: Denials;
  readonly #settings: Config['access'];
  readonly #log: Log;
  readonly #tokens: WatchedFiles<readonly Token[]> | undefined;
  readonly #keys: { close(): void } | undefined;
  readonly #jwt: JwtVerifier | undefined;
  readonly #refusals = new LineLimit();

  private constructor(settings: Config['access'], log: Log, observer: AccessObserver, sources: Sources) {
    this.#settings = settings;
    this.#log = log;
    this.denials = new Denials(log, observer);
    this.#tokens = sources.tokens;
    this.#keys = sources.keys;
    this.#jwt = sources.jwt;
  }

  /**
   * Loads what the settings need and no more: most hosts read no tokens, and none pays for a parser it doesn't use. Throws where a file
   * can't be used. `onRevoked` is told after tokens may have been taken back.
   */
  static async open(
    settings: Config['access'],
    log: Log,
    observer: AccessObserver,
    onRevoked: () => void,
  ): Promise<Access> {
    const { tokensFile, jwt, reloadIntervalMs: intervalMs } = settings;
    const sources: Sources = {};
    if (tokensFile !== null) {
      const { parseTokens } = await import('./tokens-file.js');
      const load = ([content]: readonly Buffer[]) => parseTokens(textOf(content));
      const files = [tokensFile];
      sources.tokens = new WatchedFiles({ what: 'tokens', files, intervalMs, load, changed: onRevoked }, log);
    }
    const { jwksFile, issuer, audience, principalClaim } = jwt;
    if (jwksFile !== null && issuer !== null && audience !== null) {
      const { JwtVerifier, parseKeySet } = await import('./jwt.js');
      const load = ([content]: readonly Buffer[]) => parseKeySet(textOf(content));
      const keys = new WatchedFiles({ what: 'keys of JWTs', files: [jwksFile], intervalMs, load }, log);
      sources.keys = keys;
      sources.jwt = new JwtVerifier({ issuer, audience, principalClaim }, () => keys.current);
    }
    return new Access(settings, log, observer, sources);
  }

  /** Lets the call in as somebody, or refuses it; in this turn, unless a JWT has to be checked. */
  admit(rpc: string, credentials: Credentials, origin: Origin): Result<Caller> | Promise<Result<Caller>> {
    if (this.#settings.mode === 'anonymous') return ok(anonymous);
    const identified = this.#identify(credentials);
    if (!(identified instanceof Promise)) return this.#permit(rpc, identified, origin);
    return identified.then((known) => this.#permit(rpc, known, origin));
  }

  #permit(rpc: string, identified: Identified, origin: Origin): Result<Caller> {
    if (!identified.ok) {
      const { why, principal } = identified;
      this.denials.call(rpc, 'UNAUTHENTICATED', { why, principal, ...origin });
      return refuse(unauthenticated);
    }
    const { principal, isRevoked } = identified;
    const roles = rolesOf(principal, this.#settings.roles);
    if (mayCall(roles, rpc)) return ok(callerWith(principal, roles, isRevoked));
    const why = roles.size === 0 ? 'The principal has no role.' : `Its roles are ${[...roles].join(', ')}.`;
    this.denials.call(rpc, 'PERMISSION_DENIED', { why, principal, ...origin });
    return refuse(permissionDenied(rpc, principal));
  }

  /** Keeps who changed what, and how it went; what was refused, unless there is too much of it. */
  audit(record: AuditRecord): void {
    const { traceId, ...rest } = record;
    const { principal, rpc, code, client } = rest;
    if (code === 'PERMISSION_DENIED')
      this.denials.call(rpc, code, { why: 'The session is not theirs.', principal, client, traceId });
    const turn = REFUSALS.has(code) ? this.#refusals.take() : {};
    if (turn !== undefined) {
      this.#log.info('audit', `${principal} called ${rpc}: ${code}.`, { ...rest, trace_id: traceId, ...turn });
    }
  }

  close(): void {
    this.#tokens?.close();
    this.#keys?.close();
  }

  /** A token says more than the connection it comes over, and one that is shown must be good. */
  #identify({ authorization, certificate, certificateProblem }: Credentials): Identified | Promise<Identified> {
    const nowMs = Date.now();
    const [header, ...others] = authorization;
    if (header !== undefined) {
      const token = BEARER.exec(header)?.[1];
      if (token === undefined || others.length > 0)
        return unidentified('The header authorization is not one Bearer token.');
      return (
        identifyToken(token, () => this.#tokens?.current ?? [], nowMs) ??
        (this.#jwt !== undefined && token.split('.').length === 3
          ? this.#jwt.identify(token, nowMs)
          : unidentified('The token is not known.'))
      );
    }
    if (certificateProblem !== undefined) return unidentified(`The certificate is not trusted: ${certificateProblem}.`);
    if (certificate === undefined) return unidentified('There is no credential.');
    const { principal, expireTimeMs } = certificate;
    if (principal === undefined) return unidentified('The certificate names nobody.');
    if (expireTimeMs <= nowMs) return unidentified('The certificate has expired.', principal);
    return { ok: true, principal };
  }
}

const unauthenticated: Fault = {
  reason: 'UNAUTHENTICATED',
  message: 'Nobody is known by what you showed: call with a trusted client certificate or a valid bearer token.',
};

/** For the streams of a caller whose token was taken back. */
export const revoked: Fault = { reason: 'UNAUTHENTICATED', message: 'Your credential has been taken back.' };

function permissionDenied(rpc: string, principal: string): Fault {
  return {
    reason: 'PERMISSION_DENIED',
    message: `No role of ${principal} allows ${rpc}.`,
    metadata: { rpc },
  };
}
