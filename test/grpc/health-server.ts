/** A server that has nothing but the health service. */
import { Server } from '@grpc/grpc-js';
import { anonymous } from '../../service/access/caller.js';
import type { CallServices } from '../../service/api/call-services.js';
import type { OpenStreams } from '../../service/api/open-streams.js';
import { Health, healthServiceDefinition } from '../../service/grpc/health.js';
import type { Interceptors } from '../../service/grpc/serving.js';

export function healthServer(streams: OpenStreams): Server {
  const interceptors = { gate: { callerOf: () => anonymous(), traceOf: () => undefined } } as unknown as Interceptors;
  const server = new Server();
  server.addService(
    healthServiceDefinition,
    new Health().implementation({ streams } as unknown as CallServices, interceptors, 1000),
  );
  return server;
}
