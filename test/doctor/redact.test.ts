/**
 * What the doctor writes is shown to strangers: no address, in whatever form, and no name is left
 * in it.
 */
import { randomBytes } from 'node:crypto';
import test from 'ava';
import fc from 'fast-check';
import { redact } from '../../service/doctor/redact.js';

const quiet = { words: [], showAddresses: false };

/** The forms in which addresses stand in what Windows and koffi say. */
const forms: Readonly<Record<string, (octets: readonly string[]) => string>> = {
  'with colons': (octets) => octets.join(':'),
  'with hyphens': (octets) => octets.join('-').toUpperCase(),
  'in the id of a device node': (octets) => `SWD\\\\WIFIDIRECT\\\\${octets.join('').toUpperCase()}#MIRACAST`,
  'after a word': (octets) => `to ${octets.join('')}.`,
};

for (const [form, write] of Object.entries(forms)) {
  test(`an address ${form} keeps no more than its maker`, (t) => {
    const seed = randomBytes(4).readInt32LE();
    t.log(`seed ${seed}`);
    const octets = fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 6, maxLength: 6 });
    const isShortened = (bytes: readonly number[]): boolean => {
      const written = write(bytes.map((byte) => byte.toString(16).padStart(2, '0')));
      const shown = redact(`before ${written} after`, quiet);
      return shown.includes(':**:**:**') && !shown.includes(written);
    };
    t.notThrows(() => fc.assert(fc.property(octets, isShortened), { seed }));
  });
}

test('addresses are whole where that is allowed', (t) => {
  const text = 'to 02:11:22:33:44:01, fe80::11:22ff:fe33:4481%12';
  t.is(redact(text, { words: [], showAddresses: true }), text);
  t.is(redact(text, quiet), 'to 02:11:22:**:**:**, fe80:(shortened)');
});

test('what only looks like an address stays', (t) => {
  for (const text of [
    '1506935d-e3e7-450f-8637-82233ebe5f6e',
    '2026-12-01T02:11:22.333Z',
    'at 12:34:56',
    'HRESULT 0x80070057',
    'version 23.40.0.4',
  ]) {
    t.is(redact(text, quiet), text);
  }
});

test('names are taken out where they stand alone, in any case, and in folders of people', (t) => {
  const words = [
    ['ANNA-PC', '(host)'],
    ["Anna's phone", '(device 1)'],
    ['anna', '(user)'],
    ['x', '(nobody)'],
  ] as const;
  const redacted = (text: string) => redact(text, { words, showAddresses: false });
  t.is(redacted("anna-pc: Anna's phone, savanna, Anna, x"), '(host): (device 1), savanna, (user), x');
  t.is(redacted('C:\\Users\\berta\\a'), 'C:\\Users\\(user)\\a');
  t.is(redacted('"C:\\\\Users\\\\berta\\\\a"'), '"C:\\\\Users\\\\(user)\\\\a"');
  t.is(redacted('/home/berta/a'), '/home/(user)/a');
});
