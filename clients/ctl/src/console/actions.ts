/**
 * The actions of the page, as functions from JSON to JSON. They run with the rights of the user of
 * `wfdctl console`.
 */
import { SessionKind } from '../../../typescript/src/client.js';
import { CliError } from '../cli-error.js';
import type { Document } from './frames.js';
import type { HostLink } from './host-feed.js';

type Action = (body: Document, link: HostLink) => Promise<Document>;

/** The host sends the first event as soon as it has the request. */
const ANSWER_MS = 10_000;

/** By the last part of the path of the request. */
export const ACTIONS: Readonly<Record<string, Action>> = {
  open: async (body, { client, name }) => {
    const request = {
      deviceAddress: text(body, 'deviceAddress'),
      // With a lease the session outlives this request, and still ends if nobody renews it.
      leaseTtlMs: number(body, 'leaseTtlMs'),
      kind: body['isLegacy'] === true ? SessionKind.LEGACY : SessionKind.WIFI_DIRECT,
    };
    return new Promise((resolve, reject) => {
      const end = (finish: () => void): void => {
        clearTimeout(late);
        finish();
        // Later, because `subscription` is not assigned yet if the first event comes at once.
        setImmediate(() => subscription.unsubscribe());
      };
      const late = setTimeout(
        () =>
          end(() => reject(new CliError('timedOut', `${name} did not answer within ${ANSWER_MS / 1000}s; try again.`))),
        ANSWER_MS,
      );
      const subscription = client.sessions.open(request).subscribe({
        next: ({ session }) => end(() => resolve({ sessionId: session?.sessionId ?? '' })),
        error: (error: unknown) => end(() => reject(error)),
      });
    });
  },
  close: async (body, { client }) => idOf(await client.sessions.close(text(body, 'sessionId'))),
  cancel: async (body, { client }) => idOf(await client.sessions.cancel(text(body, 'sessionId'))),
  renew: async (body, { client }) => {
    const leaseTtlMs = body['leaseTtlMs'] === undefined ? undefined : number(body, 'leaseTtlMs');
    return idOf(await client.sessions.renew(text(body, 'sessionId'), { leaseTtlMs }));
  },
  look: async (body, { client }) => {
    const found = await client.devices.updateVisibility(text(body, 'deviceAddress'));
    return { isVisible: found.device.isVisible === true, discoveryCompleted: found.discoveryCompleted };
  },
};

/** Only the id, because the watch sends the new state of the session. */
function idOf({ session }: { readonly session: { readonly sessionId: string } }): Document {
  return { sessionId: session.sessionId };
}

function text(body: Document, field: string): string {
  const value = body[field];
  if (typeof value !== 'string' || value === '')
    throw new CliError('usage', `${field} must be a string that is not empty.`);
  return value;
}

function number(body: Document, field: string): number {
  const value = body[field];
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new CliError('usage', `${field} must be a number.`);
  return value;
}
