/** The principal that a client certificate names. TLS has verified the certificate before. */
import { isPrincipal } from '../access/identity.js';
import type { Config } from '../config/schema.js';

type Part = Config['access']['principalFrom'][number];

/** The parts of Node's `PeerCertificate` that can name a principal. */
interface NamedCertificate {
  readonly subject?: { readonly CN?: string | readonly string[] };
  readonly subjectaltname?: string | undefined;
}

/**
 * Returns the first of these parts that the certificate has: the URI or the first DNS name of its
 * subjectAltName, or the common name of its subject.
 *
 * Invariant: if the first part that is present cannot be a principal, the certificate names nobody.
 * Falling back to the next part would let the requester of a certificate choose which part counts.
 * Two URIs name nobody either (SPIFFE X.509-SVID allows only one), and neither do two common names,
 * because it is unclear which one is meant.
 */
export function principalOf({ subject, subjectaltname }: NamedCertificate, order: readonly Part[]): string | undefined {
  const names = alternativeNames(subjectaltname ?? '');
  if (names === undefined) return undefined;
  const valuesOf = (type: string) => names.filter((name) => name.type === type).map(({ value }) => value);
  const parts: Record<Part, readonly unknown[]> = {
    uri: valuesOf('URI'),
    dns: valuesOf('DNS').slice(0, 1),
    cn: subject?.CN === undefined ? [] : [subject.CN].flat(),
  };
  const [name, ...others] = order.map((part) => parts[part]).find((values) => values.length > 0) ?? [];
  return others.length === 0 && isPrincipal(name) ? name : undefined;
}

/**
 * Node writes the names as `DNS:a.example, URI:"spiffe://a/b\u002c"`. A name with a comma, a quote
 * or an unusual character is a JSON string. Parsing it as a whole prevents one name from posing as
 * two (CVE-2021-44532). Returns `undefined` if any of the text does not parse, because a name could
 * hide there.
 */
function alternativeNames(text: string): { type: string; value: string }[] | undefined {
  const names: { type: string; value: string }[] = [];
  const name = /(?:^|, )([^:,"]+):((?:[^,"]|"(?:[^"\\]|\\.)*")*)/y;
  let end = 0;
  for (let found = name.exec(text); found !== null; found = name.exec(text)) {
    const [, type = '', value = ''] = found;
    names.push({ type, value: value.startsWith('"') ? String(JSON.parse(value)) : value });
    end = name.lastIndex;
  }
  if (end < text.length) return undefined;
  return names;
}
