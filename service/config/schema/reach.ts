/** The part of the schema that says who may reach the daemon, as whom, with which rights, and what it tells about itself. */
import { hostname } from 'node:os';
import * as z from 'zod';
import { parseCollectorUrl, parseHeader } from '../collector.js';
import { isNetworkAddress, parseListenAddress } from '../listen.js';
import { ROLES, roleBinding } from '../role-binding.js';
import { boolean, choice, count, fraction, group, keyNotes, MASK, milliseconds, path, secret, text } from './leaf.js';

const RELOAD_MAX_MS = 86_400_000;

/** The host's name as an id: lower case, and `-` for whatever an id may not have. */
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
    why: 'The host name survives restarts and reinstallation; set it where two hosts share one name.',
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
    description: 'Labels of this host in GetHost, by which others may group hosts.',
    why: 'The form is that of Kubernetes, which most tools know.',
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
      'The addresses to serve: "host:port" (port 0: any free one), "unix:/path", or on Windows "pipe:name" for \\\\.\\pipe\\name.',
    why: 'Loopback: nobody beyond this host reaches the daemon until somebody decides so. Sockets and pipes have no TLS; the system says who may call there: whoever may write to the socket; at a pipe LocalSystem, administrators (from other machines too, where Windows file sharing is on) and the account of the daemon, while all others can connect but send nothing.',
    form: 'list',
    expects: 'a list of 1 to 16 addresses like "127.0.0.1:50051", "unix:/run/wfdd.sock" or "pipe:wfdd"',
  });

export const socketMode = z
  .string()
  .regex(/^0?[0-7]{3}$/)
  .default('0660')
  .register(keyNotes, {
    description: 'Who may connect to Unix sockets: their mode, as chmod takes it.',
    why: 'Its owner and its group, and nobody else, whatever umask the daemon was started with.',
    form: 'text',
    expects: 'a mode in octal digits like "0660"',
  });

export const insecureNonLoopback = boolean(false, {
  description: 'Serve addresses other than loopback even without TLS, or without knowing who calls.',
  why: 'For laboratories: everybody on the network may then open radio links on this host.',
});

/** Mozilla's "intermediate" list without DHE. */
const CIPHERS = [
  ...['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-RSA-AES128-GCM-SHA256'],
  ...['ECDHE-ECDSA-AES256-GCM-SHA384', 'ECDHE-RSA-AES256-GCM-SHA384'],
  ...['ECDHE-ECDSA-CHACHA20-POLY1305', 'ECDHE-RSA-CHACHA20-POLY1305'],
].join(':');

export const tls = group('TLS of every "host:port" address; it is on where certFile is set.', {
  certFile: path('readable', '/etc/wfdd/tls/server.pem', {
    description: 'The certificate of the daemon, PEM, followed by its intermediate ones.',
    why: 'Without it there is no TLS, and only loopback, sockets and pipes are served.',
  }),
  keyFile: path('readable', '/etc/wfdd/tls/server.key', {
    description: 'The private key of the certificate, PEM.',
    why: 'A file of its own, so that it can have narrower permissions.',
  }),
  keyPassphrase: secret({
    description: 'The passphrase of the private key, where it is encrypted.',
    why: 'Not taken from the command line, which every process list shows.',
  }),
  clientCaFile: path('readable', '/etc/wfdd/tls/clients.pem', {
    description: 'The authorities whose client certificates are trusted, PEM.',
    why: 'Your own only: the public ones of the system would let strangers in.',
  }),
  clientDenyFile: path('readable', '/etc/wfdd/tls/denied', {
    description:
      'Client certificates, and authorities under them, that are refused all the same: one a line, by SHA-256 fingerprint or as "serial:" and the serial number, both in hexadecimal.',
    why: 'The lines of openssl x509 -fingerprint -sha256 will do. A list of serial numbers can be made of any CRL.',
  }),
  requireClientCertificate: boolean(false, {
    description: 'Refuse connections without a trusted client certificate.',
    why: 'Where it is off, a caller may bring a token in its place.',
  }),
  minVersion: choice(['TLSv1.2', 'TLSv1.3'], 'TLSv1.2', {
    description: 'The oldest version of TLS that is spoken; 1.3 is preferred in any case.',
    why: '1.2 is still sound, and some clients have nothing newer.',
  }),
  ciphers: z
    .string()
    .regex(/^[A-Za-z0-9:_+!@=-]+$/)
    .default(CIPHERS)
    .register(keyNotes, {
      description: 'The cipher suites of TLS 1.2, in the form and order of OpenSSL. Those of TLS 1.3 are always on.',
      why: 'ECDHE alone keeps what was recorded secret when the key is lost later, and only AEAD ciphers have no padding to attack.',
      form: 'text',
      expects: 'a list of cipher suites, separated by ":"',
    }),
  reloadIntervalMs: milliseconds(10_000, [0, RELOAD_MAX_MS], {
    description: 'How often the files are looked at for a change, to be used without a restart; 0: never.',
    why: 'Looking is portable where notifications are not, and a renewal is never urgent.',
  }),
});

