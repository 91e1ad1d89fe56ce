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
 * The first of these parts that the certificate has: a URI or a DNS name of its subjectAltName (of several the first), or the
 * common name of its subject (of several none, since any of them could be meant).
 */
export function principalOf({ subject, subjectaltname }: NamedCertificate, order: readonly Part[]): string | undefined {
  const names = alternativeNames(subjectaltname ?? '');
  const parts: Record<Part, unknown> = {
    uri: names.find(({ type }) => type === 'URI')?.value,
    dns: names.find(({ type }) => type === 'DNS')?.value,
    cn: subject?.CN,
  };
  return order.map((part) => parts[part]).find(isPrincipal);
}

/**
 * Node writes the names as `DNS:a.example, URI:"spiffe://a/b\u002c"`: what has a comma, a quote or anything unusual in it stands
 * as a JSON string. Reading those as a whole is what keeps one name from posing as two (CVE-2021-44532).
 */
function alternativeNames(text: string): { type: string; value: string }[] {
  const names: { type: string; value: string }[] = [];
  const name = /(?:^|, )([^:,"]+):((?:[^,"]|"(?:[^"\\]|\\.)*")*)/y;
  for (let found = name.exec(text); found !== null; found = name.exec(text)) {
    const [, type = '', value = ''] = found;
    names.push({ type, value: value.startsWith('"') ? String(JSON.parse(value)) : value });
  }
  return names;
}
