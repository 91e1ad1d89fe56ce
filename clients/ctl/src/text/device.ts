/** Formats devices for people. `-` means that Windows does not know. */
import type { Device } from '../../../typescript/src/client.js';
import { paintOf, type Style } from './style.js';
import { type Cell, table } from './table.js';

export function listOfDevices(devices: readonly Device[], style: Style): string {
  const header = ['DEVICE', 'NAME', 'CONNECTED', 'VISIBLE', 'LEGACY', 'QUALITY'];
  const rows = devices.map((device) => [
    device.deviceAddress,
    device.name,
    // Unset means not connected (device.proto).
    answer(device.isConnected ?? false, style),
    answer(device.isVisible, style),
    answer(device.isLegacy, style),
    device.linkQuality === undefined ? '' : String(device.linkQuality),
  ]);
  return table(header, rows, style.bold, { columns: style.columns, spare: ['LEGACY', 'QUALITY', 'VISIBLE'] });
}

/** `connected, visible, legacy, quality 92` */
export function deviceDetail({ isConnected, isVisible, isLegacy, linkQuality }: Device): string {
  return [
    isConnected ? 'connected' : 'not connected',
    isVisible === undefined ? undefined : isVisible ? 'visible' : 'not visible',
    isLegacy ? 'legacy' : undefined,
    linkQuality === undefined ? undefined : `quality ${linkQuality}`,
  ]
    .filter((part) => part !== undefined)
    .join(', ');
}

function answer(value: boolean | undefined, style: Style): Cell {
  const text = value === undefined ? '' : value ? 'yes' : 'no';
  return { text, paint: paintOf(style, text || 'no') };
}
