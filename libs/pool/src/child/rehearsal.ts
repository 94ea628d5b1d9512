/**
 * Runs a whole child once in the process that will be copied, from its setup to a result, before anybody's code is there.
 * What Node and we compile and load on the way, every copy has then: it was two thirds of what a copy cost.
 */
import { Buffer } from 'node:buffer';
import { Socket } from 'node:net';
import { pathToFileURL } from 'node:url';
import { FrameReader, type FrameType, FrameWriter, frameType, nonceBytes } from '../frames.ts';
import { encodeBlock } from '../values/block-codec.ts';
import { runChild } from './child-program.ts';
import type { BlockMessage, SetupMessage, TaskMessage } from './message.ts';

/** What tasks often load: it costs a server 30 ms, and each of its children nothing. None of them starts anything by itself. */
const modules = [
  'async_hooks',
  'buffer',
  'child_process',
  'crypto',
  'events',
  'fs',
  'fs/promises',
  'http',
  'https',
  'module',
  'net',
  'os',
  'path',
  'perf_hooks',
  'stream',
  'stream/promises',
  'timers/promises',
  'tls',
  'url',
  'util',
  'worker_threads',
  'zlib',
];
const rehearsalMs = 5_000;

/** `pair`: two connected descriptors, which are closed. `taskFile`: a module whose default export is called. */
export async function rehearse([own, its]: readonly [number, number], taskFile: string): Promise<void> {
  for (const name of modules) process.getBuiltinModule(`node:${name}`);
  const pool = new Socket({ fd: own });
  const leave = runChild({ descriptor: its });
  try {
    const seen = talk(pool, pathToFileURL(taskFile).href);
    await Promise.race([seen, new Promise((resolve) => setTimeout(resolve, rehearsalMs).unref())]);
  } finally {
    leave();
    pool.destroy();
  }
}

/** What a pool says to a child, and what it waits for. */
function talk(pool: Socket, url: string): Promise<void> {
  const nonce = Buffer.alloc(nonceBytes);
  const writer = new FrameWriter(nonce);
  const send = (type: FrameType, message: unknown, bytes?: Uint8Array): void => {
    for (const part of writer.message(type, message, bytes)) pool.write(part);
  };
  const setup: SetupMessage = { stdio: 'forward' };
  const task: TaskMessage = {
    task: 1,
    ref: { kind: 'export', name: 'rehearsal', url, export: 'default' },
    encoding: 'v8',
    spread: false,
    job: 'rehearsal',
    maxResultBytes: 1_024,
  };
  const block: BlockMessage = { block: 1, encoding: 'v8', first: 0, count: 1 };
  send(frameType.setup, setup);
  send(frameType.task, task);
  send(frameType.block, block, encodeBlock('v8', [1]));
  const order = { chunk: 1, task: 1, first: 0, count: 1, blocks: [1], concurrentTasks: 1, tryNumber: 1 };
  pool.write(writer.run({ ...order, marksStarts: false }));
  return new Promise((resolve) => {
    const reader = new FrameReader(
      (type) => {
        if (type === frameType.partEnded) resolve();
      },
      { nonce, bodyBytesMax: 65_536 },
    );
    pool.on('data', (chunk: Buffer) => reader.push(chunk));
  });
}
