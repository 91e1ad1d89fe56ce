/** `grpc.health.v1` as a prober asks it. */
import { credentials, loadPackageDefinition, type ServiceClientConstructor } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { protoPath } from 'grpc-health-check';
import { call, type Received } from './calls.js';

export interface HealthAnswer {
  readonly status: 'UNKNOWN' | 'SERVING' | 'NOT_SERVING' | 'SERVICE_UNKNOWN';
}

export function healthClient(address: string) {
  const loaded = loadPackageDefinition(loadSync(protoPath, { enums: String })) as unknown as {
    grpc: { health: { v1: { Health: ServiceClientConstructor } } };
  };
  return new loaded.grpc.health.v1.Health(address, credentials.createInsecure()) as unknown as {
    check: Parameters<typeof call<{ service: string }, HealthAnswer>>[0];
    list: Parameters<typeof call<object, { statuses: Record<string, HealthAnswer> }>>[0];
    watch(request: { service: string }): ConstructorParameters<typeof Received<HealthAnswer>>[0];
    close(): void;
  };
}

/**
 * The status of each service of the contract, by its short name, and of the host in all, by an
 * empty one.
 */
export async function healthOf(address: string): Promise<Record<string, HealthAnswer['status']>> {
  const client = healthClient(address);
  const statuses: Record<string, HealthAnswer['status']> = {};
  for (const name of ['', 'SessionService', 'DeviceService', 'HostService']) {
    const service = name === '' ? '' : `wifidirect.v1.${name}`;
    statuses[name] = (await call(client.check.bind(client), { service })).status;
  }
  client.close();
  return statuses;
}
