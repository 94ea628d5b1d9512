/**
 * Runs a whole child once in the process that will be copied, from its setup to a result, before anybody's code is there.
 * What Node and we compile and load on the way, every copy has then: it was two thirds of what a copy cost.
 */
import { Buffer } from 'node:buffer';
import { Socket } from 'node:net';
import { pathToFileURL } from 'node:url';
import type { TaskRef } from '../child-pool/chunk-request.ts';
import { FrameReader, type FrameType, FrameWriter, frameType, nonceBytes } from '../frames.ts';
import { encodeBlock, encodeNumbers } from '../values/block-codec.ts';
import { runChild } from './child-program.ts';
import type { BlockMessage, SetupMessage, TaskMessage } from './message.ts';

/**
 * What tasks often load: it costs a server 40 ms, and each of its children nothing. None of them starts anything by itself.
 * Imported, as tasks do it: that reads each property, and behind some there are other modules.
 */
const modules = [
  'async_hooks',
  'buffer',
  'child_process',
  'crypto',
  'events',
  'fs',
  'fs/promises',
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
/** The same, but not to be imported: behind a property of theirs is all of `fetch`, which takes another 45 ms. */
const largeModules = ['http', 'https'];
const rehearsalMs = 5_000;
/** V8 keeps what it has learned about a function only once that has run a few times. */
const rehearsals = 3;

/** `makePair`: two connected descriptors, which are closed. `taskFile`: a module whose default export is called. */
export async function rehearse(makePair: () => readonly [number, number], taskFile: string): Promise<void> {
  for (const name of largeModules) process.getBuiltinModule(`node:${name}`);
  await Promise.all(modules.map((name) => import(`node:${name}`)));
  const { href } = pathToFileURL(taskFile);
  // A module is loaded once under each name.
  for (let time = 1; time <= rehearsals; time++) await rehearseOnce(makePair(), `${href}?${time}`);
}

async function rehearseOnce([own, its]: readonly [number, number], url: string): Promise<void> {
  const pool = new Socket({ fd: own });
  let retired: () => void = () => {};
  const hasRetired = new Promise<void>((resolve) => {
    retired = resolve;
  });
  let timer: NodeJS.Timeout | undefined;
  const leave = runChild({ descriptor: its, exit: () => retired() });
  try {
    const seen = talk(pool, url).then(() => hasRetired);
    await Promise.race([
      seen,
      new Promise((resolve) => {
        timer = setTimeout(resolve, rehearsalMs).unref();
      }),
    ]);
  } finally {
    clearTimeout(timer);
    leave();
    pool.destroy();
  }
  // What the two sockets still have to do is done here, not again in each copy.
  await new Promise((resolve) => setImmediate(resolve));
}

const numbers = Array.from({ length: 20 }, (_, at) => at);

/** What a pool says to a child, and what it waits for. */
function talk(pool: Socket, url: string): Promise<void> {
  const nonce = Buffer.alloc(nonceBytes);
  const writer = new FrameWriter(nonce);
  const send = (type: FrameType, message: unknown, bytes?: Uint8Array): void => {
    for (const part of writer.message(type, message, bytes)) pool.write(part);
  };
  const setup: SetupMessage = { stdio: 'forward' };
  const refs: readonly TaskRef[] = [
    { kind: 'export', name: 'rehearsal', url, export: 'default' },
    { kind: 'inline', name: 'rehearsal', source: '(x) => x' },
  ];
  send(frameType.setup, setup);
  // One of numbers, which travel packed, and one of anything.
  for (const [at, items] of [numbers, ['item']].entries()) {
    const block: BlockMessage = { block: at + 1, encoding: 'v8', first: 0, count: items.length };
    send(frameType.block, block, encodeNumbers(items) ?? encodeBlock('v8', items));
  }
  for (const [at, ref] of refs.entries()) {
    const number = at + 1;
    const task: TaskMessage = {
      task: number,
      ref,
      encoding: 'v8',
      spread: false,
      job: 'rehearsal',
      maxResultBytes: 1_024,
    };
    send(frameType.task, task);
    const order = { first: 0, count: 1, blocks: [number], concurrentTasks: 1, tryNumber: 1 };
    pool.write(writer.run({ ...order, chunk: number, task: number, marksStarts: at === 0 }));
  }
  let left = refs.length;
  return new Promise((resolve) => {
    const reader = new FrameReader(
      (type) => {
        if (type === frameType.partEnded) left -= 1;
        if (type !== frameType.partEnded || left > 0) return;
        send(frameType.retire, {});
        resolve();
      },
      { nonce, bodyBytesMax: 65_536 },
    );
    pool.on('data', (chunk: Buffer) => reader.push(chunk));
  });
}
