// The same in Node.js, without a proto file: the server says itself what it can do (server reflection).
//
//     npm install @grpc/grpc-js grpc-js-reflection-client
//     node session.mjs 127.0.0.1:50051 192.0.2.20 4000
import { once } from 'node:events';
import grpc from '@grpc/grpc-js';
import { GrpcReflection } from 'grpc-js-reflection-client';

const [server, destination, port, local = '127.0.0.1'] = process.argv.slice(2);
const credentials = grpc.credentials.createInsecure();

const descriptor = await new GrpcReflection(server, credentials).getDescriptorBySymbol('rtpproxy.RtpProxy');
const { rtpproxy } = descriptor.getPackageObject({ keepCase: true, enums: String, longs: Number, defaults: true });
const millrace = new rtpproxy.RtpProxy(server, credentials);

const call = (method, request) =>
  new Promise((resolve, reject) => {
    millrace[method](request, (error, answer) => (error ? reject(error) : resolve(answer)));
  });

// Subscribed once the metadata is there: what is created afterwards will be told.
const events = millrace.StreamSessionEvents({ session_ids: ['node-example'] });
events.on('error', (error) => error.code === grpc.status.CANCELLED || console.error(error.message));
await once(events, 'metadata');
const closed = new Promise((resolve) => {
  events.on('data', (event) => {
    console.log(`${event.sequence}: ${event.session.session_id} ${event.description}`);
    if (event.event_type === 'SESSION_CLOSED') resolve();
  });
});

const made = await call('CreateSession', {
  session_id: 'node-example',
  listen_endpoint: { address: local },        // port 0: Millrace chooses
  forward_endpoint: { address: local },
  destination_endpoint: { address: destination, port: Number(port) },
  protocol: 'UDP',
  timeout_seconds: 60,
});
console.log(`send RTP to ${made.listen_endpoint.address}:${made.listen_endpoint.port}`);

await once(process.stdin.resume(), 'data');   // until Enter
process.stdin.pause();
const { final_stats: stats } = await call('DestroySession', { session_id: made.session_id });
console.log(`${stats.packets_received} packets in, ${stats.packets_sent} out, ${stats.avg_latency_ms.toFixed(3)} ms inside Millrace`);
await closed;
events.cancel();
millrace.close();
