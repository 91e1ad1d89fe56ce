/**
 * What the gateway is measured against: the same service on grpc-js, with messages of the same
 * sizes and no logic. It writes one message for each event and stream, encoded anew, and knows
 * nothing but which streams are open.
 */
import { Server, ServerCredentials, type ServerWritableStream, type UntypedServiceImplementation } from '@grpc/grpc-js';
import {
  type OpenSessionRequest,
  type OpenSessionResponse,
  SessionServiceDefinition,
  type WatchSessionsRequest,
  type WatchSessionsResponse,
} from '../../../proto/gen/wifidirect/v1/session_service.js';
import { grpcDefinition, type HandlersOf } from '../../harness/grpc-services.js';
import { readSamples } from './samples.js';

const openMs = Number(process.env['WFD_BENCH_OPEN_MS']);
const samples = readSamples();
const lives = new Map<string, ServerWritableStream<OpenSessionRequest, OpenSessionResponse>>();
const watchers = new Set<ServerWritableStream<WatchSessionsRequest, WatchSessionsResponse>>();

/**
 * The same message with the time in the place of its epoch, which has 16 hexadecimal digits too.
 */
function stamped(message: OpenSessionResponse): OpenSessionResponse {
  const { event } = message;
  const epoch = process.hrtime.bigint().toString(16).padStart(16, '0');
  return { ...message, event: event && { ...event, epoch } };
}

const service: Partial<HandlersOf<typeof SessionServiceDefinition>> = {
  getSession: (_call, callback) => callback(null, samples.get),
  renewSession: (_call, callback) => {
    for (const watcher of watchers) watcher.write(samples.renewed);
    callback(null, samples.renew);
  },
  watchSessions: (call) => {
    watchers.add(call);
    call.once('close', () => watchers.delete(call));
    call.write(samples.snapshot);
  },
  openSession: (call) => {
    const id = call.request.sessionId;
    lives.set(id, call);
    call.once('close', () => lives.delete(id));
    call.write(samples.opening);
    if (openMs === 0) call.write(stamped(samples.opened));
    else setTimeout(() => call.write(stamped(samples.opened)), openMs);
  },
  closeSession: (call, callback) => {
    const life = lives.get(call.request.sessionId);
    life?.write(samples.closing);
    life?.write(samples.closed);
    life?.end();
    callback(null, samples.close);
  },
};

const server = new Server({ 'grpc.enable_channelz': 0 });
server.addService(grpcDefinition(SessionServiceDefinition), service as UntypedServiceImplementation);
server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
  if (error !== null) throw error;
  console.log(JSON.stringify({ event: 'serving', addresses: [`127.0.0.1:${port}`] }));
});
