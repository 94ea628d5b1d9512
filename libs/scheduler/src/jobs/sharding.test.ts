import { expect, test } from 'vitest';
import { schedulerOptions } from '../options.ts';
import { Sharding, type ShardRoom } from './sharding.ts';

const plenty: ShardRoom = {
  available: 1_000_000,
  remaining: 100_000_000,
  total: undefined,
  slots: 2,
  bytesPerItem: 0,
  isAlone: false,
};

function sharding(chunkSize: number | 'auto' = 'auto'): Sharding {
  return new Sharding(chunkSize, schedulerOptions());
}

test('while nothing is measured a shard is one item', () => {
  const shards = sharding();
  expect(shards.next(plenty)).toBe(1);
  expect(shards.estimateMs(1)).toBeUndefined();
});

test('a slot that runs several items at once gets as many in its first shard, spread evenly and within the bytes', () => {
  const shards = new Sharding('auto', schedulerOptions(), 25);
  expect(shards.next(plenty)).toBe(25);
  expect(shards.next({ ...plenty, available: 7, slots: 4 })).toBe(2);
  expect(shards.next({ ...plenty, bytesPerItem: 100_000 })).toBe(2);
  expect(shards.next({ ...plenty, bytesPerItem: 10_000_000 })).toBe(1);
});

test('items that wait beside each other do not make shards smaller than what a slot runs at once', () => {
  const shards = new Sharding('auto', schedulerOptions(), 25);
  shards.observe(25, 25 * 5_000, 0);
  expect(shards.next(plenty)).toBe(25);
  // 25 items of 1 ms take a slot about 1 ms.
  for (let time = 0; time < 40; time += 1) shards.observe(200, 200, 0);
  expect(shards.next(plenty)).toBeGreaterThan(500);
});

test('a chunk size that was asked for is taken, measured or not', () => {
  const shards = sharding(100);
  expect(shards.next(plenty)).toBe(100);
  shards.observe(100, 1_000, 0);
  expect(shards.next(plenty)).toBe(100);
  expect(shards.next({ ...plenty, available: 30 })).toBe(30);
});

test('a slot that runs several items at once gets whole chunks for as many, spread evenly', () => {
  const shards = new Sharding(2, schedulerOptions(), 25);
  expect(shards.next(plenty)).toBe(26);
  expect(shards.next({ ...plenty, available: 7, slots: 2 })).toBe(4);
  expect(shards.next({ ...plenty, available: 1 })).toBe(1);
  expect(new Sharding(100, schedulerOptions(), 25).next(plenty)).toBe(100);
});

test('shards grow towards 80 ms of work', () => {
  const shards = sharding();
  shards.observe(32, 32, 0);
  expect(shards.next(plenty)).toBeGreaterThanOrEqual(79);
  expect(shards.next(plenty)).toBeLessThanOrEqual(80);
});

test('shards of a job that is alone grow towards 240 ms, of items up to 20 ms that run one at a time', () => {
  const alone = { ...plenty, isAlone: true };
  const shards = sharding();
  shards.observe(32, 32, 0);
  const cut = shards.next(alone);
  expect(cut).toBeGreaterThanOrEqual(239);
  expect(cut).toBeLessThanOrEqual(240);
  expect(shards.isLong(cut)).toBe(true);
  expect([79, 301].map((items) => shards.isLong(items))).toEqual([false, false]);
  const slow = sharding();
  slow.observe(3, 61, 0);
  expect(slow.next(alone)).toBe(slow.next(plenty));
  const several = new Sharding('auto', schedulerOptions(), 25);
  several.observe(200, 200, 0);
  expect(several.next(alone)).toBe(several.next(plenty));
  const guessing = new Sharding('auto', schedulerOptions(), 1, shards.lesson);
  expect(guessing.next(alone)).toBe(guessing.next(plenty));
});

test('shards grow thirty-twofold at a time', () => {
  const shards = sharding();
  shards.observe(1, 0, 0);
  expect(shards.next(plenty)).toBe(32);
  shards.observeShard(32);
  expect(shards.next(plenty)).toBe(1_024);
});

test('items that turn out slow make shards small again', () => {
  const shards = sharding();
  shards.observe(1_000, 1, 0);
  for (let time = 0; time < 40; time += 1) shards.observe(1, 60, 0);
  expect(shards.next(plenty)).toBe(1);
});

test('a shard holds 256 KiB of input or of expected results at most, and one item always', () => {
  const byInput = sharding();
  byInput.observe(10_000, 1, 0);
  expect(byInput.next({ ...plenty, bytesPerItem: 10_240 })).toBe(25);
  expect(byInput.next({ ...plenty, bytesPerItem: 10_000_000 })).toBe(1);
  const byResults = sharding();
  byResults.observe(10_000, 1, 10_240 * 10_000);
  expect(byResults.next({ ...plenty, bytesPerItem: 4 })).toBe(25);
});

test('near the end shards shrink as Python would cut them', () => {
  const shards = sharding();
  for (let time = 0; time < 10; time += 1) shards.observe(10, 60, 0);
  expect(shards.next({ ...plenty, remaining: 25, available: 25 })).toBe(4);
  expect(shards.next({ ...plenty, remaining: 3, available: 3 })).toBe(1);
});

