/** `wfdctl devices` and `visibility`: which devices are paired, and is one in reach? */
import type { Device } from '../../../typescript/src/client.js';
import { EXIT, type ExitCode } from '../exit-code.js';
import type { Invocation } from '../invocation.js';
import { listOfDevices } from '../text/device.js';
import { listDevices, visibility as visibilityMessage } from '../text/messages.js';
import { printable } from '../text/printable.js';
import type { CallOptions } from './sessions.js';

export async function devices({ timeout: timeoutMs }: CallOptions, invocation: Invocation): Promise<ExitCode> {
  const client = await invocation.client();
  const found: Device[] = [];
  let first: string | undefined;
  const read = async (): Promise<void> => {
    for await (const page of client.devices.list({ timeoutMs })) {
      first ??= page.cursor;
      found.push(...page.devices);
    }
  };
  await invocation.pending(`Waiting for ${invocation.host}`, read());
  invocation.output.result({
    text: (style) => (found.length === 0 ? 'No devices are paired with the host.\n' : listOfDevices(found, style)),
    message: () => listDevices(found, first ?? ''),
    names: () => found.map(({ deviceAddress }) => deviceAddress),
  });
  return EXIT.ok;
}

/** Ends well whether or not the device is visible, and as timed out where that could not be found out. */
export async function visibility(address: string, { timeout }: CallOptions, invocation: Invocation): Promise<ExitCode> {
  const client = await invocation.client();
  const answer = client.devices.updateVisibility(address, { discoveryTimeoutMs: timeout });
  const found = await invocation.pending(`Looking for ${address}`, answer);
  const { device, discoveryCompleted } = found;
  const name = printable([device.deviceAddress, device.name].filter(Boolean).join(' '));
  const state = device.isVisible ? 'visible' : 'not visible';
  const text = discoveryCompleted
    ? `${name} is ${state}.\n`
    : `${name} was ${state} before; the discovery goes on, so ask again or give it longer with --timeout.\n`;
  invocation.output.result({
    text: () => text,
    message: () => visibilityMessage(found),
    names: () => [device.deviceAddress],
  });
  return discoveryCompleted ? EXIT.ok : EXIT.timedOut;
}
