/**
 * Who may ask the console for anything: a browser that was given the key once, on a page of this
 * very origin.
 *
 *   key in the link ---used once---> cookie, which scripts can't read, and a token, which other sites can't send
 *
 * The rule that must not be broken: a request is answered only if every check here lets it pass.
 * One alone would do against most attacks; each is there for one that the others miss:
 *
 * - `Host`: a name that an attacker makes resolve to 127.0.0.1 (DNS rebinding) is of the same
 *   origin as itself.
 * - `Origin` and `Sec-Fetch-Site`: a form or script of another site sends the cookie along.
 * - The token in a header of our own: cookies don't know ports, so a page on another port of
 *   127.0.0.1 is of the same site, and its server even receives the cookie.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** Sent with every POST. A request with a header of its own can't be made by a form. */
export const TOKEN_HEADER = 'x-wfdctl-token';

export interface Refusal {
  readonly status: 401 | 403 | 415 | 421;
  readonly message: string;
}

/** Digests of what the browser was given. All tabs of one browser share it. */
interface Page {
  readonly cookie: Buffer;
  readonly token: Buffer;
}

export interface Admitted {
  /** The header that sets it. */
  readonly setCookie: string;
  readonly token: string;
}

export class Admission {
  readonly #port: number;
  readonly #key = secret();
  readonly #expireTime: number;
  readonly #now: () => number;
  /** Set once, when the key is used. */
  #page: Page | undefined;

  constructor(port: number, keyLifeMs: number, now: () => number = Date.now) {
    this.#port = port;
    this.#now = now;
    this.#expireTime = now() + keyLifeMs;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** The key is in the fragment, which browsers don't send and servers don't log. */
  get link(): string {
    return `${this.origin}/#k=${this.#key}`;
  }

  /** Of every request, also for what holds no secret. */
  refusalOfHost({ host }: IncomingHttpHeaders): Refusal | undefined {
    if (host === `127.0.0.1:${this.#port}`) return undefined;
    return { status: 421, message: `This is ${this.origin}, and no other name is answered.` };
  }

  /** Of every POST. */
  refusalOfOrigin(headers: IncomingHttpHeaders): Refusal | undefined {
    const { origin, 'sec-fetch-site': site = 'same-origin', 'content-type': type } = headers;
    if (origin !== this.origin || site !== 'same-origin')
      return { status: 403, message: 'Only the page of this console may ask.' };
    if (headers[TOKEN_HEADER] === undefined) return { status: 403, message: `The header ${TOKEN_HEADER} is missing.` };
    if (type !== 'application/json') return { status: 415, message: 'Send application/json.' };
    return undefined;
  }

  /** Of every POST but that which brings the key. */
  refusalOfPage(headers: IncomingHttpHeaders): Refusal | undefined {
    const token = digest(String(headers[TOKEN_HEADER] ?? ''));
    const cookie = digest(this.#cookieIn(headers.cookie ?? ''));
    const page = this.#page;
    if (page !== undefined && timingSafeEqual(page.cookie, cookie) && timingSafeEqual(page.token, token))
      return undefined;
    return { status: 401, message: 'This page was not let in. Run wfdctl console again, and follow its link.' };
  }

  /** Exchanges the key, once. */
  admit(key: string): Admitted | Refusal {
    const isRight = timingSafeEqual(digest(key), digest(this.#key));
    if (!isRight || this.#page !== undefined || this.#now() > this.#expireTime)
      return {
        status: 401,
        message: 'This link was used before, or is too old. Run wfdctl console again, and follow its link.',
      };
    const cookie = secret();
    const token = secret();
    this.#page = { cookie: digest(cookie), token: digest(token) };
    // Not Secure: browsers differ in whether they keep such a cookie of 127.0.0.1 in clear text.
    return { setCookie: `${this.#cookieName}=${cookie}; HttpOnly; SameSite=Strict; Path=/`, token };
  }

  /** Cookies don't know ports, so the name does: two consoles would overwrite each other's. */
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

/** Of one length, so that comparing takes one time. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