test('Python bounds a shard of the whole, and towards the end half of what is left is shared among the slots', () => {
  const shards = sharding();
  // Items of 0.5 ms: 50 ms are a hundred of them, and 8 ms sixteen.
  for (let time = 0; time < 10; time += 1) shards.observe(100, 50, 0);
  const cutAt = (left: number): number =>
    shards.next({ ...plenty, total: 640, remaining: left, available: left });
  expect([640, 320, 240, 120].map(cutAt)).toEqual([80, 80, 60, 30]);
});

test('what can run now is shared among the slots', () => {
  const shards = sharding();
  for (let time = 0; time < 10; time += 1) shards.observe(10, 60, 0);
  expect(shards.next({ ...plenty, available: 4 })).toBe(2);
});

test('sharing does not make shards too short to pay for their way, and the last ones no crumbs', () => {
  const shards = sharding();
  for (let time = 0; time < 10; time += 1) shards.observe(1_000, 100, 0);
  const cuts: number[] = [];
  for (let left = 200; left > 0; left -= cuts.at(-1) ?? left) {
    cuts.push(shards.next({ ...plenty, remaining: left, available: left }));
  }
  expect(cuts).toEqual([79, 61, 39, 21]);
});

test('what items of its kind have cost is the first guess, and Python would share no less', () => {
  const known = sharding();
  for (let time = 0; time < 10; time += 1) known.observe(1_000, 100, 0);
  const guessing = new Sharding('auto', schedulerOptions({ guessedMsMax: 8 }), 1, known.lesson);
  expect(guessing.next(plenty)).toBe(known.next(plenty));
  expect(guessing.next({ ...plenty, remaining: 80, available: 80 })).toBe(10);
  // It lets no shard of 8 ms or more wait behind another, tells no straggler, and nobody learns from it.
  expect(guessing.estimateMs(79)).toBeLessThan(8);
  expect(guessing.estimateMs(64)).toBeDefined();
  // Few items say nothing of one of them.
  expect(guessing.estimateMs(63)).toBeUndefined();
  expect(guessing.estimateMs(80)).toBeUndefined();
  const sized = new Sharding(1, schedulerOptions({ guessedMsMax: 8 }), 1, known.lesson);
  expect(sized.estimateMs(1)).toBeUndefined();
  expect(guessing.expectedMs(1)).toBeUndefined();
  expect(guessing.lesson).toBeUndefined();
  guessing.observe(1, 50, 0);
  expect(guessing.next(plenty)).toBe(1);
});

test('by a guess a slot gets two pieces where they are short, or four, whatever is there by now; tiny items make no crumbs', () => {
  const known = sharding();
  known.observe(100_000, 0, 0);
  const guessing = new Sharding('auto', schedulerOptions({ guessedMsMax: 8 }), 1, known.lesson);
  const whole = { ...plenty, total: 100_000, remaining: 100_000 };
  expect(guessing.next({ ...whole, available: 100_000 })).toBe(25_000);
  // As many as were pushed first, and of the last ones as well.
  expect(guessing.next({ ...whole, available: 12_500 })).toBe(12_500);
  expect(guessing.next({ ...whole, remaining: 25_000, available: 25_000 })).toBe(25_000);
  expect(guessing.next({ ...whole, total: 200_000, remaining: 200_000 })).toBe(25_000);
  expect(guessing.next({ ...whole, total: 1_000, remaining: 1_000, available: 1_000 })).toBe(250);
  expect(guessing.next({ ...whole, total: 3, remaining: 3, available: 3 })).toBe(1);
  expect(guessing.next({ ...plenty, remaining: 1_000, available: 1_000 })).toBe(500);
});

test('a guess is wrong where items take four times as long, and what it has cut would keep others waiting', () => {
  const guessing = (chunkSize: number | 'auto' = 'auto'): Sharding =>
    new Sharding(chunkSize, schedulerOptions({ guessedMsMax: 8 }), 1, {
      msPerItem: 0.1,
      resultBytesPerItem: 4,
      largest: 100,
    });
  expect(guessing().observe(1, 1, 0, 200)).toBe(true);
  expect(guessing().observe(1, 0.3, 0, 1_000)).toBe(false);
  expect(guessing().observe(1, 1, 0, 90)).toBe(false);
  expect(guessing(200).observe(1, 1, 0, 200)).toBe(false);
  const measured = guessing();
  measured.observe(1, 0.1, 0, 200);
  expect(measured.observe(1, 1_000, 0, 200)).toBe(false);
});

test('from the start no shard is longer than Python would cut it, where the number of items is known', () => {
  for (const [items, slots] of [
    [8, 2],
    [100, 4],
    [1_000, 3],
  ] as const) {
    const shards = sharding();
    const room = {
      available: items,
      remaining: items,
      total: items,
      slots,
      bytesPerItem: 0,
      isAlone: false,
    };
    const python = Math.ceil(items / (slots * 4));
    expect(shards.next(room)).toBeLessThanOrEqual(python);
    // Items of 10 ms each: measured, and long enough to pay for a way of their own.
    for (let time = 0; time < 10; time += 1) shards.observe(10, 100, 0);
    expect(shards.next(room)).toBeLessThanOrEqual(python);
    expect(shards.next(room)).toBe(Math.max(1, Math.min(python, 7)));
  }
});
