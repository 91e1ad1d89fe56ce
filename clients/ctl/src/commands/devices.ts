/** `wfdctl devices`: the devices that are paired with a host, once or as they change. */
import type { Command } from 'commander';
import type { Change, Device, DeviceEvent, DeviceSnapshot } from '../../../typescript/src/client.js';
import { CliError } from '../cli-error.js';
import { EXIT, type ExitCode } from '../exit-code.js';
import { type FollowOptions, follow, type View } from '../follow.js';
import type { Invocation } from '../invocation.js';
import { duration } from '../operands.js';
import { listOfDevices } from '../text/device.js';
import { listDevices, watchedDevices } from '../text/messages.js';
import { headerOfDevices, lineOfDevice } from '../text/time-line.js';
import { examples, type Run } from './command.js';

interface DevicesOptions extends FollowOptions {
  readonly watch?: boolean;
}

export function declareDevices(program: Command, run: Run): Command {
  return program
    .command('devices')
    .description('List the devices that are paired with the host.')
    .option('--watch', 'then show changes to them until Ctrl+C')
    .option('--since <cursor>', 'with --watch: continue after this cursor')
    .option('-v, --verbose', 'with --watch: also show bookmarks, cursors of times when nothing happened')
    .option(
      '--timeout <duration>',
      'how long the host may take to answer or, with --watch, how long to watch',
      duration,
    )
    .action((options: DevicesOptions) =>
      run((invocation) => (options.watch ? watch(options, invocation) : list(options, invocation))),
    )
    .addHelpText('after', examples('devices', 'devices --watch'));
}

async function list({ since, timeout: timeoutMs }: DevicesOptions, invocation: Invocation): Promise<ExitCode> {
  if (since !== undefined) throw new CliError('usage', '--since is the start of a watch; add --watch.');
  const client = await invocation.client();
  const found: Device[] = [];
  let cursor: string | undefined;
  const read = async (): Promise<void> => {
    for await (const page of client.devices.list({ timeoutMs })) {
      cursor ??= page.cursor;
      found.push(...page.devices);
    }
  };
  await invocation.pending(`Waiting for ${invocation.host}`, read());
  invocation.output.result({
    text: (style) => (found.length === 0 ? 'No devices are paired with the host.\n' : listOfDevices(found, style)),
    message: () => listDevices(found, cursor ?? ''),
    names: () => found.map(({ deviceAddress }) => deviceAddress),
  });
  return EXIT.ok;
}

async function watch(options: FollowOptions, invocation: Invocation): Promise<ExitCode> {
  const { devices } = await invocation.client();
  const items = devices.watch({ cursor: options.since });
  return follow({ items, view: VIEW, options }, invocation);
}

const VIEW: View<DeviceSnapshot, Change<DeviceEvent>> = {
  header: headerOfDevices,
  snapshot: (item, style) => item.devices.map((device) => lineOfDevice(device, undefined, style)).join(''),
  change: ({ event }, style) => (event.device === undefined ? '' : lineOfDevice(event.device, event, style)),
  message: watchedDevices,
};
