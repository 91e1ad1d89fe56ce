import { X509Certificate } from 'node:crypto';
import test from 'ava';
import { principalOf } from '../../service/access/certificate.js';
import { makeAuthority, type Wanted } from './authority.js';

const authority = makeAuthority('certificate tests');
const order = ['uri', 'dns', 'cn'] as const;

/** As Node hands it over. */
function shown(wanted: Wanted) {
  const { subject, subjectaltname } = new X509Certificate(authority.issue(wanted).cert).toLegacyObject();
  return { subject: { ...subject }, subjectaltname };
}

test('the first URI names the principal, else the first DNS name, else the common name', (t) => {
  const uris = ['spiffe://example.com/backend/1', 'spiffe://example.com/backend/2'];
  const dnsNames = ['a.example.com', 'b.example.com'];
  t.is(principalOf(shown({ commonName: 'cn', dnsNames, uris }), order), 'spiffe://example.com/backend/1');
  t.is(principalOf(shown({ commonName: 'cn', dnsNames }), order), 'a.example.com');
  t.is(principalOf(shown({ commonName: 'cn' }), order), 'cn');
  t.is(principalOf(shown({ ips: ['127.0.0.1'] }), order), undefined);
});

test('the order is as configured, and what is not in it names nobody', (t) => {
  const all = shown({ commonName: 'cn', dnsNames: ['dns'], uris: ['uri:x'] });
  t.is(principalOf(all, ['cn', 'uri']), 'cn');
  t.is(principalOf(all, ['dns']), 'dns');
  t.is(principalOf(shown({ commonName: 'cn' }), ['uri', 'dns']), undefined);
});

test('one name cannot pose as two', (t) => {
  const dnsNames = ['a, URI:spiffe://example.com/admin', 'b"\\, URI:"spiffe://example.com/admin'];
  const posing = shown({ dnsNames });
  t.is(principalOf(posing, ['uri']), undefined);
  t.is(principalOf(posing, ['dns']), dnsNames[0]);
  t.is(principalOf(shown({ dnsNames, uris: ['urn:a,b', 'urn:c'] }), ['uri']), 'urn:a,b');
});

test('a name that other systems made is read past', (t) => {
  const subjectaltname = 'othername:UPN:"a\\u002c URI:urn:evil", DirName:"CN=x\\u002c URI:urn:evil", URI:urn:good';
  t.is(principalOf({ subjectaltname }, ['uri']), 'urn:good');
});

test('what is invisible, too long or not single names nobody', (t) => {
  t.is(principalOf(shown({ commonName: 'a\nb' }), order), undefined);
  t.is(principalOf(shown({ commonName: 'a\u200bb' }), order), undefined);
  t.is(principalOf(shown({ uris: ['u'.repeat(256)] }), order), undefined);
  t.is(principalOf({ subject: { CN: ['a', 'b'] } }, order), undefined);
});
