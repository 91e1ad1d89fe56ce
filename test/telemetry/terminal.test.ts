/**
 * What strangers write reaches neither a terminal, nor a line of the log, nor the text of a status
 * as it is.
 */
import { status } from '@grpc/grpc-js';
import test from 'ava';
import { showValue } from '../../service/config/problem.js';
import { invalidField } from '../../service/fault.js';
import { faultToGrpcStatus } from '../../service/grpc/status.js';
import { createLog } from '../../service/telemetry/log.js';
import { visible } from '../../service/visible.js';

const settings = { level: 'info', addresses: true } as const;
const hostile = [
  ...['\u001b[2J', '\u0007', '\u0008', '\u000c', '\r', '\u007f', '\u0085', '\u009b31m', '\u009d'],
  ...['\u061c', '\u200e', '\u200f', '\u202a', '\u202e', '\u2066', '\u2069', '\u2028', '\u2029'],
].join('');
const UNSAFE = /(?!\n)[\p{Cc}\p{Bidi_Control}\u2028\u2029]/u;

async function written(format: 'json' | 'pretty', message: string, fields: object): Promise<string> {
  const lines: string[] = [];
  const log = await createLog({ ...settings, format }, { write: (line: string) => lines.push(line) });
  log.info('tested', message, fields as Readonly<Record<string, unknown>>);
  return lines.join('');
}

test('a line of JSON has escapes for them, and readers get what it was', async (t) => {
  const line = await written('json', `a${hostile}b`, { name: hostile, deep: [{ name: hostile }] });
  t.notRegex(line, UNSAFE);
  t.is(line.match(/\n/g)?.length, 1);
  const read = JSON.parse(line) as Record<string, unknown>;
  t.is(read['msg'], `a${hostile}b`);
  t.is(read['name'], hostile);
});

test('a line for people shows them as escapes', async (t) => {
  const line = await written('pretty', `a${hostile}b`, { name: hostile, err: new Error(hostile) });
  t.notRegex(line, UNSAFE);
  t.regex(line, /a\\u001b\[2J\\u0007\\b\\f\\r\\u007f\\u0085/);
});

test('nobody forges a line: what comes after a line break is set in', async (t) => {
  const line = await written('pretty', 'one\n[00:00:00.000] INFO: forged', {});
  t.regex(line, /one\n {4}\[00:00:00\.000\] INFO: forged/);
});

test('the backslashes of a message stay what they are', async (t) => {
  t.regex(await written('pretty', 'C:\\users\\u001b', {}), /C:\\users\\u001b/);
});

test('a problem of the configuration shows them as escapes', (t) => {
  t.notRegex(showValue([hostile]), UNSAFE);
});

test('the text of a status shows them as escapes, and so do its details', (t) => {
  const { code, details, metadata } = faultToGrpcStatus(invalidField(`name${hostile}`, `is ${hostile}`));
  t.is(code, status.INVALID_ARGUMENT);
  t.notRegex(details, UNSAFE);
  t.notRegex(String(metadata.get('grpc-status-details-bin')[0]), /\u009b|\u202e|\u2028|\p{Cc}\[2J/u);
  t.is(visible('Tür 3, 日本, 👩‍👩‍👧'), 'Tür 3, 日本, 👩‍👩‍👧');
});
