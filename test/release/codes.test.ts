import test from 'ava';
import { componentCode, packageCode, productCode, UPGRADE_CODE, uuid5 } from '../../service/release/codes.js';

test('a code is the UUID of version 5 that the standard gives for a name', (t) => {
  // The example of RFC 9562, appendix A.4.
  const dns = '6ba7b810-9dad-11d1-80b4-00c04fd430c8';
  t.is(uuid5('www.example.com', dns), '2ED6657D-E927-568B-95E1-2665A8AEA6A2');
});

test('the upgrade code is the one of all versions', (t) => {
  t.is(UPGRADE_CODE, '7B2FE30A-7000-5B95-A82C-41B486D9CA17');
});

test('a version has a product code of its own, a file the same in every version, contents their package code', (t) => {
  t.not(productCode('1.0.0'), productCode('1.0.1'));
  t.not(componentCode('a'), componentCode('b'));
  t.not(packageCode('a'), packageCode('b'));
  t.is(productCode('1.0.0'), productCode('1.0.0'));
});
