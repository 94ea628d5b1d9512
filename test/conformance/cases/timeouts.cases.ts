import type { ItemError } from 'shoal';
import { expect } from 'vitest';
import { eventually, rejectionOf, Transcript, upTo } from '../pool-under-test.ts';
import { chapter } from '../specification.ts';
import { heedSignal, loopForEver, type Mischief, misbehave, runFor, sleepThenSay, square } from '../work.ts';

/** Items that run too long. */
export const timeouts = chapter('timeouts', (specify) => {
  specify('an item that runs too long is ended with its process; the others go on', async ({ open }) => {
    await using pool = await open({ processes: 2 });
    const outcomes = await pool.mapSettled(loopForEver, [0, 1, 2, 3], { timeoutMs: 300 });
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled']);
    expect(outcomes[1]).toMatchObject({
      error: {
        code: 'ITEM_TIMED_OUT',
        index: 1,
        message: expect.stringMatching(
          /^Item 1 ran longer than 300 ms on .*pid \d+ and its process was replaced/,
        ),
      },
    });
  });

  const stuck: readonly Mischief[] = ['never settles', 'stops itself', 'loops'];
  for (const how of stuck) {
    specify(`an item that hangs is ended, and all others finish: it ${how}`, async ({ open }) => {
      await using pool = await open({ processes: 1 });
      const items = upTo(5).map((item) => (item === 2 ? { item, how } : { item }));
      const outcomes = await pool.mapSettled(misbehave, items, { timeoutMs: 300, chunkSize: 5 });
      const failed = outcomes.filter(({ status }) => status === 'rejected');
      expect(failed).toMatchObject([{ index: 2, error: { code: 'ITEM_TIMED_OUT' } }]);
    });
  }

  specify('the time of an item counts from its own start, not from that of its chunk', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const delays = upTo(6).map(() => 150);
    expect(await pool.map(sleepThenSay, delays, { timeoutMs: 600, chunkSize: 6 })).toEqual(delays);
  });

  specify('an item that timed out is tried again as often as retries allows', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const error = (await rejectionOf(
      pool.map(loopForEver, [1], { timeoutMs: 200, retries: { timeout: 1 } }),
    )) as ItemError;
    expect(error).toMatchObject({ code: 'ITEM_TIMED_OUT' });
    expect(error.attempts).toHaveLength(2);
  });

  specify('the signal of a task aborts before its process is killed', async ({ open }) => {
    const transcript = new Transcript();
    await using pool = await open({ processes: 1, printer: transcript.printer });
    await rejectionOf(pool.map(heedSignal, [7], { timeoutMs: 300 }));
    await eventually(
      () => transcript.stdout,
      (lines) => lines.some((line) => line.endsWith('tidied up 7')),
    );
  });

  specify('after a time-out the pool goes on at full size', async ({ open }) => {
    await using pool = await open({ processes: 2 });
    await pool.mapSettled(loopForEver, [1, 1], { timeoutMs: 200 });
    const runs = await pool.map(
      runFor,
      upTo(6).map((item) => ({ item, ms: 200 })),
      { chunkSize: 1 },
    );
    expect(new Set(runs.map(({ worker }) => worker)).size).toBe(2);
    expect(await pool.map(square, [3])).toEqual([9]);
  });
});