const jwt = group('JSON Web Tokens, checked against a local key set.', {
  jwksFile: path('readable', '/etc/wfdd/jwks.json', {
    description: 'The public keys of the issuer, a JSON Web Key Set; JWTs are accepted where it is set.',
    why: 'A local file: no call leaves the host to let somebody in.',
  }),
  issuer: text('https://id.example.com/', {
    description: 'The "iss" that a token must have.',
    why: 'A key may be known to several issuers; only one of them speaks for your callers.',
  }),
  audience: text('wfdd', {
    description: 'The "aud" that a token must have.',
    why: 'Without it a token made for another service would open this one.',
  }),
  principalClaim: z.string().min(1).default('sub').register(keyNotes, {
    description: 'The claim that names the principal.',
    why: 'sub is the one that the standard has for it.',
    form: 'text',
    expects: 'the name of a claim',
  }),
  lifetimeMaxMs: milliseconds(86_400_000, [60_000, 31_536_000_000], {
    description:
      'The longest life of a token, from "iat" (or now, where it has none) to "exp"; longer ones are refused.',
    why: 'A JWT can only be taken back with the key that signed it, so its life bounds what a stolen one is worth.',
  }),
});

export const access = group('Who is calling, and what they may do.', {
  mode: choice(['anonymous', 'authenticated'], 'anonymous', {
    description:
      'anonymous: every caller is the principal "anonymous" with all rights; authenticated: as its credential says.',
    why: 'Beyond loopback, anonymous needs client certificates; nothing is open to a network by accident.',
  }),
  tokensFile: path('readable', '/etc/wfdd/tokens', {
    description:
      'The bearer tokens that are accepted, a YAML list of { principal, hash: "sha256:" and 64 hex digits, expires (optional) }.',
    why: 'Hashed, so that reading the file lets nobody in. Tokens must be random, no words; wfdd token create makes them.',
  }),
  reloadIntervalMs: milliseconds(10_000, [0, RELOAD_MAX_MS], {
    description: 'How often the tokens, the key set and the roles are looked at for a change; 0: never.',
    why: 'Bounds how long what was taken back still works, also for streams that stand.',
  }),
  jwt,
  principalFrom: z
    .array(z.enum(['uri', 'dns', 'cn']))
    .min(1)
    .refine((parts) => new Set(parts).size === parts.length, 'A part stands in it twice.')
    .default(['uri', 'dns', 'cn'])
    .register(keyNotes, {
      description:
        'Which part of a client certificate names the principal: the first of these that it has. One that is there and unfit (too long, two URIs) names nobody.',
      why: 'A URI (SPIFFE) says most; the common name is for old authorities.',
      form: 'list',
      expects: 'a list of uri, dns and cn, each at most once',
    }),
  roles: z
    .array(roleBinding)
    .default([])
    .register(keyNotes, {
      description:
        'Who has which role. prober: health and reflection; viewer: sees all; operator: own sessions; admin: all sessions. Several add up. "*" in a pattern is any run of characters; "token:", "jwt:" or "cert:" before it binds only those who are known by that.',
      why: 'Nobody has any right that is not written here or in rolesFile (mode authenticated).',
      form: 'json',
      expects: `a list of { role: ${ROLES.join('|')}, principals: [patterns] }`,
      example: [{ role: 'operator', principals: ['cert:spiffe://example.com/backend/*', 'token:fleet-agent'] }],
    }),
  rolesFile: path('readable', '/etc/wfdd/roles.yaml', {
    description: 'More of them, a YAML list of the same form, used anew when it has changed.',
    why: 'A role that is taken back in a file ends streams within reloadIntervalMs; one in the configuration needs a restart.',
  }),
});

export const log = group('The log, on the standard output.', {
  level: choice(['debug', 'info', 'warn', 'error'], 'info', {
    description: 'The least severe lines that are written.',
    why: 'info has a line for each change of a session, the audit records too, and none for what only reads.',
  }),
  format: choice(['auto', 'json', 'pretty'], 'auto', {
    description: 'json: one object a line; pretty: for people; auto: pretty on a terminal, else json.',
    why: 'What collects logs parses them, who sits before a terminal reads them.',
  }),
  addresses: boolean(false, {
    description: 'Show the addresses of devices in lines of level info and above.',
    why: 'They identify hardware, and so its owner; session ids tie the lines together without them.',
  }),
  auditFolder: path('any', '/var/log/wfdd', {
    description:
      'The folder of the audit, files audit.1.log, audit.2.log and so on: 8 of 10 MB, the oldest deleted. Not set: audit lines go to the log; a Windows service keeps such files beside its log.',
    why: 'In files of its own no other lines can crowd it out, and it can be kept longer and read by fewer.',
  }),
});

