import { expect } from 'vitest';
import { pending } from '../../pending.ts';
import { eventually, rejectionOf, upTo } from '../pool-under-test.ts';
import { chapter } from '../specification.ts';
import { failIfBad, sleepThenSay, square, throwDice } from '../work.ts';

/** Calls that are made again. */
export const requests = chapter('requests', (specify) => {
  specify('the same request id with the same content is the same job, running or over', async ({ open }) => {
    await using pool = await open({ processes: 2 });
    const called: unknown[] = [];
    const submit = () =>
      pool.submit(throwDice, upTo(20), { requestId: 'tuesday', onSuccess: (all) => called.push(all) });
    const [first, second] = [submit(), submit()];
    const results = await first.result();
    expect(await second.result()).toEqual(results);
    const third = submit();
    expect(await third.result()).toEqual(results);
    expect([second.id, third.id]).toEqual([first.id, first.id]);
    expect(third.progress).toEqual(first.progress);
    expect(called, 'each call has its callback').toEqual([results, results, results]);
  });

  specify('so is a map; what one caller does to its array is not seen by the other', async ({ open }) => {
    await using pool = await open({ processes: 2 });
    const throwAll = () => pool.map(throwDice, upTo(5), { requestId: 'dice' });
    const [mine, yours] = await Promise.all([throwAll(), throwAll()]);
    expect(yours).toEqual(mine);
    mine.length = 0;
    expect(yours).toHaveLength(5);
    expect(await pool.map(throwDice, upTo(5)), 'without an id it is another job').not.toEqual(yours);
  });

  specify('a job that failed fails for every call, and cancelling one ends it for all', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const bad = [{ item: 7, bad: true }];
    for (const _ of upTo(2)) {
      const error = await rejectionOf(pool.map(failIfBad, bad, { requestId: 'bad' }));
      expect(error).toMatchObject({ code: 'ITEM_THREW', index: 0 });
    }
    const [one, other] = upTo(2).map(() => pool.submit(sleepThenSay, [60_000], { requestId: 'long' }));
    await eventually(
      () => other?.id,
      (id) => id !== '',
    );
    one?.cancel();
    expect(await rejectionOf(other?.result() as Promise<unknown>)).toMatchObject({ code: 'JOB_CANCELLED' });
  });

  specify('an id that was given to something else is refused by name', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const requestId = 'mine';
    await pool.map(square, [1, 2], { requestId });
    const others = [
      pool.map(square, [1, 3], { requestId }),
      pool.map(sleepThenSay, [1, 2], { requestId }),
      pool.map(square, [1, 2], { requestId, retries: 1 }),
      pool.imap(square, [1, 2], { requestId }).next(),
    ];
    for (const other of others) {
      expect(await rejectionOf(other)).toMatchObject({ code: 'JOB_EXISTS', facts: { requestId } });
    }
  });

  specify('a stream has one reader: a second one with its id is refused', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const stream = pool.imap(square, [1, 2], { requestId: 'stream' });
    expect(await rejectionOf(pool.imap(square, [1, 2], { requestId: 'stream' }).next())).toMatchObject({
      code: 'JOB_EXISTS',
    });
    expect(await Array.fromAsync(stream)).toEqual([1, 4]);
  });

  specify('the signal of a repeated call ends its own wait only', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const requestId = 'patient';
    const first = pending(pool.map(sleepThenSay, [300], { requestId }));
    const signal = AbortSignal.abort('no more time');
    expect(await rejectionOf(pool.map(sleepThenSay, [300], { requestId, signal }))).toBe('no more time');
    expect(await first).toEqual([300]);
  });
});
