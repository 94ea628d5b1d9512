import { expect, test } from 'vitest';
import type { Block } from '../child-pool/chunk-request.ts';
import { BlockBuilder, type BlockBuilderOptions, type Refusal } from './block-builder.ts';
import { itemsOf } from './fake-backend.testkit.ts';

interface Built {
  readonly builder: BlockBuilder;
  readonly blocks: Block[];
  readonly refused: Map<number, Refusal>;
}

function builderOf(options: Partial<BlockBuilderOptions> = {}): Built {
  const blocks: Block[] = [];
  const refused = new Map<number, Refusal>();
  const builder = new BlockBuilder({
    chunkSize: 'auto',
    itemsMax: Number.POSITIVE_INFINITY,
    itemBytesMax: 64 * 1024 * 1024,
    emit: (block) => blocks.push(block),
    refuse: (index, refusal) => refused.set(index, refusal),
    ...options,
  });
  return { builder, blocks, refused };
}

const counts = (blocks: readonly Block[]): number[] => blocks.map(({ count }) => count);

test('blocks grow from one item to many, and follow each other without a gap', () => {
  const { builder, blocks } = builderOf();
  for (let item = 0; item < 50_000; item++) builder.add(item);
  builder.flush();
  expect(counts(blocks).slice(0, 6)).toEqual([1, 2, 4, 8, 16, 32]);
  let next = 0;
  for (const { first, count } of blocks) {
    expect(first).toBe(next);
    next += count;
  }
  expect(next).toBe(50_000);
  for (const { bytes } of blocks) expect(bytes.byteLength).toBeLessThanOrEqual(100_000);
});

test('the first block has as many items as one process runs at once, in whole chunks', () => {
  const first = (options: Partial<BlockBuilderOptions>): number | undefined => {
    const { builder, blocks } = builderOf({ concurrentTasks: 8, ...options });
    for (let item = 0; item < 50; item++) builder.add(item);
    return counts(blocks)[0];
  };
  expect(first({})).toBe(8);
  expect(first({ itemsMax: 20 })).toBe(20);
  expect(first({ chunkSize: 1 })).toBe(8);
  expect(first({ chunkSize: 3 })).toBe(9);
  expect(first({ chunkSize: 10 })).toBe(10);
});

test('blocks of an input whose length is known begin with what one process would take, and have more where it weighs little', () => {
  const light = builderOf({ itemsMax: 5 });
  for (let item = 0; item < 30; item++) light.builder.add(item);
  light.builder.flush();
  expect(counts(light.blocks)).toEqual([5, 25]);
  const heavy = builderOf({ itemsMax: 5 });
  for (let item = 0; item < 20; item++) heavy.builder.add('x'.repeat(10_000));
  expect(counts(heavy.blocks)).toEqual([5, 5, 5, 5]);
});

test('a list of integers becomes whole blocks, and goes on where something else comes in between', () => {
  const { builder, blocks } = builderOf({ itemsMax: 20 });
  const list: unknown[] = Array.from({ length: 100 }, (_, at) => at);
  list[50] = -0;
  list[60] = 'sixty';
  let taken = 0;
  while (taken < list.length) taken = builder.addFrom(list, taken, list.length);
  builder.flush();
  expect(counts(blocks)[0]).toBe(20);
  // toEqual tells -0 from 0.
  expect(itemsOf(blocks)).toEqual(list);
});

test('an item that is larger than one may be is found among others', () => {
  const { builder, blocks, refused } = builderOf({ itemsMax: 3, itemBytesMax: 10_000 });
  for (const item of ['x', 'x'.repeat(20_000), 'x']) builder.add(item);
  builder.flush();
  expect([...refused]).toEqual([[1, expect.objectContaining({ code: 'ITEM_TOO_LARGE' })]]);
  expect(blocks.reduce((sum, { count }) => sum + count, 0)).toBe(3);
});

test('with a numeric chunk size blocks hold whole chunks', () => {
  const { builder, blocks } = builderOf({ chunkSize: 3 });
  for (let item = 0; item < 900; item++) builder.add(item);
  builder.flush();
  for (const count of counts(blocks)) expect(count % 3).toBe(0);
});

test('large items travel in blocks of few, and the largest alone', () => {
  const { builder, blocks } = builderOf();
  for (let item = 0; item < 64; item++) builder.add('x'.repeat(30_000));
  builder.add('x'.repeat(300_000));
  builder.flush();
  for (const { bytes } of blocks) expect(bytes.byteLength).toBeLessThan(400_000);
});

test('items whose size is hidden deep inside are split again after they were encoded', () => {
  const { builder, blocks } = builderOf({ chunkSize: 64 });
  for (let item = 0; item < 64; item++) builder.add({ a: { b: { c: 'x'.repeat(200_000) } } });
  builder.flush();
  for (const { bytes } of blocks) expect(bytes.byteLength).toBeLessThanOrEqual(4 * 262_144);
  expect(counts(blocks).reduce((sum, count) => sum + count)).toBe(64);
});

test('an item that cannot be sent leaves a hole and the reason', () => {
  const { builder, blocks, refused } = builderOf({ chunkSize: 4 });
  for (const item of [0, { f: () => 1 }, undefined, new Proxy({}, {})]) builder.add(item);
  builder.flush();
  const values = itemsOf(blocks);
  expect([0, 1, 2, 3].map((index) => index in values)).toEqual([true, false, true, false]);
  expect(refused.get(1)).toEqual({
    code: 'VALUE_NOT_PORTABLE',
    facts: { what: 'Item 1', path: '.f', kind: 'a function' },
  });
  expect(refused.get(3)).toMatchObject({ facts: { kind: 'a Proxy' } });
});

test('an item that throws when it is looked at is refused, and the items beside it are not', () => {
  const { builder, blocks, refused } = builderOf({ chunkSize: 4 });
  const throws = (): never => {
    throw new Error('do not look');
  };
  const getter = Object.defineProperty({}, 'x', { enumerable: true, get: throws });
  for (const item of [0, getter, new Proxy({}, { ownKeys: throws }), 3]) builder.add(item);
  builder.flush();
  const values = itemsOf(blocks);
  expect([0, 1, 2, 3].map((index) => index in values)).toEqual([true, false, false, true]);
  for (const index of [1, 2]) expect(refused.get(index)).toMatchObject({ code: 'VALUE_NOT_PORTABLE' });
});

test('an item beyond the limit leaves a hole and names the option', () => {
  const { builder, blocks, refused } = builderOf({ itemBytesMax: 1_000 });
  builder.add('x'.repeat(2_000));
  builder.flush();
  expect(counts(blocks)).toEqual([1]);
  expect(refused.get(0)).toMatchObject({
    code: 'ITEM_TOO_LARGE',
    facts: { option: 'maxItemBytes', size: '2 KiB' },
  });
});