export const metrics = group('Metrics, for Prometheus at /metrics, or sent to an OpenTelemetry collector.', {
  listen: z
    .string()
    .superRefine(demand(parseListenAddress))
    .refine(isNetworkAddress, 'Metrics are served over HTTP, on a "host:port" address only.')
    .nullable()
    .default(null)
    .register(keyNotes, {
      description: 'The loopback address that serves them; off where it is not set.',
      why: 'Off, because two daemons on one host, or a test beside one, would fight for any fixed port.',
      form: 'text',
      expects: 'an address like "127.0.0.1:9464"',
      example: '127.0.0.1:9464',
    }),
  hostNames: z
    .array(z.string().regex(/^[A-Za-z0-9._-]{1,255}$/))
    .max(100)
    .default([])
    .register(keyNotes, {
      description: 'The names that a scraper may call this host by, beside localhost and the addresses themselves.',
      why: 'A foreign page whose own name is made to mean this host (DNS rebinding) could read the metrics in a browser.',
      form: 'list',
      expects: 'a list of host names like "wfdd-7.example.com", without ports',
      example: ['wfdd-7.example.com'],
    }),
  endpoint: z.string().superRefine(demand(parseCollectorUrl)).nullable().default(null).register(keyNotes, {
    description: 'Where the collector takes metrics, OTLP over HTTP as JSON; they are sent where it is set.',
    why: 'For hosts that nobody can scrape. http is for a collector on the host itself, https for one beyond.',
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
      description: 'Headers that go with every request to the collector of metrics.',
      why: 'Collectors of providers take a key in one. Not taken from the command line, which every process list shows.',
      form: 'list',
      expects: 'a list of headers like "authorization: Bearer abc"',
      isSecret: true,
      example: MASK,
    }),
  caFile: path('readable', '/etc/wfdd/tls/collector-ca.pem', {
    description: 'The authorities that the certificate of the collector of metrics may come from, PEM.',
    why: 'Not set means the public ones that Node brings.',
  }),
  exportIntervalMs: milliseconds(60_000, [10, 3_600_000], {
    description: 'How often metrics are sent.',
    why: 'What the OpenTelemetry specification has as its default.',
  }),
  exportTimeoutMs: milliseconds(10_000, [100, 60_000], {
    description: 'How long sending them may take; what is lost comes with the next.',
    why: 'A collector that hangs is noticed before the next are due.',
  }),
});

export const traces = group(
  'Traces (spans of RPCs, native calls and session changes), sent to an OpenTelemetry collector.',
  {
    endpoint: z.string().superRefine(demand(parseCollectorUrl)).nullable().default(null).register(keyNotes, {
      description: 'Where the collector takes OTLP over HTTP, as JSON; traces are on where it is set.',
      why: 'Off, because nothing should leave a host that nobody told it to. http is for a collector on the host itself, https for one beyond.',
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
        description: 'Headers that go with every request to the collector.',
        why: 'Collectors of providers take a key in one. Not taken from the command line, which every process list shows.',
        form: 'list',
        expects: 'a list of headers like "authorization: Bearer abc"',
        isSecret: true,
        example: MASK,
      }),
    caFile: path('readable', '/etc/wfdd/tls/collector-ca.pem', {
      description: "The authorities that the collector's certificate may come from, PEM.",
      why: 'Not set means the public ones that Node brings.',
    }),
    sampleRatio: fraction(1, {
      description:
        'Which part of the traces that begin here is recorded; those that callers began are as their traceparent says.',
      why: 'A host does little in a second; lower it where its own regular native calls are too many.',
    }),
    queueSpansMax: count(4096, [1, 1_000_000], {
      description: 'How many spans may wait for the collector; what is beyond that is lost, and counted.',
      why: 'At 1 KB or so each, what a collector that is away may cost.',
    }),
    exportIntervalMs: milliseconds(5000, [10, 60_000], {
      description: 'How long a span may wait for others to be sent with.',
      why: 'Few requests, and still a trace that is there when somebody has found its id.',
    }),
    exportTimeoutMs: milliseconds(10_000, [100, 60_000], {
      description: 'How long sending a batch may take, retries included, before it is lost.',
      why: 'What the OpenTelemetry specification has as its default.',
    }),
  },
);

/** Makes a zod check of a parser that says what is wrong by throwing. */
function demand(parse: (text: string) => unknown) {
  return (text: string, context: z.RefinementCtx<string>) => {
    try {
      parse(text);
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message });
    }
  };
}
