/**
 * Authentication and authorization. Every RPC passes `admit` before its request is read:
 *
 *     credentials -> identity -> roles -> may they call this RPC? -> Caller
 *
 * Invariant: the reason for a refusal goes to the log and not to the caller, and neither contains a
 * credential.
 *
 * While a call lasts, its credential and roles are checked again (`Caller.isRevoked`), so a revoked
 * or expired one ends streams too (D-49).
 */
import type { RoleBinding } from '../config/role-binding.js';
import type { Config } from '../config/schema.js';
import { type Fault, ok, quotaExceeded, type Result, refuse } from '../fault.js';
import { textOf } from '../files/utf8.js';
import { WatchedFiles } from '../files/watched-files.js';
import type { Log } from '../telemetry/log.js';
import { Audit, type AuditRecord } from './audit.js';
import { anonymous, type Caller, callerWith } from './caller.js';
import { type AccessObserver, Denials, type Origin } from './denials.js';
import { type Credentials, type Identified, type Identity, type Unidentified, unidentified } from './identity.js';
import type { JwtVerifier } from './jwt.js';
import { perVersion } from './per-version.js';
import { isView, mayCall, rolesOf } from './permissions.js';
import { identifyToken, type Token } from './tokens.js';

/** RFC 6750. A longer token is not even hashed. */
const BEARER = /^Bearer +([A-Za-z0-9._~+/-]{1,8192}={0,2})$/i;

/** Stands for all RPCs that the host does not serve. Callers can invent any number of names. */
const NOT_SERVED = 'unserved';

/** How often expiry is checked if files are not watched. */
const LOOK_INTERVAL_MS = 10_000;

/** The files that decide about callers, besides certificates. */
interface Sources {
  tokens?: WatchedFiles<readonly Token[]>;
  roles?: WatchedFiles<readonly RoleBinding[]>;
  keys?: { close(): void };
  jwt?: JwtVerifier;
}

export class Access {
  readonly denials: Denials;
  readonly #settings: Config['access'];
  readonly #sources: Sources;
  /** The bindings of the configuration and of the file. */
  readonly #bindings: () => readonly RoleBinding[];
  readonly #timer: NodeJS.Timeout;
  readonly #audit: Audit;

