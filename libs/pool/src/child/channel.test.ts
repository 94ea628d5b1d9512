import { Buffer } from 'node:buffer';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Duplex, Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { FrameReader, FrameWriter, frameType, nonceBytes, readValues } from '../frames.ts';

const program = fileURLToPath(new URL('../fixtures/last-words.ts', import.meta.url));
const nonce = new Uint8Array(nonceBytes).fill(7);

test('what waits when a process leaves arrives once, whole and in its order', {
  timeout: 60_000,
}, async () => {
  const child = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit', 'pipe'] });
  const stdout = child.stdout as Readable;
  const channel = child.stdio[3] as unknown as Duplex;
  const seen: number[] = [];
  const changed: number[] = [];
  const reader = new FrameReader(
    (_, body) => {
      const { first, payload } = readValues(body);
      seen.push(first);
      if (!payload.equals(Buffer.alloc(100_000, first))) changed.push(first);
    },
    { nonce, bodyBytesMax: 200_000 },
  );
  const say = (): void => {
    for (const part of new FrameWriter(nonce).message(frameType.stop, {})) channel.write(part);
  };
  say();
  // Nobody has read before it waits: the system's buffers are full by then.
  await once(stdout, 'data');
  const some = Promise.withResolvers<void>();
  let pausesAt = 5;
  channel.on('data', (bytes: Buffer) => {
    reader.push(bytes);
    if (seen.length < pausesAt) return;
    // The event loop over there has begun with what waited, and is not done with it.
    pausesAt = Infinity;
    channel.pause();
    some.resolve();
  });
  await some.promise;
  say();
  await once(stdout, 'data');
  channel.resume();
  await once(channel, 'end');
  expect(seen).toEqual(Array.from({ length: 40 }, (_, at) => at));
  // Memory is used again only for what is said after everything before it has left.
  expect(changed).toEqual([]);
});
