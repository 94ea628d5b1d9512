import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ReorderBuffer } from './reorder-buffer.ts';

interface Run {
  readonly end: number;
  readonly bytes: number;
}

/** What should be held of runs that were delivered in this order. */
const bytesHeld = (runs: readonly Run[], acknowledged: number): number =>
  runs.reduce((sum, { end, bytes }) => (end > acknowledged ? sum + bytes : sum), 0);

test('a run weighs until its last outcome is acknowledged, however many are held and however often that changes', () => {
  const deed = fc.record({
    // Mostly a few, now and then more than room is kept for.
    runs: fc.oneof({ weight: 6, arbitrary: fc.nat(6) }, fc.constantFrom(100, 300, 700)),
    count: fc.integer({ min: 1, max: 3 }),
    bytes: fc.nat(5),
    acknowledgedShare: fc.constantFrom(0, 0.01, 0.5, 0.9, 1),
  });
  fc.assert(
    fc.property(fc.array(deed, { maxLength: 25 }), (deeds) => {
      const buffer = new ReorderBuffer(true);
      const runs: Run[] = [];
      let [end, acknowledged] = [0, 0];
      for (const { runs: many, count, bytes, acknowledgedShare } of deeds) {
        for (let run = 0; run < many; run += 1) {
          const weight = bytes + (run % 3);
          expect(buffer.settle(end, count, weight)).toEqual({ first: end, count });
          end += count;
          runs.push({ end, bytes: weight });
        }
        const position = acknowledged + Math.floor((end - acknowledged) * acknowledgedShare);
        expect(buffer.acknowledge(position)).toBe(position > acknowledged);
        acknowledged = position;
        expect(buffer.acknowledged).toBe(acknowledged);
        expect(buffer.unacknowledgedBytes).toBe(bytesHeld(runs, acknowledged));
      }
    }),
    { numRuns: 50 },
  );
});

test('outcomes are delivered in order, each as soon as none before it is missing', () => {
  const buffer = new ReorderBuffer(true);
  expect(buffer.settle(3, 2, 20)).toBeUndefined();
  expect(buffer.settle(1, 2, 10)).toBeUndefined();
  expect(buffer.bytes).toBe(30);
  expect(buffer.settle(0, 1, 5)).toEqual({ first: 0, count: 5 });
  expect([buffer.delivered, buffer.unacknowledgedBytes]).toEqual([5, 35]);
});
