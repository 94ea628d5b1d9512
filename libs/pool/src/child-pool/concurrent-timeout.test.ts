import { expect, test } from 'vitest';
import { waitsWithSignal } from '../fixtures/signal-tasks.ts';
import { Pool } from '../pool.ts';

test('an item that runs too long does not take those beside it along, though they listen to their signals', async () => {
  await using pool = new Pool({ processes: 1 });
  const waits = [60_000, 50, 50, 50, 50, 700, 700, 700, 700, 10];
  const outcomes = await pool.mapSettled(waitsWithSignal, waits, {
    concurrentTasksPerChild: 5,
    timeoutMs: 1_000,
    chunkSize: 10,
  });
  const [hanging, ...others] = outcomes;
  expect(hanging).toMatchObject({ status: 'rejected', error: { code: 'ITEM_TIMED_OUT' } });
  expect(others).toEqual(waits.slice(1).map((value, at) => ({ status: 'fulfilled', index: at + 1, value })));
});
