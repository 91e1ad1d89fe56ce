/**
 * The rooms whose slips are tried, and the tests that should find them. Who adds a room of policy
 * or edge adds it here; a test compares this table with the folders that there are.
 */
export interface Room {
  /** Its folder, or one file. */
  readonly source: string;
  /** Where its own tests are: they run first. What they miss, the other fast tests may find. */
  readonly tests: readonly string[];
}

export const rooms: Readonly<Record<string, Room>> = {
  session: { source: 'service/session', tests: ['test/session'] },
  events: { source: 'service/events', tests: ['test/events', 'test/stream'] },
  journal: { source: 'service/journal', tests: ['test/journal'] },
  device: { source: 'service/device', tests: ['test/contract'] },
  driver: { source: 'service/driver', tests: ['test/driver'] },
  api: { source: 'service/api', tests: ['test/api', 'test/contract', 'test/stream'] },
  codec: { source: 'service/codec', tests: ['test/codec', 'test/contract'] },
  simulator: { source: 'service/simulator', tests: ['test/contract', 'test/clients'] },
  grpc: { source: 'service/grpc', tests: ['test/grpc', 'test/access', 'test/contract', 'test/stream'] },
  access: { source: 'service/access', tests: ['test/access'] },
  commands: { source: 'service/commands', tests: ['test/commands', 'test/config'] },
  files: { source: 'service/files', tests: ['test/files', 'test/access'] },
  tls: { source: 'service/tls', tests: ['test/tls', 'test/access'] },
  config: { source: 'service/config', tests: ['test/config'] },
  telemetry: { source: 'service/telemetry', tests: ['test/telemetry'] },
  doctor: { source: 'service/doctor', tests: ['test/doctor'] },
  'windows-service': { source: 'service/windows-service', tests: ['test/windows-service'] },
  native: { source: 'native', tests: ['test/native'] },
  typescript: { source: 'clients/typescript/src', tests: ['test/clients'] },
  ctl: { source: 'clients/ctl/src', tests: ['test/clients', 'test/console'] },
};

/** Folders of `service/` without a row, and why. */
export const leftOut: Readonly<Record<string, string>> = {
  bundle: 'it builds what ships, and runs on no host',
  operate: 'files for other programs',
  release: 'it builds what ships, and runs on no host',
  proxies: 'configurations of other programs',
};
