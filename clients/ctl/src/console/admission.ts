/**
 * Decides which requests the console answers: those of the browser that used the key, from a page
 * of this origin.
 *
 *   key in the link ---used once---> cookie, which scripts can't read,
 *                                    and token, which other sites can't send
 *
 * Invariant: a request is answered only if every check here passes. Each check stops an attack that
 * the others miss:
 *
 * - `Host`: an attacker can make a name of his own resolve to 127.0.0.1 (DNS rebinding). The
 *   browser then takes his page for the same origin as this server.
 * - `Origin` and `Sec-Fetch-Site`: a form or script of another site can send the cookie.
 * - The token in a custom header: cookies are shared by all ports. So a page on another port of
 *   127.0.0.1 is the same site, and its server even receives the cookie.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** Required in every POST, because a form of another site can't send a custom header. */
const TOKEN_HEADER = 'x-wfdctl-token';

export interface Refusal {
  readonly status: 401 | 403 | 415 | 421;
  readonly message: string;
}

/** Digests of the secrets that the browser has. All tabs of the browser share them. */
interface Page {
  readonly cookie: Buffer;
  readonly token: Buffer;
}

interface Admitted {
  /** The value of Set-Cookie. */
  readonly setCookie: string;
  readonly token: string;
}

export class Admission {
  readonly #port: number;
  readonly #key = secret();
  readonly #expireTime: number;
  readonly #now: () => number;
  /** Set when the key is used. */
  #page: Page | undefined;

  constructor(port: number, keyLifeMs: number, now: () => number = Date.now) {
    this.#port = port;
    this.#now = now;
    this.#expireTime = now() + keyLifeMs;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** The key is in the fragment, which browsers do not send and servers do not log. */
  get link(): string {
    return `${this.origin}/#k=${this.#key}`;
  }

  /** Checks every request, even for files without secrets. */
  refusalOfHost({ host }: IncomingHttpHeaders): Refusal | undefined {
    if (host === `127.0.0.1:${this.#port}`) return undefined;
    return { status: 421, message: `Only requests to ${this.origin} are answered.` };
  }

  /** Checks every POST. */
  refusalOfOrigin(headers: IncomingHttpHeaders): Refusal | undefined {
    const { origin, 'sec-fetch-site': site = 'same-origin', 'content-type': type } = headers;
    if (origin !== this.origin || site !== 'same-origin')
      return { status: 403, message: 'Only the page of this console may send requests.' };
    if (headers[TOKEN_HEADER] === undefined) return { status: 403, message: `The header ${TOKEN_HEADER} is missing.` };
    if (type !== 'application/json') return { status: 415, message: 'The content type must be application/json.' };
    return undefined;
  }

  /** Checks every POST except the one that sends the key. */
  refusalOfPage(headers: IncomingHttpHeaders): Refusal | undefined {
    const token = digest(String(headers[TOKEN_HEADER] ?? ''));
    const cookie = digest(this.#cookieIn(headers.cookie ?? ''));
    const page = this.#page;
    if (page !== undefined && timingSafeEqual(page.cookie, cookie) && timingSafeEqual(page.token, token))
      return undefined;
    return { status: 401, message: 'This page is not admitted. Run wfdctl console again and open its link.' };
  }

  /** Exchanges the key for a cookie and a token. Works once. */
  admit(key: string): Admitted | Refusal {
    const isRight = timingSafeEqual(digest(key), digest(this.#key));
    if (!isRight || this.#page !== undefined || this.#now() > this.#expireTime)
      return {
        status: 401,
        message: 'This link was already used or has expired. Run wfdctl console again and open its link.',
      };
    const cookie = secret();
    const token = secret();
    this.#page = { cookie: digest(cookie), token: digest(token) };
    // Not Secure, because some browsers would not keep such a cookie without TLS, even from
    // 127.0.0.1.
    return { setCookie: `${this.#cookieName}=${cookie}; HttpOnly; SameSite=Strict; Path=/`, token };
  }

  /**
   * The name contains the port because cookies are shared by all ports. Otherwise two consoles
   * would overwrite each other's cookie.
   */
  get #cookieName(): string {
    return `wfdctl-console-${this.#port}`;
  }

  #cookieIn(header: string): string {
    const start = `${this.#cookieName}=`;
    const found = header.split(/; */).find((part) => part.startsWith(start));
    return found?.slice(start.length) ?? '';
  }
}

function secret(): string {
  return randomBytes(24).toString('base64url');
}

/** Digests have the same length, so that the comparison takes constant time. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
