// The contract's five calls through reflection alone; prints each one that did what it has to.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import grpc from '@grpc/grpc-js';
import { GrpcReflection } from 'grpc-js-reflection-client';

const [server] = process.argv.slice(2);
const credentials = grpc.credentials.createInsecure();
const descriptor = await new GrpcReflection(server, credentials).getDescriptorBySymbol('rtpproxy.RtpProxy');
const { rtpproxy } = descriptor.getPackageObject({ keepCase: true, enums: String, longs: Number, defaults: true });
const api = new rtpproxy.RtpProxy(server, credentials);
const call = (method, request) =>
  new Promise((resolve, reject) => {
    api[method](request, (error, answer) => (error ? reject(error) : resolve(answer)));
  });

const events = api.StreamSessionEvents({});
await once(events, 'metadata');
const seen = [];
const closed = new Promise((resolve) => {
  events.on('data', (event) => {
    seen.push(event.event_type);
    if (event.event_type === 'SESSION_CLOSED') resolve();
  });
});
events.on('error', () => {});

const made = await call('CreateSession', {
  listen_endpoint: { address: '127.0.0.1' },
  forward_endpoint: { address: '127.0.0.1' },
  destination_endpoint: { address: '127.0.0.1', port: 4000 },
  protocol: 'UDP',
});
assert.match(made.session_id, /^[0-9a-f-]{36}$/);
assert.ok(made.listen_endpoint.port > 0 && made.forward_endpoint.port > 0);
console.log('CreateSession');

const { session } = await call('GetSessionStatus', { session_id: made.session_id });
assert.equal(session.state, 'CONNECTING');
assert.deepEqual(session.destination_endpoint, { address: '127.0.0.1', port: 4000 });
console.log('GetSessionStatus');

const listed = await call('ListSessions', { state_filter: 'CONNECTING' });
assert.equal(listed.total_count, 1);
console.log('ListSessions');

const gone = await call('DestroySession', { session_id: made.session_id });
await closed;
assert.deepEqual(seen, ['SESSION_CREATED', 'SESSION_CLOSED']);
console.log('StreamSessionEvents');
assert.equal(gone.success, true);
console.log('DestroySession');

const refusal = await call('GetSessionStatus', { session_id: made.session_id }).catch((error) => error);
assert.equal(refusal.code, grpc.status.NOT_FOUND);
console.log('NOT_FOUND');
events.cancel();
api.close();
