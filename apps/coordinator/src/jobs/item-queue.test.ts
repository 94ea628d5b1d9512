import { MapRequest, readQuestion } from '@shoal/protocol';
import { expect, test } from 'vitest';
import { ItemQueue } from './item-queue.ts';

function queueOf(...messages: readonly (readonly number[])[][]): ItemQueue {
  const queue = new ItemQueue();
  for (const items of messages) {
    const message = MapRequest.create({ items: items.map((item) => Uint8Array.from(item)) });
    queue.add(readQuestion(Buffer.from(MapRequest.encode(message).finish())).received);
  }
  return queue;
}

test('an item is its length, little endian, and its bytes', () => {
  const { count, payload } = queueOf([[7, 8], [], [9]]).take(10, 1_000);
  expect([...payload]).toEqual([2, 0, 0, 0, 7, 8, 0, 0, 0, 0, 1, 0, 0, 0, 9]);
  expect(count).toBe(3);
});

test('items of several messages share a block, and one message may make several', () => {
  const queue = queueOf([[1], [2]], [], [[3], [4], [5]]);
  const lasts = [3, 1, 9].map((countMax) => {
    const { count, payload } = queue.take(countMax, 1_000);
    return [count, payload.at(-1), queue.count, queue.byteLength];
  });
  expect(lasts).toEqual([
    [3, 3, 2, 2],
    [1, 4, 1, 1],
    [1, 5, 0, 0],
  ]);
});

test('a block ends with the item that makes it as large as it may be', () => {
  const queue = queueOf(
    [
      [1, 1],
      [2, 2],
      [3, 3],
    ],
    [[4]],
  );
  expect([queue.take(10, 7).count, queue.take(10, 1).count, queue.take(10, 1).count]).toEqual([2, 1, 1]);
});
