/** The schema of identity, addresses, TLS, access, log, metrics and traces. */
import { hostname } from 'node:os';
import * as z from 'zod';
import { parseCollectorUrl, parseHeader } from '../collector.js';
import { isNetworkAddress, parseListenAddress } from '../listen.js';
import { ROLES, roleBinding } from '../role-binding.js';
import { boolean, choice, count, fraction, group, keyNotes, MASK, milliseconds, path, secret, text } from './leaf.js';

const RELOAD_MAX_MS = 86_400_000;

/**
 * The host name as an id: in lower case, with `-` in place of characters that an id cannot have.
 */
export function hostIdFrom(name: string): string {
  const id = name.toLowerCase().replace(/[^a-z0-9.-]+/g, '-');
  return id.slice(0, 63).replace(/^[.-]+|[.-]+$/g, '') || 'host';
}

export const hostId = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$/)
  .default(() => hostIdFrom(hostname()))
  .register(keyNotes, {
    description: 'The id of this host in GetHost and in the log.',
    why: 'The host name survives restarts and reinstallation. Set an id if two hosts have the same name.',
    form: 'text',
    expects: '1 to 63 of a-z, 0-9, "." and "-", with a letter or digit at both ends',
    example: 'berlin-7',
    defaultText: 'the host name, in lower case',
  });

const LABEL_KEY = /^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;
const LABEL_VALUE = /^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$/;

export const labels = z
  .record(z.string().regex(LABEL_KEY), z.string().regex(LABEL_VALUE))
  .default({})
  .register(keyNotes, {
    description: 'Labels of this host in GetHost, for grouping hosts.',
    why: 'Most tools know the syntax of Kubernetes labels.',
    form: 'json',
    expects: 'a map such as { site: berlin }, keys and values as Kubernetes labels',
    example: { site: 'berlin' },
  });

export const listen = z
  .array(z.string().superRefine(demand(parseListenAddress)))
  .min(1)
  .max(16)
  .default(['127.0.0.1:50051'])
  .register(keyNotes, {
    description:
      'The addresses to listen on: "host:port" (port 0: any free port), "unix:/path", or on Windows "pipe:name" for \\\\.\\pipe\\name.',
    why: 'With loopback, no other machine can reach the daemon until you decide so. Sockets and pipes have no TLS: the system controls access. A socket is open to accounts that can write to it. A pipe is open to LocalSystem, to administrators (from other machines too if Windows file sharing is on) and to the account of the daemon; others can connect but not send.',
    form: 'list',
    expects: 'a list of 1 to 16 addresses like "127.0.0.1:50051", "unix:/run/wfdd.sock" or "pipe:wfdd"',
  });

export const socketMode = z
  .string()
  .regex(/^0?[0-7]{3}$/)
  .default('0660')
  .register(keyNotes, {
    description: 'The mode of Unix sockets, as for chmod. It decides who can connect.',
    why: 'By default only the owner and the group can connect, whatever the umask of the daemon.',
    form: 'text',
    expects: 'a mode in octal digits like "0660"',
  });

export const insecureNonLoopback = boolean(false, {
  description: 'Serve addresses other than loopback even without TLS or without authentication.',
  why: 'For laboratories only: everyone on the network can then open radio links on this host.',
});

/** Mozilla's "intermediate" list without DHE. */
const CIPHERS = [
  ...['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-RSA-AES128-GCM-SHA256'],
  ...['ECDHE-ECDSA-AES256-GCM-SHA384', 'ECDHE-RSA-AES256-GCM-SHA384'],
  ...['ECDHE-ECDSA-CHACHA20-POLY1305', 'ECDHE-RSA-CHACHA20-POLY1305'],
].join(':');

