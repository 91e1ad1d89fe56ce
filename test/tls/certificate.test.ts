import { X509Certificate } from 'node:crypto';
import test from 'ava';
import { principalOf } from '../../service/tls/certificate.js';
import { makeAuthority, type Wanted } from '../access/authority.js';

const authority = makeAuthority('certificate tests');
const order = ['uri', 'dns', 'cn'] as const;

/** As Node hands it over. */
function shown(wanted: Wanted) {
  const { subject, subjectaltname } = new X509Certificate(authority.issue(wanted).cert).toLegacyObject();
  return { subject: { ...subject }, subjectaltname };
}

test('the URI names the principal, else the first DNS name, else the common name', (t) => {
  const uris = ['spiffe://example.com/backend/1'];
  const dnsNames = ['a.example.com', 'b.example.com'];
  t.is(principalOf(shown({ commonName: 'cn', dnsNames, uris }), order), 'spiffe://example.com/backend/1');
  t.is(principalOf(shown({ commonName: 'cn', dnsNames }), order), 'a.example.com');
  t.is(principalOf(shown({ commonName: 'cn' }), order), 'cn');
  t.is(principalOf(shown({ ips: ['127.0.0.1'] }), order), undefined);
});

test('a part that is there and unfit names nobody, not the next part', (t) => {
  const tooLong = `spiffe://example.com/${'u'.repeat(255)}`;
  for (const uris of [[tooLong], ['spiffe://a/\u200b'], [''], ['spiffe://a/1', 'spiffe://a/2'], ['urn:a', 'urn:a']]) {
    t.is(principalOf(shown({ commonName: 'admin', dnsNames: ['admin'], uris }), order), undefined, uris.join());
  }
  t.is(principalOf(shown({ commonName: 'admin', dnsNames: ['d'.repeat(256)] }), order), undefined);
  t.is(principalOf(shown({ commonName: 'admin', uris: [tooLong] }), ['cn']), 'admin', 'a part that is not asked for');
});

test("names of which some can't be read name nobody", (t) => {
  const subjectaltname = 'DNS:admin, "odd, URI:spiffe://a/b';
  t.is(principalOf({ subject: { CN: 'admin' }, subjectaltname }, order), undefined);
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
  t.is(principalOf(shown({ dnsNames, uris: ['urn:a,b'] }), ['uri']), 'urn:a,b');
});

test('a name that other systems made is read past', (t) => {
  const subjectaltname = 'othername:UPN:"a\\u002c URI:urn:evil", DirName:"CN=x\\u002c URI:urn:evil", URI:urn:good';
  t.is(principalOf({ subjectaltname }, ['uri']), 'urn:good');
});

test('what is invisible, too long or not single names nobody', (t) => {
  t.is(principalOf(shown({ commonName: 'a\nb' }), order), undefined);
  for (const invisible of ['\u200b', '\u202e', '\u2028', '\u2029', '\u0085', '\u009b']) {
    t.is(principalOf(shown({ commonName: `a${invisible}b` }), order), undefined);
  }
  t.is(principalOf(shown({ uris: ['u'.repeat(256)] }), order), undefined);
  t.is(principalOf({ subject: { CN: ['a', 'b'] } }, order), undefined);
});
