/** Limits that hold before anything is sent, one below each, at it and one beyond. Their backend is played by hand. */
import { expect, test, vi } from 'vitest';
import { triedLimit } from '../../../../test/limit-edges.ts';
import type { MapPool } from '../map-pool.ts';
import { task } from '../task/task.ts';
import { encodeBlock, encodeValue } from '../values/block-codec.ts';
import { FakeBackend } from './fake-backend.testkit.ts';
import { surfaceOver } from './surface.ts';

const double = task(import.meta, (x: unknown) => x);
const blockBytes = (text: string): number => encodeBlock('v8', [text]).byteLength;
const valueBytes = (text: string): number => encodeValue(text).byteLength;

/** A text that is so many bytes when it is encoded. */
function textOf(bytes: number, size: (text: string) => number = blockBytes): string {
  // The frame of one of that length, which takes a byte or two more than that of a short one.
  return 'x'.repeat(bytes - (size('x'.repeat(bytes)) - bytes));
}

function* counted(items: readonly unknown[], onPull: () => void): Generator<unknown> {
  for (const item of items) {
    onPull();
    yield item;
  }
}

/** A stream of which so many items are pulled while none is taken, and no more until one is. */
async function pulls(
  expected: number,
  items: readonly unknown[],
  options: Parameters<MapPool['imap']>[2],
): Promise<void> {
  let pulled = 0;
  const backend = new FakeBackend();
  const input = counted(items, () => {
    pulled += 1;
  });
  const stream = surfaceOver(backend, { processes: 1 }).imap(double, input, { chunkSize: 1, ...options });
  await vi.waitFor(() => expect(pulled).toBe(expected), { timeout: 10_000 });
  // The pull rests between two turns of the event loop, where it rests at all.
  for (let turns = 0; turns < 10; turns++) await new Promise((resolve) => setImmediate(resolve));
  expect(pulled).toBe(expected);
  backend.job.gives(0, 'a');
  await stream.next();
  await vi.waitFor(() => expect(pulled, 'there is room again').toBeGreaterThan(expected), {
    timeout: 10_000,
  });
  await stream.return();
}

test.each([4, 5, 6])('with a buffer of %i just so many items are pulled ahead', async (bufferSize) => {
  await pulls(
    bufferSize,
    Array.from({ length: 20 }, (_, at) => at),
    { bufferSize },
  );
  // The last but one was pulled, and the last; one beyond was not.
  for (const pulled of [bufferSize - 1, bufferSize, bufferSize + 1])
    triedLimit('bufferSize', pulled, bufferSize);
});

test.each([
  [-1, 2],
  [0, 1],
  [1, 1],
])('after an item that is %i bytes from the limit, %i are pulled in all', async (off, count) => {
  const bufferBytes = 65_536;
  const first = textOf(bufferBytes + off);
  expect(blockBytes(first)).toBe(bufferBytes + off);
  await pulls(count, [first, 'x', 'x', 'x'], { bufferBytes });
  triedLimit('bufferBytes', blockBytes(first), bufferBytes);
});

test.each([
  [-1, 'sent'],
  [0, 'sent'],
  [1, 'refused'],
])('an item that is %i bytes from the limit is %s', async (off, outcome) => {
  const backend = new FakeBackend();
  const pool = surfaceOver(backend, { processes: 1, maxItemBytes: 4_096 });
  const item = textOf(4_096 + off);
  expect(blockBytes(item)).toBe(4_096 + off);
  triedLimit('maxItemBytes', blockBytes(item), 4_096);
  const out = pool.mapSettled(double, [item]);
  // What is refused leaves a hole.
  expect(0 in backend.job.items ? 'sent' : 'refused').toBe(outcome);
  backend.job.gives(0, 'a');
  backend.job.ends();
  await out;
});

test.each([
  [-1, 'taken'],
  [0, 'taken'],
  [1, 'BROADCAST_TOO_LARGE'],
])('constants that are %i bytes from the limit together: the last is %s', async (off, outcome) => {
  const limit = 8_192;
  const pool = surfaceOver(new FakeBackend(), { processes: 1, maxBroadcastBytes: limit });
  const [one, other] = [textOf(1_000, valueBytes), textOf(limit - 1_000 + off, valueBytes)];
  expect(valueBytes(one) + valueBytes(other)).toBe(limit + off);
  triedLimit('maxBroadcastBytes', valueBytes(one) + valueBytes(other), limit);
  pool.broadcast(one);
  let code: unknown = 'taken';
  try {
    pool.broadcast(other);
  } catch (error) {
    ({ code } = error as { code: string });
  }
  expect(code).toBe(outcome);
  await pool.terminate();
});