export const tls = group('TLS for all "host:port" addresses. It is on if certFile is set.', {
  certFile: path('readable', '/etc/wfdd/tls/server.pem', {
    description: 'The certificate of the daemon followed by the intermediate certificates, PEM.',
    why: 'Without it there is no TLS, and only loopback, sockets and pipes are served.',
  }),
  keyFile: path('readable', '/etc/wfdd/tls/server.key', {
    description: 'The private key of the certificate, PEM.',
    why: 'A separate file can have stricter permissions.',
  }),
  keyPassphrase: secret({
    description: 'The passphrase of the private key, if it is encrypted.',
    why: 'It cannot be set on the command line, because the process list would show it.',
  }),
  clientCaFile: path('readable', '/etc/wfdd/tls/clients.pem', {
    description: 'The certificate authorities whose client certificates are trusted, PEM.',
    why: 'Use only your own authorities. Public authorities would let strangers in.',
  }),
  clientDenyFile: path('readable', '/etc/wfdd/tls/denied', {
    description:
      'Certificates of clients and of intermediate authorities that are refused although they are otherwise trusted. One per line: a SHA-256 fingerprint, or "serial:" and a serial number, in hexadecimal.',
    why: 'The output lines of openssl x509 -fingerprint -sha256 work as they are. Serial numbers can be extracted from any CRL.',
  }),
  requireClientCertificate: boolean(false, {
    description: 'Refuse connections without a trusted client certificate.',
    why: 'If this is off, a caller can use a token instead.',
  }),
  minVersion: choice(['TLSv1.2', 'TLSv1.3'], 'TLSv1.2', {
    description: 'The oldest TLS version that is accepted. 1.3 is always preferred.',
    why: '1.2 is still secure, and some clients support nothing newer.',
  }),
  ciphers: z
    .string()
    .regex(/^[A-Za-z0-9:_+!@=-]+$/)
    .default(CIPHERS)
    .register(keyNotes, {
      description: 'The cipher suites of TLS 1.2, as an OpenSSL cipher list. Those of TLS 1.3 are always on.',
      why: 'ECDHE keeps recorded traffic secret even if the key is stolen later. AEAD ciphers have no padding to attack.',
      form: 'text',
      expects: 'a list of cipher suites, separated by ":"',
    }),
  reloadIntervalMs: milliseconds(10_000, [0, RELOAD_MAX_MS], {
    description: 'How often the files are checked for changes, which apply without a restart. 0: never.',
    why: 'Polling works everywhere, unlike notifications, and a renewal is never urgent.',
  }),
});

const jwt = group('JSON Web Tokens, verified with a local key set.', {
  jwksFile: path('readable', '/etc/wfdd/jwks.json', {
    description: 'The public keys of the issuer as a JSON Web Key Set. JWTs are accepted if this is set.',
    why: 'With a local file the host calls no other service to authenticate callers.',
  }),
  issuer: text('https://id.example.com/', {
    description: 'The "iss" claim that a token must have.',
    why: 'Several issuers can share a key, but only one of them speaks for your callers.',
  }),
  audience: text('wfdd', {
    description: 'The value that the "aud" claim of a token must contain.',
    why: 'Without it, a token issued for another service would be accepted here.',
  }),
  principalClaim: z.string().min(1).default('sub').register(keyNotes, {
    description: 'The claim that names the principal.',
    why: 'The standard defines sub for this purpose.',
    form: 'text',
    expects: 'the name of a claim',
  }),
  lifetimeMaxMs: milliseconds(86_400_000, [60_000, 31_536_000_000], {
    description:
      'The longest lifetime of a token, from "iat" (or now if it has none) to "exp". Longer ones are refused.',
    why: 'A JWT can be revoked only together with its signing key, so its lifetime bounds the use of a stolen one.',
  }),
});

