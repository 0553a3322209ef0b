// What grpcurl does, as far as docs/grpc.md uses it, over server reflection alone: no .proto file is read.
//
//   node grpcurl.mjs [-plaintext] [-cacert F] [-cert F] [-key F] [-servername N] [-H 'k: v'] [-d JSON] [-max-time S]
//                    [--reflection v1] HOST:PORT list [SERVICE] | SERVICE/METHOD
//
// Prints each answer as JSON. A refusal goes to stderr as grpcurl says it, exit status 64 + code.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import grpc from '@grpc/grpc-js';
import { GrpcReflection } from 'grpc-js-reflection-client';

const argv = process.argv.slice(2).map((word) => (/^-[a-z]{2}/.test(word) ? `-${word}` : word));
const { values, positionals } = parseArgs({
  args: argv,
  allowPositionals: true,
  options: {
    plaintext: { type: 'boolean' },
    cacert: { type: 'string' },
    cert: { type: 'string' },
    key: { type: 'string' },
    servername: { type: 'string' },
    H: { type: 'string', short: 'H', multiple: true },
    d: { type: 'string', short: 'd' },
    'max-time': { type: 'string' },
    reflection: { type: 'string' },
  },
});
const [address, ...words] = positionals;

const read = (path) => (path ? readFileSync(path) : undefined);
const credentials = values.plaintext
  ? grpc.credentials.createInsecure()
  : grpc.credentials.createSsl(read(values.cacert), read(values.key), read(values.cert));
const options = values.servername ? { 'grpc.ssl_target_name_override': values.servername } : {};
const metadata = new grpc.Metadata();
for (const header of values.H ?? []) {
  const colon = header.indexOf(':');
  metadata.set(header.slice(0, colon).trim(), header.slice(colon + 1).trim());
}

function fail(error) {
  const name = Object.keys(grpc.status).find((key) => grpc.status[key] === error.code) ?? 'UNKNOWN';
  console.error(`ERROR:\n  Code: ${name}\n  Message: ${error.details ?? error.message}`);
  process.exit(error.code ? 64 + error.code : 1);
}

// The JSON mapping of protobuf has field names in camel case and maps as objects; a package that was loaded by reflection
// has names as the proto file does, and maps as lists of entries.
const kMaps = new Set(['labels', 'drops']);
const toWire = (value) => (Array.isArray(value) ? value.map(toWire) : value?.constructor !== Object ? value
  : Object.fromEntries(Object.entries(value).map(([name, inner]) => (kMaps.has(name)
    ? [name, Object.entries(inner).map(([key, item]) => ({ key, value: item }))]
    : [name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), toWire(inner)]))));
const fromWire = (value) => (Array.isArray(value) ? value.map(fromWire) : value?.constructor !== Object ? value
  : Object.fromEntries(Object.entries(value).map(([name, inner]) => (kMaps.has(name)
    ? [name, Object.fromEntries(inner.map(({ key, value: item }) => [key, item]))]
    : [name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase()), fromWire(inner)]))));
const print = (message) => console.log(JSON.stringify(fromWire(message), null, 2));

const version = values.reflection === 'v1' ? 'v1' : 'v1alpha';
const server = new GrpcReflection(address, credentials, options, version);

async function list(service) {
  if (!service) return console.log((await server.listServices('*', metadata)).join('\n'));
  const methods = await server.listMethods(service, metadata);
  console.log(methods.map((method) => `${service}.${method.name}`).join('\n'));
}

async function call(service, method) {
  const descriptor = await server.getDescriptorBySymbol(service, metadata);
  const loaded = descriptor.getPackageObject({
    keepCase: true, longs: String, enums: String, defaults: false, oneofs: true,
  });
  const Client = service.split('.').reduce((scope, part) => scope[part], loaded);
  const client = new Client(address, credentials, options);
  const deadline = values['max-time'] ? Date.now() + Number(values['max-time']) * 1000 : undefined;
  const request = toWire(JSON.parse(values.d ?? '{}'));
  const definition = Object.values(Client.service).find((each) => each.originalName === method
    || each.path === `/${service}/${method}`);
  if (!definition) fail({ details: `service "${service}" has no method "${method}"` });
  if (definition.responseStream) {
    const stream = client[method](request, metadata, { deadline });
    stream.on('data', print);
    stream.on('error', (error) => fail(error));
    stream.on('end', () => process.exit(0));
    return;
  }
  client[method](request, metadata, { deadline }, (error, answer) => {
    if (error) fail(error);
    print(answer);
    process.exit(0);
  });
}

try {
  const [verb, what] = words;
  if (verb === 'list') await list(what);
  else if (verb?.includes('/')) await call(...verb.split('/'));
  else fail({ details: `what is to be done with '${words.join(' ')}'?` });
  if (verb === 'list') process.exit(0);
} catch (error) {
  fail(error);
}
