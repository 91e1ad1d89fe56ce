/** JSON from strangers and from people, read strictly. */

/**
 * The value of a JSON text. Throws an Error that quotes none of it: for what is no JSON, and for an object that has a
 * name twice. Of those `JSON.parse` takes the last and other readers the first, so two readers could see two tokens.
 */
export function parseJson(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error('It is not valid JSON.');
  }
  if (hasNameTwice(text)) throw new Error('A name stands in it twice.');
  return value;
}

/** Of a text that is JSON. A string before a colon is a name of the innermost object. */
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
