/**
 * What the parts cost that Shoal is made of, each alone: `npm run build && node test/bench/limits.ts [--scale 1]` (Linux).
 *
 * gRPC without a codec, a pipe to a child process, structured clone. It is CPU time of everybody who takes part, so others
 * who use the machine change it little. No way through these parts can cost less than they do: below the parts stands
 * what they come to for an item of the workloads of hops.ts, which is twice through gRPC there and back, once through a
 * pipe, and is written and read twice.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { deserialize, serialize } from 'node:v8';
import {
  credentials,
  type MethodDefinition,
  makeGenericClientConstructor,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
} from '@grpc/grpc-js';
import { optionsOf, positive } from './options.ts';
import { cpuNanoseconds } from './process-cpu.ts';

const { scale } = optionsOf({ scale: positive(1) });
/** So many messages are on their way at once. */
const inFlight = 8;

const rows: string[] = [];
const costs = new Map<string, number>();
const times = (count: number): number => Math.max(inFlight, Math.round(count * scale));

const rounded = (micros: number): string =>
  Number(micros.toPrecision(3)).toLocaleString('en-US', { maximumFractionDigits: 4 });

function row(what: string, micros: number): void {
  costs.set(what, micros);
  rows.push(`| ${what} | ${rounded(micros)} µs |`);
}

/** Microseconds of CPU of this process for each of `count` turns; once unmeasured before. */
function ownMicros(count: number, turn: () => unknown): number {
  for (let at = 0; at < count / 4; at += 1) turn();
  const before = process.cpuUsage();
  for (let at = 0; at < count; at += 1) turn();
  const { system, user } = process.cpuUsage(before);
  return (system + user) / count;
}

const bytesAsTheyAre = (bytes: Buffer): Buffer => bytes;
const echo: MethodDefinition<Buffer, Buffer> = {
  path: '/limits/echo',
  requestStream: true,
  responseStream: true,
  requestSerialize: bytesAsTheyAre,
  requestDeserialize: bytesAsTheyAre,
  responseSerialize: bytesAsTheyAre,
  responseDeserialize: bytesAsTheyAre,
};

/** A message there and back between two ends in this process. */
async function grpc(title: string, bytes: number, count: number): Promise<void> {
  const server = new Server();
  server.addService(
    { echo },
    {
      echo: (call: ServerDuplexStream<Buffer, Buffer>) => {
        call.on('data', (message: Buffer) => call.write(message)).on('end', () => call.end());
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  const Client = makeGenericClientConstructor({ echo }, 'limits');
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  const call = client.makeBidiStreamRequest(echo.path, bytesAsTheyAre, bytesAsTheyAre);
  const message = Buffer.alloc(bytes, 1);
  await exchange(
    times(count / 4),
    (back) => call.on('data', back),
    () => call.write(message),
  );
  call.removeAllListeners('data');
  const before = process.cpuUsage();
  await exchange(
    times(count),
    (back) => call.on('data', back),
    () => call.write(message),
  );
  const { system, user } = process.cpuUsage(before);
  row(`gRPC, ${title} there and back, both ends`, (system + user) / times(count));
  const ended = once(call, 'end');
  call.resume().end();
  await ended;
  client.close();
  server.forceShutdown();
}

/** Sends `count` messages, a few at a time; resolves when the last one is back. */
function exchange(count: number, listen: (back: () => void) => unknown, send: () => unknown): Promise<void> {
  return new Promise((resolve) => {
    let [sent, received] = [0, 0];
    const more = (): void => {
      sent += 1;
      send();
    };
    listen(() => {
      received += 1;
      if (received === count) resolve();
      else if (sent < count) more();
    });
    while (sent < Math.min(inFlight, count)) more();
  });
}

/** Bytes through a descriptor to a child process, and back. */
async function pipe(title: string, bytes: number, count: number): Promise<void> {
  const program =
    'const s = new (require("node:net").Socket)({ fd: 3 }); s.on("data", (b) => s.write(b)).on("end", () => s.end());';
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'inherit', 'inherit', 'pipe'] });
  const channel = child.stdio[3] as Duplex;
  const message = Buffer.alloc(bytes, 1);
  let pending = 0;
  let onMessage = (): void => {};
  channel.on('data', (part: Buffer) => {
    pending += part.length;
    for (; pending >= bytes; pending -= bytes) onMessage();
  });
  const turn = (messages: number): Promise<void> =>
    exchange(
      messages,
      (back) => {
        onMessage = back;
      },
      () => channel.write(message),
    );
  await turn(times(count / 4));
  const cpu = (): number =>
    process.cpuUsage().user + process.cpuUsage().system + cpuNanoseconds(child.pid ?? 0) / 1_000;
  const before = cpu();
  await turn(times(count));
  row(`pipe to a child, ${title} there and back, both ends`, (cpu() - before) / times(count));
  channel.end();
  await once(child, 'exit');
}

/** Structured clone of a chunk, there and back. */
function clone(what: string, item: (index: number) => unknown, items: number, count: number): void {
  const chunk = Array.from({ length: items }, (_, index) => item(index));
  const bytes = serialize(chunk);
  row(`v8.serialize, ${what}, of ${items}`, ownMicros(times(count), () => serialize(chunk)) / items);
  row(`v8.deserialize, ${what}, of ${items}`, ownMicros(times(count), () => deserialize(bytes)) / items);
}

await grpc('100 B', 100, 20_000);
await grpc('64 KiB', 65_536, 4_000);
await grpc('256 KiB', 262_144, 1_000);
await pipe('100 B', 100, 20_000);
await pipe('64 KiB', 65_536, 10_000);
clone('a number', (index) => index, 10_000, 400);
clone('a small record', (index) => ({ id: index, name: `record ${index}`, tags: ['a', 'b'] }), 1_000, 200);
clone('a string of 10 KiB', (index) => `${index}:`.padEnd(10_240, 'x'), 20, 1_000);
clone('a number alone', (index) => index, 1, 100_000);
console.log(['| part | CPU |', '| :-- | --: |', ...rows].join('\n'));

const cost = (what: string): number => costs.get(what) ?? Number.NaN;
const way = (size: string): number =>
  2 * cost(`gRPC, ${size} there and back, both ends`) +
  cost(`pipe to a child, ${size} there and back, both ends`);
const cloned = (what: string): number =>
  2 * (cost(`v8.serialize, ${what}`) + cost(`v8.deserialize, ${what}`));
/** Of 64 KiB: numbers travel as four bytes each, and are not cloned. */
const [numbers, strings] = [65_536 / 4, 6];
console.log('\n| the parts of an item, through a cluster | CPU |\n| :-- | --: |');
for (const [title, micros] of [
  ['x + 1, alone in its messages', way('100 B') + cloned('a number alone, of 1')],
  ['x + 1, 64 KiB of them a message', way('64 KiB') / numbers],
  ['echo of 10 KiB, six a message', way('64 KiB') / strings + cloned('a string of 10 KiB, of 20')],
] as const) {
  console.log(`| ${title} | ${rounded(micros)} µs |`);
}
