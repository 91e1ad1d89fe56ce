import test, { type Implementation } from 'ava';
import { lacks } from './machine.js';

/**
 * A test that needs the Windows bundle: one at a time, and skipped where the machine can't build or
 * run it.
 */
export function windowsTest(title: string, implementation: Implementation<[]>): void {
  if (lacks.length === 0) test.serial(title, implementation);
  else test.serial.skip(title, implementation);
}
