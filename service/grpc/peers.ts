/**
 * The peer of each connection: its network and its client certificate, read once. Whether the
 * certificate is trusted is checked again when the authorities or the deny list change.
 */
import type { X509Certificate } from 'node:crypto';
import type { Http2Session } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import type { ClientCertificate } from '../access/identity.js';
import { perVersion } from '../access/per-version.js';
import type { Config } from '../config/schema.js';
import { principalOf } from '../tls/certificate.js';
import { type Authorities, type DenyList, isAnchored, isDenied } from '../tls/client-trust.js';
import { networkOf } from './connections.js';
import { HANDSHAKE_TIMEOUT_MS, type TlsCredentials } from './credentials.js';

export interface Peer {
  /** The range that counts as one address; undefined if the connection is local. */
  readonly network: string | undefined;
  readonly certificate: ClientCertificate | undefined;
}

/** What the current `TlsCredentials` say about client certificates. */
type ClientTrust = Pick<TlsCredentials, 'authorities' | 'denied' | 'isCertificateRequired'>;

const unknown: Peer = { network: undefined, certificate: undefined };

export class Peers {
  readonly #principalFrom: Config['access']['principalFrom'];
  readonly #trust: ClientTrust | undefined;
  /** The start of each connection, on the clock of `performance.now()`. */
  readonly #began = new Map<Http2Session, number>();
  readonly #peers = new WeakMap<Http2Session, Peer>();

  /** Without `trust` there is no TLS, and there are no client certificates. */
  constructor(principalFrom: Config['access']['principalFrom'], trust: ClientTrust | undefined) {
    this.#principalFrom = principalFrom;
    this.#trust = trust;
  }

  /** Called for each connection that TLS has accepted. */
  begin(session: Http2Session): void {
    this.#began.set(session, performance.now());
    session.once('close', () => this.#began.delete(session));
  }

  /** Read once for each connection, because it costs as much as a small call. */
  of(session: Http2Session | undefined): Peer {
    if (session === undefined) return unknown;
    const known = this.#peers.get(session);
    if (known !== undefined) return known;
    const peer = this.#read(session);
    this.#peers.set(session, peer);
    return peer;
  }

  /** Closes the connections that would not be accepted now, once their streams have ended. */
  closeLost(): void {
    const nowMs = Date.now();
    for (const session of [...this.#began.keys()]) {
      const certificate = this.#peers.get(session)?.certificate;
      if (certificate?.isRequired && certificate.problem(nowMs) !== undefined) session.close();
    }
  }

  #read(session: Http2Session): Peer {
    const socket = session.socket as TLSSocket;
    const network = networkOf(socket.remoteAddress);
    const leaf = socket.encrypted ? socket.getPeerX509Certificate() : undefined;
    if (leaf === undefined || this.#trust === undefined) return { network, certificate: undefined };
    const trust = this.#trust;
    const expireTimeMs = Date.parse(leaf.validTo);
    const chain = chainOf(leaf);
    const found = socket.authorized ? undefined : String(socket.authorizationError);
    const began = this.#began.get(session) ?? Number.NEGATIVE_INFINITY;
    // The authorities may have changed during the handshake.
    const isJudgedByTls = ({ sinceMs }: Authorities) => sinceMs <= began - HANDSHAKE_TIMEOUT_MS;
    const isTrusted = perVersion(
      () => trust.authorities,
      (now) => isJudgedByTls(now) || isAnchored(chain, now.certificates, Date.now()),
    );
    const isTakenBack = perVersion(
      () => trust.denied,
      (denied: DenyList) => isDenied(chain, denied),
    );
    const certificate: ClientCertificate = {
      // An untrusted certificate does not prove who sent it.
      principal: found === undefined ? principalOf(socket.getPeerCertificate(), this.#principalFrom) : undefined,
      isRequired: trust.isCertificateRequired,
      problem: (nowMs) => {
        if (found !== undefined) return found;
        if (isTakenBack()) return 'CERT_DENIED';
        if (expireTimeMs <= nowMs) return 'CERT_HAS_EXPIRED';
        return isTrusted() ? undefined : 'AUTHORITY_NO_LONGER_TRUSTED';
      },
    };
    return { network, certificate };
  }
}

/**
 * The client's certificate and its issuers, as far as the client sent them or the authorities of
 * that time have them.
 */
function chainOf(leaf: X509Certificate): readonly X509Certificate[] {
  const chain: X509Certificate[] = [];
  let next: X509Certificate | undefined = leaf;
  while (next !== undefined && !chain.some(({ fingerprint256 }) => fingerprint256 === next?.fingerprint256)) {
    chain.push(next);
    next = next.issuerCertificate;
  }
  return chain;
}
