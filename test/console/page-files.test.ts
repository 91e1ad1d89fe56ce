/**
 * The page as it is built: light, complete, and nothing that its content security policy would keep
 * from working.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { extname } from 'node:path';
import test from 'ava';

const folder = new URL('../../wfdctl/console/', import.meta.url);
const names = readdirSync(folder);
const LOADED = ['.html', '.js', '.css', '.svg'];
const loaded = names.filter((name) => LOADED.includes(extname(name)));
const read = (name: string): string => readFileSync(new URL(name, folder), 'utf8');

test('the page and all that it loads weigh less than 150 kB', (t) => {
  const bytes = loaded.reduce((sum, name) => sum + readFileSync(new URL(name, folder)).length, 0);
  t.true(bytes < 150_000, `${bytes} bytes`);
  t.is(loaded.length, 4);
});

test('what the page loads is named by its content, and is there', (t) => {
  const named = [...read('page.html').matchAll(/(?:src|href)="\/([^"]+)"/g)].map(([, name]) => name);
  t.deepEqual(named.sort(), loaded.filter((name) => name !== 'page.html').sort());
  for (const name of named) t.regex(name ?? '', /^[a-z]+-[0-9a-f]{12}\.(js|css|svg)$/);
});

test('there is no script, style or handler within the page, and nothing comes from elsewhere', (t) => {
  const page = read('page.html');
  t.notRegex(page, /<script(?![^>]*\ssrc=)|<style|\son[a-z]+=|\sstyle=/i);
  const style = loaded.filter((name) => name.endsWith('.css')).map(read);
  for (const text of [page, ...style]) t.notRegex(text, /https?:|url\(|@import/);
});

test('the licences of what is inside lie beside it', (t) => {
  const text = read('LICENSES.txt');
  for (const name of ['preact', '@preact/signals', '@preact/signals-core', 'uplot'])
    t.regex(text, new RegExp(`^${name} \\d+\\.\\d+\\.\\d+$`, 'm'));
});
