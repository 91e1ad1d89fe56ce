/** Strict JSON parsing for untrusted input. */

/**
 * Parses a JSON text. Throws an Error, which does not quote the text, if it is not JSON or if an
 * object has a duplicate name. `JSON.parse` takes the last of duplicates and other parsers the
 * first, so two readers could see two different tokens.
 */
export function parseJson(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error('It is not valid JSON.');
  }
  if (hasNameTwice(text)) throw new Error('An object in it has a duplicate name.');
  return value;
}

/** Expects valid JSON. A string before a colon is a name of the innermost object. */
function hasNameTwice(text: string): boolean {
  const open: (Set<string> | undefined)[] = [];
  for (const [, token = '', colon] of text.matchAll(/("(?:[^"\\]|\\.)*"|[{}[\]])\s*(:)?/g)) {
    if (token === '{') open.push(new Set());
    else if (token === '[') open.push(undefined);
    else if (token === '}' || token === ']') open.pop();
    else if (colon !== undefined) {
      const names = open.at(-1);
      const name = String(JSON.parse(token));
      if (names?.has(name)) return true;
      names?.add(name);
    }
  }
  return false;
}
