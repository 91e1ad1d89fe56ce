/** `wfdctl host` and `health`: what is this host, and can it do its work? */
import { EXIT, type ExitCode } from '../exit-code.js';
import type { Invocation } from '../invocation.js';
import { describeHost, reasonOf } from '../text/host.js';
import { host as hostMessage } from '../text/messages.js';
import { paintOf } from '../text/style.js';
import type { CallOptions } from './sessions.js';

export async function host({ timeout: timeoutMs }: CallOptions, invocation: Invocation): Promise<ExitCode> {
  invocation.output.refuseNames();
  const client = await invocation.client();
  const found = await invocation.pending(`Waiting for ${invocation.host}`, client.host({ timeoutMs }));
  invocation.output.result({ text: (style) => describeHost(found, style), message: () => hostMessage(found) });
  return EXIT.ok;
}

export async function health(service = '', options: CallOptions, invocation: Invocation): Promise<ExitCode> {
  const { timeout: timeoutMs } = options;
  invocation.output.refuseNames();
  const client = await invocation.client();
  const status = await invocation.pending(`Waiting for ${invocation.host}`, client.health(service, { timeoutMs }));
  invocation.output.result({
    text: (style) => `${paintOf(style, status)(status)}\n`,
    message: () => ({ status }),
  });
  if (status === 'SERVING') return EXIT.ok;
  // Why is said by another service, which may be refused to who may ask this one.
  const reason = await client.host({ timeoutMs }).then(reasonOf, () => undefined);
  if (reason !== undefined) invocation.output.warn({ kind: 'unavailable', message: reason });
  return EXIT.unavailable;
}