export const access = group('Authentication and authorization of callers.', {
  mode: choice(['anonymous', 'authenticated'], 'anonymous', {
    description:
      'anonymous: every caller is the principal "anonymous" with all rights. authenticated: the credential names the principal, and roles give it rights.',
    why: 'Beyond loopback, anonymous requires client certificates, so nothing is open to the network by accident.',
  }),
  tokensFile: path('readable', '/etc/wfdd/tokens', {
    description:
      'The bearer tokens that are accepted: a YAML list of { principal, hash: "sha256:" and 64 hex digits, expires (optional) }.',
    why: 'The file holds hashes, so reading it gives no access. Tokens must be random, not words; wfdd token create makes them.',
  }),
  reloadIntervalMs: milliseconds(10_000, [0, RELOAD_MAX_MS], {
    description: 'How often the tokens, the key set and the roles are checked for changes. 0: never.',
    why: 'Bounds how long a revoked credential or role still works, for open streams too.',
  }),
  jwt,
  principalFrom: z
    .array(z.enum(['uri', 'dns', 'cn']))
    .min(1)
    .refine((parts) => new Set(parts).size === parts.length, 'A part is listed twice.')
    .default(['uri', 'dns', 'cn'])
    .register(keyNotes, {
      description:
        'Which part of a client certificate names the principal: the first of these that it has. If that part cannot be a principal (too long, two URIs), the certificate names nobody.',
      why: 'A URI (SPIFFE) is the most specific. The common name is for old authorities.',
      form: 'list',
      expects: 'a list of uri, dns and cn, each at most once',
    }),
  roles: z
    .array(roleBinding)
    .default([])
    .register(keyNotes, {
      description:
        'Which principals have which role. prober: health and reflection. viewer: sees all sessions. operator: opens sessions and changes its own. admin: changes all sessions. Roles add up. "*" in a pattern matches any characters. A pattern with "token:", "jwt:" or "cert:" in front matches only callers with that kind of credential.',
      why: 'In mode authenticated, rights come only from here and from rolesFile.',
      form: 'json',
      expects: `a list of { role: ${ROLES.join('|')}, principals: [patterns] }`,
      example: [{ role: 'operator', principals: ['cert:spiffe://example.com/backend/*', 'token:fleet-agent'] }],
    }),
  rolesFile: path('readable', '/etc/wfdd/roles.yaml', {
    description: 'More role bindings, as a YAML list of the same form. Changes apply without a restart.',
    why: 'A role removed from this file ends streams within reloadIntervalMs. Roles in the configuration need a restart.',
  }),
});

export const log = group('The log, on standard output.', {
  level: choice(['debug', 'info', 'warn', 'error'], 'info', {
    description: 'The lowest level that is written.',
    why: 'info has a line for each change of a session and the audit records, but none for calls that only read.',
  }),
  format: choice(['auto', 'json', 'pretty'], 'auto', {
    description: 'json: one object per line. pretty: for people. auto: pretty on a terminal, otherwise json.',
    why: 'Log collectors parse lines, and people at a terminal read them.',
  }),
  addresses: boolean(false, {
    description: 'Write device addresses to lines of level info and above.',
    why: 'Addresses identify hardware, and so its owner. Session ids connect the lines without them.',
  }),
  auditFolder: path('any', '/var/log/wfdd', {
    description:
      'The folder of the audit files audit.1.log, audit.2.log and so on: the newest 8 of 10 MB each. If it is not set, audit lines go to the log; a Windows service writes these files beside its log.',
    why: 'In separate files no other lines can crowd out the audit, and it can be kept longer and with stricter permissions.',
  }),
});

