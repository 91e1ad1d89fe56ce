/**
 * The command that lets other machines through the Windows Firewall, which blocks them by default.
 */
import { isLocal, parseListenAddress } from '../config/listen.js';
import type { Config } from '../config/schema.js';

/** What a rule is for. */
interface FirewallSubject {
  /** The name of the rule; deleting it needs only this. */
  readonly rule: string;
  /** The program that listens. */
  readonly program: string;
  /** The Windows service, if the program is one. */
  readonly service?: string;
}

/** The ports that serve other machines; empty if only this host is served. Port 0 means any. */
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

/** The arguments of netsh.exe that delete the rule. */
export function deleteRule(rule: string): string[] {
  return ['advfirewall', 'firewall', 'delete', 'rule', `name=${rule}`];
}

/** The command as typed in a console. */
export function netshLine(args: readonly string[]): string {
  const shown = args.map((each) => each.replace(/^(\w+)=(.*[^\w.,-].*)$/, '$1="$2"'));
  return ['netsh', ...shown].join(' ');
}

/** How to add and delete the rule; undefined if only this host is served. */
export function firewallNote(config: Config, subject: FirewallSubject): string | undefined {
  const ports = exposedPorts(config);
  if (ports.length === 0) return undefined;
  return [
    'Windows Firewall blocks other machines until a rule allows them. Run as administrator:',
    `  ${netshLine(addRule(ports, subject))}`,
    'To undo it:',
    `  ${netshLine(deleteRule(subject.rule))}`,
  ].join('\n');
}
