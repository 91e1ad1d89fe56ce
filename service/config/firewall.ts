/** The one line that lets other machines through the Windows Firewall, which blocks them unless it is told otherwise. */
import { isLocal, parseListenAddress } from './listen.js';
import type { Config } from './schema.js';

/** What a rule is for. */
export interface FirewallSubject {
  /** The rule's name, and how to remove it. */
  readonly rule: string;
  /** The program that listens. */
  readonly program: string;
  /** The Windows service that it is, if it is one. */
  readonly service?: string;
}

/** The ports that other machines can be let in to; none where only this one is served. A port of 0 is any. */
export function exposedPorts({ listen }: Config): number[] {
  const ports = listen
    .map(parseListenAddress)
    .flatMap((address) => (address.kind === 'tcp' && !isLocal(address) ? [address.port] : []));
  return [...new Set(ports)].sort((a, b) => a - b);
}

/** The arguments of netsh.exe that add the rule. */
export function addRule(ports: readonly number[], { rule, program, service }: FirewallSubject): string[] {
  const localPorts = ports.includes(0) ? 'any' : ports.join(',');
  return [
    ...['advfirewall', 'firewall', 'add', 'rule', `name=${rule}`, 'dir=in', 'action=allow', 'protocol=TCP'],
    ...[`localport=${localPorts}`, `program=${program}`, ...(service === undefined ? [] : [`service=${service}`])],
  ];
}

/** The arguments of netsh.exe that take it back. */
export function deleteRule(rule: string): string[] {
  return ['advfirewall', 'firewall', 'delete', 'rule', `name=${rule}`];
}

/** As somebody types it into a console. */
export function netshLine(args: readonly string[]): string {
  const shown = args.map((each) => each.replace(/^(\w+)=(.*[^\w.,-].*)$/, '$1="$2"'));
  return ['netsh', ...shown].join(' ');
}

/** What to do so that others get in, and how to take it back; nothing where only this machine is served. */
export function firewallNote(config: Config, subject: FirewallSubject): string | undefined {
  const ports = exposedPorts(config);
  if (ports.length === 0) return undefined;
  return [
    'The Windows Firewall keeps other machines out until a rule lets them in. As administrator:',
    `  ${netshLine(addRule(ports, subject))}`,
    'and to take it back:',
    `  ${netshLine(deleteRule(subject.rule))}`,
  ].join('\n');
}
