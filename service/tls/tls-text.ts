/** The output of `wfdd tls create`: the files, and how to use them. */
import { basename } from 'node:path';
import type { TlsFile } from './tls-files.js';

export function tlsText(files: readonly TlsFile[], folder: string): string {
  const [authority, host, ...clients] = files;
  if (authority === undefined || host === undefined) return '';
  const width = Math.max(...files.map(({ file, keyFile }) => `${basename(file)}, ${basename(keyFile)}`.length));
  const rows = files.map(({ file, keyFile, what, names, expires, isMade }) => {
    const pair = `${basename(file)}, ${basename(keyFile)}`.padEnd(width);
    return `  ${pair}  ${isMade ? 'created' : 'kept   '}  ${what}, until ${expires.slice(0, 10)}: ${names}`;
  });
  const principals = clients.map(({ principal }) => `"cert:${principal}"`).join(', ');
  const roles = principals === '' ? '' : `, roles: [{ role: operator, principals: [${principals}] }]`;
  const quoted = (path: string) => JSON.stringify(path);
  const first = clients[0];
  const client =
    first === undefined
      ? []
      : [
          'Call the host with a client certificate:',
          `  wfdctl --address HOST:50051 --ca ${authority.file} --cert ${first.file} --key ${first.keyFile} list`,
        ];
  return [
    `In ${folder}:`,
    ...rows,
    'Add to the configuration of the host:',
    `  tls: { certFile: ${quoted(host.file)}, keyFile: ${quoted(host.keyFile)}, clientCaFile: ${quoted(authority.file)} }`,
    `  access: { mode: authenticated${roles} }`,
    ...client,
    `Keep ${authority.keyFile} only where you issue certificates.`,
    '',
  ].join('\n');
}
