import { expect, test } from 'vitest';
import { fingerprintOf, itemsOf, type TaskName } from './items.ts';
import type { Setting } from './peer.ts';
import { tasks } from './tasks.js';
import { expectedDigest } from './workload.ts';

const names: readonly TaskName[] = ['increment', 'rescore', 'echo', 'hash'];

test.each(names)('what must come out of %s is what its calls give, items that repeat included', (task) => {
  const setting = { task, items: 300, rounds: 1 } as Setting;
  const call: (item: never) => unknown = tasks[task];
  const results = itemsOf(task, setting.items, setting.rounds).map((item) => call(item as never));
  expect(expectedDigest(setting)).toBe(fingerprintOf(results));
});

test('another order, or another score, has another fingerprint', () => {
  const [first, second] = itemsOf('rescore', 2, 1);
  const fingerprints = [
    [first, second],
    [second, first],
    [first, first],
  ].map(fingerprintOf);
  expect(new Set(fingerprints).size).toBe(3);
});
