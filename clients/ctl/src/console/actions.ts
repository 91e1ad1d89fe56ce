/** What a page may ask to be done, with the rights of who runs the command: JSON in, JSON out. */
import { SessionKind } from '../../../typescript/src/client.js';
import { CliError } from '../cli-error.js';
import type { Document } from './frames.js';
import type { HostLink } from './host-feed.js';

type Action = (body: Document, link: HostLink) => Promise<Document>;

/** The first event comes as soon as the host has the request. */
const ANSWER_MS = 10_000;

/** By the last part of their path. */
export const ACTIONS: Readonly<Record<string, Action>> = {
  open: async (body, { client, name }) => {
    const request = {
      deviceAddress: text(body, 'deviceAddress'),
      // It must outlive this request, and end by itself if nobody minds it.
      leaseTtlMs: number(body, 'leaseTtlMs'),
      kind: body['isLegacy'] === true ? SessionKind.LEGACY : SessionKind.WIFI_DIRECT,
    };
    return new Promise((resolve, reject) => {
      const end = (finish: () => void): void => {
        clearTimeout(late);
        finish();
        // Not in the turn of the first event, in which there is no subscription yet.
        setImmediate(() => subscription.unsubscribe());
      };
      const late = setTimeout(
        () => end(() => reject(new CliError('timedOut', `${name} did not answer in time; try again.`))),
        ANSWER_MS,
      );
      const subscription = client.sessions.open(request).subscribe({
        next: ({ session }) => end(() => resolve({ sessionId: session?.sessionId ?? '' })),
        error: (error: unknown) => end(() => reject(error)),
      });
    });
  },
  close: async (body, { client }) => ended(await client.sessions.close(text(body, 'sessionId'))),
  cancel: async (body, { client }) => ended(await client.sessions.cancel(text(body, 'sessionId'))),
  renew: async (body, { client }) => {
    const leaseTtlMs = body['leaseTtlMs'] === undefined ? undefined : number(body, 'leaseTtlMs');
    return ended(await client.sessions.renew(text(body, 'sessionId'), { leaseTtlMs }));
  },
  look: async (body, { client }) => {
    const found = await client.devices.updateVisibility(text(body, 'deviceAddress'));
    return { isVisible: found.device.isVisible === true, discoveryCompleted: found.discoveryCompleted };
  },
};

/** The watch tells how the session is now. */
function ended({ session }: { readonly session: { readonly sessionId: string } }): Document {
  return { sessionId: session.sessionId };
}

function text(body: Document, field: string): string {
  const value = body[field];
  if (typeof value !== 'string' || value === '') throw new CliError('usage', `${field} is missing; give a text.`);
  return value;
}

function number(body: Document, field: string): number {
  const value = body[field];
  if (typeof value !== 'number' || !Number.isFinite(value))
    throw new CliError('usage', `${field} is missing; give a number.`);
  return value;
}