  private constructor(
    settings: Config['access'],
    { log, audit }: { readonly log: Log; readonly audit: Log },
    observer: AccessObserver,
    sources: Sources,
    onChanged: () => void,
  ) {
    this.#settings = settings;
    this.#audit = new Audit(audit);
    this.denials = new Denials(log, observer);
    this.#sources = sources;
    this.#bindings = perVersion(
      () => sources.roles?.current ?? [],
      (ofFile) => [...settings.roles, ...ofFile],
    );
    this.#timer = setInterval(onChanged, settings.reloadIntervalMs || LOOK_INTERVAL_MS).unref();
  }

  /**
   * Loads only the parsers that the settings need. Throws if a file cannot be used. `onChanged` is
   * called when callers may have been revoked, and periodically because credentials expire. Audit
   * records go to `audit`.
   */
  static async open(
    settings: Config['access'],
    log: Log,
    observer: AccessObserver,
    onChanged: () => void,
    audit: Log = log,
  ): Promise<Access> {
    const { tokensFile, rolesFile, jwt, reloadIntervalMs: intervalMs } = settings;
    const sources: Sources = {};
    const watch = <T>(what: string, file: string, parse: (text: string) => T) => {
      const load = ([content]: readonly Buffer[]) => parse(textOf(content));
      const onFailed = () => observer.onReloadFailed(what);
      return new WatchedFiles({ what, files: [file], intervalMs, load, onChanged, onFailed }, log);
    };
    if (tokensFile !== null) {
      const { parseTokens } = await import('./tokens-file.js');
      sources.tokens = watch('tokens', tokensFile, parseTokens);
    }
    if (rolesFile !== null) {
      const { parseRoles } = await import('./roles-file.js');
      sources.roles = watch('roles', rolesFile, parseRoles);
    }
    const { jwksFile, issuer, audience } = jwt;
    if (jwksFile !== null && issuer !== null && audience !== null) {
      const [{ JwtVerifier }, { parseKeySet }] = await Promise.all([import('./jwt.js'), import('./key-set.js')]);
      const keys = watch('keys of JWTs', jwksFile, parseKeySet);
      sources.keys = keys;
      sources.jwt = new JwtVerifier({ ...jwt, issuer, audience }, () => keys.current);
    }
    return new Access(settings, { log, audit }, observer, sources, onChanged);
  }

  /**
   * Accepts the call as a Caller, or refuses it. Synchronous, because a call that waited here would
   * not count in any quota.
   */
  admit(rpc: string, credentials: Credentials, origin: Origin): Result<Caller> {
    const nowMs = Date.now();
    const lost = lostCertificate(credentials, nowMs);
    if (lost !== undefined) return this.#refuse(rpc, lost, origin);
    const isLost = () => lostCertificate(credentials, Date.now()) !== undefined;
    if (this.#settings.mode === 'anonymous') return ok(anonymous(isLost));
    const identified = this.#identify(credentials, origin, nowMs);
    if (!identified.ok) return this.#refuse(rpc, identified, origin);
    return this.#permit(rpc, identified, isLost, origin);
  }

  /**
   * Whether the caller is authenticated, whatever its roles. Only such a caller learns that an RPC
   * is not served.
   */
  recognize(credentials: Credentials, origin: Origin): Result<void> {
    if (this.#settings.mode === 'anonymous') return ok(undefined);
    const identified = this.#identify(credentials, origin, Date.now());
    return identified.ok ? ok(undefined) : this.#refuse(NOT_SERVED, identified, origin);
  }

  #refuse(rpc: string, { why, principal, isTooMany }: Unidentified, origin: Origin): Result<never> {
    this.denials.call(rpc, 'UNAUTHENTICATED', { why, principal, ...origin });
    return refuse(isTooMany ? tooMany : unauthenticated);
  }

  #permit(rpc: string, identity: Identity, isLost: () => boolean, origin: Origin): Result<Caller> {
    const { principal } = identity;
    const roles = perVersion(this.#bindings, (bindings) => rolesOf(identity, bindings));
    if (mayCall(roles(), rpc)) {
      const isRevoked = () =>
        isLost() ||
        !identity.holds(Date.now()) ||
        !mayCall(roles(), rpc) ||
        (isView(rpc) && sawAll && !caller.maySeeAll());
      const caller = callerWith(principal, roles, isRevoked);
      const sawAll = caller.maySeeAll();
      return ok(caller);
    }
    const names = [...roles()];
    const why = names.length === 0 ? 'The principal has no role.' : `Its roles are ${names.join(', ')}.`;
    this.denials.call(rpc, 'PERMISSION_DENIED', { why, principal, ...origin });
    return refuse(permissionDenied(rpc, principal));
  }

  /** Writes an audit record. */
  audit(record: AuditRecord): void {
    const { principal, rpc, code, client, traceId } = record;
    if (code === 'PERMISSION_DENIED')
      this.denials.call(rpc, code, { why: 'The session belongs to another principal.', principal, client, traceId });
    this.#audit.keep(record);
  }

  close(): void {
    clearInterval(this.#timer);
    const { tokens, roles, keys } = this.#sources;
    for (const files of [tokens, roles, keys]) files?.close();
  }

  /**
   * A token takes precedence over the certificate of the connection. If there is a token, it must
   * be valid.
   */
  #identify({ authorization, certificate }: Credentials, { network }: Origin, nowMs: number): Identified {
    const { tokens, jwt } = this.#sources;
    const [header, ...others] = authorization;
    if (header !== undefined) {
      const token = BEARER.exec(header)?.[1];
      if (token === undefined || others.length > 0) {
        return unidentified('The authorization header is not a single Bearer token.');
      }
      const known = identifyToken(token, () => tokens?.current ?? [], nowMs);
      if (known !== undefined) return known;
      const isJwt = token.split('.').length === 3;
      return jwt !== undefined && isJwt
        ? jwt.identify(token, network ?? '', nowMs)
        : unidentified('The token is unknown.');
    }
    if (certificate === undefined) return unidentified('The call has no credential.');
    const { principal } = certificate;
    const problem = certificate.problem(nowMs);
    if (problem !== undefined) return unidentified(notTrusted(problem), principal);
    if (principal === undefined) return unidentified('The certificate does not name a principal.');
    return { ok: true, source: 'cert', principal, holds: (laterMs) => certificate.problem(laterMs) === undefined };
  }
}

/**
 * If the certificate of a connection is required and no longer trusted, the call is refused
 * whatever its token.
 */
function lostCertificate({ certificate }: Credentials, nowMs: number): Unidentified | undefined {
  const problem = certificate?.isRequired ? certificate.problem(nowMs) : undefined;
  return problem === undefined ? undefined : unidentified(notTrusted(problem), certificate?.principal);
}

function notTrusted(problem: string): string {
  return `The certificate is not trusted: ${problem}.`;
}

const unauthenticated: Fault = {
  reason: 'UNAUTHENTICATED',
  message: 'The call has no valid credential. Use a trusted client certificate or a valid bearer token.',
};

/** Ends the streams of a caller that would be refused now. */
export const revoked: Fault = {
  reason: 'UNAUTHENTICATED',
  message: 'Your credential or role has expired or was revoked. Call again with a valid credential.',
};

const tooMany: Fault = {
  ...quotaExceeded('network', 'false_tokens_per_second', 5),
  message: 'Too many invalid tokens came from your network. Retry in a few seconds.',
};

function permissionDenied(rpc: string, principal: string): Fault {
  return {
    reason: 'PERMISSION_DENIED',
    message: `No role of ${principal} allows ${rpc}.`,
    metadata: { rpc },
  };
}
