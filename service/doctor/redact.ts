/**
 * Makes a text safe to share: MAC addresses are cut to their vendor part, and names of people,
 * hosts and devices are replaced. Secrets never get into a report in the first place.
 */
interface Private {
  /** Words to replace, such as host, user and device names. */
  readonly words: readonly (readonly [word: string, instead: string])[];
  readonly showAddresses: boolean;
}

/** Shorter words would match too much. */
const WORD_CHARACTERS_MIN = 3;

export function redact(text: string, { words, showAddresses }: Private): string {
  const longestFirst = words
    .filter(([word]) => word.length >= WORD_CHARACTERS_MIN)
    .toSorted(([a], [b]) => b.length - a.length);
  const named = longestFirst.reduce((so, [word, instead]) => replaceWord(so, word, instead), withoutHomes(text));
  return showAddresses ? named : withoutAddresses(named);
}

function replaceWord(text: string, word: string, instead: string): string {
  const pattern = word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return text.replace(new RegExp(`(?<![\\p{L}\\p{N}])${pattern}(?![\\p{L}\\p{N}])`, 'giu'), instead);
}

/** Replaces user names in home folders. In JSON a backslash is doubled. */
function withoutHomes(text: string): string {
  return text.replace(/(\\Users\\|\\\\Users\\\\|\/home\/)[^\\/"'\s]+/gi, '$1(user)');
}

function withoutAddresses(text: string): string {
  return (
    text
      .replace(
        /(?<![0-9a-f:-])([0-9a-f]{2})[:-]([0-9a-f]{2})[:-]([0-9a-f]{2})(?:[:-][0-9a-f]{2}){3}(?![0-9a-f])/gi,
        cut,
      )
      // The form in ids of device nodes. The end of a GUID has a hyphen before it and does not
      // match.
      .replace(/(?<![0-9a-f-])([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})[0-9a-f]{6}(?![0-9a-f-])/gi, cut)
      // The lower half can contain the MAC address of the adapter.
      .replace(/(?<![0-9a-f:])(fe80|f[cd][0-9a-f]{2}|[23][0-9a-f]{3}):[0-9a-f:]*(?:%\w+)?/gi, '$1:(shortened)')
  );
}

function cut(_: string, first: string, second: string, third: string): string {
  return `${first}:${second}:${third}:**:**:**`;
}
