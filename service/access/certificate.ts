/** The principal that a client certificate names. TLS has checked the certificate before. */
import type { Config } from '../config/schema.js';
import { isPrincipal } from './identity.js';

type Part = Config['access']['principalFrom'][number];

/** The parts of Node's `PeerCertificate` that may name somebody. */
export interface NamedCertificate {
  readonly subject?: { readonly CN?: string | readonly string[] };
  readonly subjectaltname?: string | undefined;
}

/**
 * The first of these parts that the certificate has: the URI or the first DNS name of its subjectAltName, or the common
 * name of its subject.
 *
 * The rule that must not be broken: a part that is there and can't be a principal names nobody. To go on to the next
 * part would let whoever requests a certificate choose which part counts. Two URIs name nobody either (SPIFFE X.509-SVID
 * allows one only), nor do two common names: any of them could be meant.
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
 * Node writes the names as `DNS:a.example, URI:"spiffe://a/b\u002c"`: what has a comma, a quote or anything unusual in
 * it stands as a JSON string. Reading those as a whole is what keeps one name from posing as two (CVE-2021-44532).
 * `undefined` where some of the text is of no known form: a name could hide there.
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
