/**
 * One attack as a process of its own, for as long as its parent lives and a minute at most: NAME
 * TARGET, as JSON.
 */
import { attacks, type Target } from './attacks.js';

const LIFE_MS = 60_000;

setTimeout(() => process.exit(0), LIFE_MS).unref();
process.once('disconnect', () => process.exit(0));
const [name = '', target = ''] = process.argv.slice(2);
const attack = attacks[name];
if (attack === undefined) throw new Error(`There is no attack ${name}.`);
process.send?.('ready');
for (;;) await attack(JSON.parse(target) as Target);
