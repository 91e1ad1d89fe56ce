/**
 * The way to `wfdctl`: lets the page in by the key of its link, reads frames, and asks for actions.
 *
 * The cookie says that this browser was let in; the token, which other sites and other ports of this machine don't have,
 * that it is this page which asks.
 */
import type { Frame } from '../../src/console/frames.js';

const TOKEN = 'wfdctl-token';
const RETRY_MS = 2000;

export interface Watching {
  readonly frame: (frame: Frame) => void | Promise<void>;
  /** `wfdctl` doesn't answer; it is asked again. */
  readonly lost: () => void;
  /** Nothing will help but what the message says. */
  readonly ended: (message: string) => void;
}

export class ActionError extends Error {}

/** Takes the key out of the address bar, and exchanges it. Resolves to a message where the page may not come in. */
export async function enter(): Promise<string | undefined> {
  const [, key] = /^#k=([\w-]+)$/.exec(location.hash) ?? [];
  if (key === undefined) {
    if (localStorage.getItem(TOKEN) !== null) return undefined;
    return 'This page was not opened by the link of wfdctl console. Run wfdctl console, and follow its link.';
  }
  history.replaceState(null, '', '/#/');
  try {
    const response = await post('/api/key', { key });
    const answer = (await response.json()) as { token?: string; message?: string };
    if (answer.token === undefined) return localStorage.getItem(TOKEN) === null ? answer.message : undefined;
    localStorage.setItem(TOKEN, answer.token);
    return undefined;
  } catch {
    return 'wfdctl console does not answer; it may have ended. Run it again, and follow its link.';
  }
}

/** Reads frames until the page goes, also after the way to `wfdctl` was lost. */
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
      // Told below.
    }
    watching.lost();
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

/** Rejects with what `wfdctl` says against it. */
export async function act(action: string, body: object): Promise<Record<string, unknown>> {
  const response = await post(`/api/${action}`, body).catch(() => {
    throw new ActionError('wfdctl console does not answer; it may have ended.');
  });
  const answer = (await response.json()) as Record<string, unknown>;
  if (!response.ok) throw new ActionError(String(answer['message']));
  return answer;
}

function post(path: string, body: object): Promise<Response> {
  const headers = { 'content-type': 'application/json', 'x-wfdctl-token': localStorage.getItem(TOKEN) ?? 'none' };
  return fetch(path, { method: 'POST', headers, body: JSON.stringify(body), credentials: 'same-origin' });
}

/** Resolves to whether it ended because another page took its place. */
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
        ended(
          'This console is open in four newer tabs, and shows nothing new here. Reload this tab to use it instead.',
        );
        return true;
      }
      // Not reading on makes wfdctl, and so the host, wait.
      await frame(read);
    }
  }
}
