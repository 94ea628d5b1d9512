import { expect, test } from 'vitest';
import type { Block } from './child-pool/chunk-request.ts';
import { type GatheredPush, GatheredPushes } from './gathered-pushes.ts';

const block = (count: number, length: number): Block => ({ first: 0, count, bytes: new Uint8Array(length) });

test('what is pushed of one job in a turn is told once, before anything of another job', async () => {
  const told: GatheredPush[] = [];
  const pushes = new GatheredPushes((push) => told.push(push));
  pushes.add('a', block(1, 10));
  pushes.add('a', block(2, 20));
  expect(told).toEqual([]);
  pushes.add('b', block(4, 40));
  expect(told).toEqual([{ job: 'a', count: 3, bytes: 30 }]);
  await new Promise<void>((resolve) => process.nextTick(resolve));
  expect(told).toEqual([
    { job: 'a', count: 3, bytes: 30 },
    { job: 'b', count: 4, bytes: 40 },
  ]);
});

test('what was told early is not told again at the end of the turn', async () => {
  const told: GatheredPush[] = [];
  const pushes = new GatheredPushes((push) => told.push(push));
  pushes.add('a', block(1, 10));
  pushes.flush();
  await new Promise<void>((resolve) => process.nextTick(resolve));
  expect(told).toEqual([{ job: 'a', count: 1, bytes: 10 }]);
});
