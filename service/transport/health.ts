/**
 * `grpc.health.v1`, where only the services that there are can be watched. `grpc-health-check` keeps every name that was ever
 * watched, for as long as it lives; whoever may probe could fill the memory with names.
 */
import type { ServerWritableStream, ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';

interface Registrar {
  addService(definition: ServiceDefinition, implementation: UntypedServiceImplementation): void;
}

type Watch = (call: ServerWritableStream<{ readonly service: string }, { readonly status: string }>) => void;

/** To be given to `HealthImplementation.addToServer`. A service that is not there now never will be, so nothing more is told of it. */
export function watchingOnly(isThere: (service: string) => boolean, server: Registrar): Registrar {
  return {
    addService(definition, implementation) {
      const watch: Watch = (call) => {
        if (isThere(call.request.service)) (implementation['watch'] as Watch)(call);
        else call.write({ status: 'SERVICE_UNKNOWN' });
      };
      server.addService(definition, { ...implementation, watch });
    },
  };
}