export const metrics = group('Metrics, served for Prometheus at /metrics or sent to an OpenTelemetry collector.', {
  listen: z
    .string()
    .superRefine(demand(parseListenAddress))
    .refine(isNetworkAddress, 'Metrics are served over HTTP and need a "host:port" address.')
    .nullable()
    .default(null)
    .register(keyNotes, {
      description: 'The loopback address that serves metrics. Off if it is not set.',
      why: 'Off by default, because two daemons on one host would conflict over any fixed port.',
      form: 'text',
      expects: 'an address like "127.0.0.1:9464"',
      example: '127.0.0.1:9464',
    }),
  hostNames: z
    .array(z.string().regex(/^[A-Za-z0-9._-]{1,255}$/))
    .max(100)
    .default([])
    .register(keyNotes, {
      description: 'Host names that scrapers use for this host, besides localhost and IP addresses.',
      why: 'Otherwise a web page whose own host name resolves to this host (DNS rebinding) could read the metrics.',
      form: 'list',
      expects: 'a list of host names like "wfdd-7.example.com", without ports',
      example: ['wfdd-7.example.com'],
    }),
  endpoint: z.string().superRefine(demand(parseCollectorUrl)).nullable().default(null).register(keyNotes, {
    description: 'The URL of the collector for metrics (OTLP over HTTP, JSON). Metrics are sent if this is set.',
    why: 'For hosts that cannot be scraped. Use http for a collector on this host, https for one elsewhere.',
    form: 'text',
    expects: 'a URL like "http://127.0.0.1:4318/v1/metrics", without credentials in it',
    example: 'http://127.0.0.1:4318/v1/metrics',
  }),
  headers: z
    .array(z.string().superRefine(demand(parseHeader)))
    .min(1)
    .nullable()
    .default(null)
    .register(keyNotes, {
      description: 'Headers of every request to the metrics collector.',
      why: 'Hosted collectors expect a key in a header. It cannot be set on the command line, because the process list would show it.',
      form: 'list',
      expects: 'a list of headers like "authorization: Bearer abc"',
      isSecret: true,
      example: MASK,
    }),
  caFile: path('readable', '/etc/wfdd/tls/collector-ca.pem', {
    description: 'The authorities trusted for the certificate of the metrics collector, PEM.',
    why: 'If it is not set, the public authorities that come with Node are trusted.',
  }),
  exportIntervalMs: milliseconds(60_000, [10, 3_600_000], {
    description: 'How often metrics are sent.',
    why: 'The default of the OpenTelemetry specification.',
  }),
  exportTimeoutMs: milliseconds(10_000, [100, 60_000], {
    description: 'How long one export can take. Metrics are cumulative, so a lost export is made up by the next.',
    why: 'A collector that hangs is noticed before the next export is due.',
  }),
});

export const traces = group(
  'Traces (spans of RPCs, native calls and session changes), sent to an OpenTelemetry collector.',
  {
    endpoint: z.string().superRefine(demand(parseCollectorUrl)).nullable().default(null).register(keyNotes, {
      description: 'The URL of the collector for spans (OTLP over HTTP, JSON). Traces are on if this is set.',
      why: 'Off by default, because a host sends no data that nobody asked for. Use http for a collector on this host, https for one elsewhere.',
      form: 'text',
      expects: 'a URL like "http://127.0.0.1:4318/v1/traces", without credentials in it',
      example: 'http://127.0.0.1:4318/v1/traces',
    }),
    headers: z
      .array(z.string().superRefine(demand(parseHeader)))
      .min(1)
      .nullable()
      .default(null)
      .register(keyNotes, {
        description: 'Headers of every request to the span collector.',
        why: 'Hosted collectors expect a key in a header. It cannot be set on the command line, because the process list would show it.',
        form: 'list',
        expects: 'a list of headers like "authorization: Bearer abc"',
        isSecret: true,
        example: MASK,
      }),
    caFile: path('readable', '/etc/wfdd/tls/collector-ca.pem', {
      description: 'The authorities trusted for the certificate of the span collector, PEM.',
      why: 'If it is not set, the public authorities that come with Node are trusted.',
    }),
    sampleRatio: fraction(1, {
      description:
        'The fraction of traces starting on this host that is recorded. The traceparent of a caller decides for the traces of callers.',
      why: 'A host does little per second. Lower it if its own regular native calls are too many.',
    }),
    queueSpansMax: count(4096, [1, 1_000_000], {
      description: 'How many spans can wait for the collector. More are dropped and counted.',
      why: 'At about 1 KB each, this bounds the memory used while the collector is unreachable.',
    }),
    exportIntervalMs: milliseconds(5000, [10, 60_000], {
      description: 'How long a span can wait to be sent with others.',
      why: 'Few requests, yet a trace is available by the time somebody looks for its id.',
    }),
    exportTimeoutMs: milliseconds(10_000, [100, 60_000], {
      description: 'How long sending a batch can take, including retries, before it is dropped.',
      why: 'The default of the OpenTelemetry specification.',
    }),
  },
);

/** Turns a parser that throws into a zod check. */
function demand(parse: (text: string) => unknown) {
  return (text: string, context: z.RefinementCtx<string>) => {
    try {
      parse(text);
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message });
    }
  };
}
