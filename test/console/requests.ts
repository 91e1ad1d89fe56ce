/** Requests to a console as no browser would send them: each header is what a test makes it. */
import { type IncomingHttpHeaders, request } from 'node:http';
import { text } from 'node:stream/consumers';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Asked {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly body?: string;
}

export function ask(origin: string, { method = 'POST', path = '/', headers = {}, body = '' }: Asked): Promise<Answer> {
  const { port } = new URL(origin);
  const given = Object.fromEntries(Object.entries(headers).filter((entry): entry is [string, string] => !!entry[1]));
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, method, path, headers: given }, (response) => {
      const { statusCode: status = 0 } = response;
      const answered = (body: string) => resolve({ status, headers: response.headers, body });
      text(response).then(answered, reject);
    });
    sent.once('error', reject);
    sent.end(method === 'GET' || method === 'OPTIONS' ? undefined : body);
  });
}

/** What the page sends, once it is let in. */
export type Credentials = Readonly<Record<'origin' | 'cookie' | 'content-type' | 'x-wfdctl-token', string>>;

/** Follows the link as the page does. */
export async function enter(link: string): Promise<Credentials> {
  const { origin, hash } = new URL(link);
  const answer = await exchange(origin, hash.replace('#k=', ''));
  const { token } = JSON.parse(answer.body) as { token: string };
  const [cookie = ''] = (answer.headers['set-cookie']?.[0] ?? '').split(';');
  return { origin, cookie, 'content-type': 'application/json', 'x-wfdctl-token': token };
}

export function exchange(origin: string, key: string): Promise<Answer> {
  const headers = { origin, 'content-type': 'application/json', 'x-wfdctl-token': 'none' };
  return ask(origin, { path: '/api/key', headers, body: JSON.stringify({ key }) });
}
