/** The client libraries, in the order of the table. */
import { cpp } from './libraries/cpp.js';
import { go } from './libraries/go.js';
import { java } from './libraries/java.js';
import { python } from './libraries/python.js';
import { rust } from './libraries/rust.js';
import { typescript } from './libraries/typescript.js';
import type { Library } from './library.js';

export const libraries: readonly Library[] = [typescript, go, python, java, rust, cpp];
