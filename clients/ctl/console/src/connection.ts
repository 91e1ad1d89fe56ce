/**
 * The connection to `wfdctl`: exchanges the key of the link, reads frames, and runs actions.
 *
 * The cookie proves that this browser was admitted. The token proves that the request comes from
 * this page, because other sites and other ports of this machine do not have it.
 */
import type { Frame } from '../../src/console/frames.js';

const TOKEN = 'wfdctl-token';
const RETRY_MS = 2000;

interface Watching {
  readonly frame: (frame: Frame) => void | Promise<void>;
  /** `wfdctl` does not answer. The page tries again. */
  readonly lost: () => void;
  /** The watch has ended for good. The message says what to do. */
  readonly ended: (message: string) => void;
}

class ActionError extends Error {}

/**
 * Removes the key from the address bar and exchanges it. Resolves to a message if the page is not
 * admitted.
 */
export async function enter(): Promise<string | undefined> {
  const [, key] = /^#k=([\w-]+)$/.exec(location.hash) ?? [];
  if (key === undefined) {
    if (localStorage.getItem(TOKEN) !== null) return undefined;
    return 'This page was not opened with the link of wfdctl console. Run wfdctl console and open its link.';
  }
  history.replaceState(null, '', '/#/');
  try {
    const response = await post('/api/key', { key });
    const answer = (await response.json()) as { token?: string; message?: string };
    if (answer.token === undefined) return localStorage.getItem(TOKEN) === null ? answer.message : undefined;
    localStorage.setItem(TOKEN, answer.token);
    return undefined;
  } catch {
    return 'wfdctl console does not answer. If it has ended, run it again and open its link.';
  }
}

/** Reads frames until the page is closed. Reconnects if the connection to `wfdctl` is lost. */
export async function watch(watching: Watching): Promise<void> {
  for (;;) {
    try {
      const response = await post('/api/watch', {});
      if (!response.ok || response.body === null) {
        const { message } = (await response.json()) as { message: string };
        if (response.status === 401) localStorage.removeItem(TOKEN);
        return watching.ended(message);
      }
      if (await read(response.body, watching)) return;
    } catch {
      // Reported below.
    }
    watching.lost();
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

/** Rejects with the message of `wfdctl`. */
export async function act(action: string, body: object): Promise<Record<string, unknown>> {
  const response = await post(`/api/${action}`, body).catch(() => {
    throw new ActionError('wfdctl console does not answer. If it has ended, run it again.');
  });
  const answer = (await response.json()) as Record<string, unknown>;
  if (!response.ok) throw new ActionError(String(answer['message']));
  return answer;
}

function post(path: string, body: object): Promise<Response> {
  const headers = { 'content-type': 'application/json', 'x-wfdctl-token': localStorage.getItem(TOKEN) ?? 'none' };
  return fetch(path, { method: 'POST', headers, body: JSON.stringify(body), credentials: 'same-origin' });
}

/** Resolves to true if the stream ended because another page replaced this one. */
async function read(body: ReadableStream<Uint8Array>, { frame, ended }: Watching): Promise<boolean> {
  const reader = body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return false;
    const lines = (rest + value).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const read = JSON.parse(line) as Frame;
      if (read.kind === 'replaced') {
        ended('This console is open in four newer tabs, so this tab gets no updates. Reload it to use it again.');
        return true;
      }
      // While this waits, nothing is read, and back-pressure reaches wfdctl and the host.
      await frame(read);
    }
  }
}
