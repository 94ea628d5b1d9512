import { ItemError } from 'shoal';
import { expect } from 'vitest';
import { Book, rejectionOf, upTo } from '../pool-under-test.ts';
import { chapter, sharesNoFiles } from '../specification.ts';
import {
  abortOr,
  add,
  exceedQuota,
  failIfBad,
  failTwice,
  noteStart,
  rejectAll,
  square,
  throwAnything,
} from '../work.ts';

const withBad = (count: number, ...bad: number[]): { item: number; bad: boolean }[] =>
  upTo(count).map((item) => ({ item, bad: bad.includes(item) }));

/** What becomes of items whose function throws. */
export const errors = chapter('errors', (specify) => {
  specify(
    'map rejects for the lowest failed index, with the error as the function threw it',
    async ({ open }) => {
      await using pool = await open({ processes: 2 });
      const error = (await rejectionOf(pool.map(failIfBad, withBad(40, 31, 17, 5)))) as ItemError;
      expect(error).toBeInstanceOf(ItemError);
      expect(error).toMatchObject({ code: 'ITEM_THREW', index: 5, task: 'failIfBad' });
      expect(error.message).toMatch(
        /^Item 5 failed: TypeError: bad record 5 \(failIfBad at work\.ts:\d+:\d+, .*pid \d+, attempt 1 of 1\)\. 37 others succeeded\.$/,
      );
      expect(error.attempts).toHaveLength(1);
      expect(error.pid).toBe(error.attempts[0]?.pid);
      const cause = error.cause as Error;
      expect(cause).toBeInstanceOf(TypeError);
      expect(cause).toMatchObject({ message: 'bad record 5', code: 'EBAD', record: { item: 5 } });
      expect(cause.stack).toContain('work.ts');
    },
  );

  specify(
    'every item runs, also after one of its chunk has failed',
    async ({ open }) => {
      await using pool = await open({ processes: 2 });
      using book = new Book();
      const orders = upTo(30).map((item) => ({
        file: book.file,
        item,
        ...(item % 10 === 3 ? { how: 'throw' as const } : {}),
      }));
      await rejectionOf(pool.map(noteStart, orders, { chunkSize: 10 }));
      const ran = book.lines.map((line) => Number(line.split(' ')[1]));
      expect(ran.toSorted((a, b) => a - b)).toEqual(upTo(30));
    },
    sharesNoFiles,
  );

  specify('mapSettled tells what came of each item', async ({ open }) => {
    await using pool = await open({ processes: 2 });
    const outcomes = await pool.mapSettled(failIfBad, withBad(4, 1, 3));
    expect(outcomes).toEqual([
      { status: 'fulfilled', index: 0, value: 0 },
      { status: 'rejected', index: 1, error: expect.objectContaining({ code: 'ITEM_THREW', index: 1 }) },
      { status: 'fulfilled', index: 2, value: 2 },
      { status: 'rejected', index: 3, error: expect.objectContaining({ code: 'ITEM_THREW', index: 3 }) },
    ]);
  });

  specify('failFast rejects at once and cancels the rest', async ({ open }) => {
    await using pool = await open({ processes: 2 });
    const error = await rejectionOf(
      pool.map(failIfBad, withBad(100_000, 10), { failFast: true, chunkSize: 5 }),
    );
    expect(error).toMatchObject({ code: 'ITEM_THREW', index: 10 });
    expect(await pool.map(square, [2])).toEqual([4]);
  });

  specify('failFast lets mapSettled tell what was known by then', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const outcomes = await pool.mapSettled(failIfBad, withBad(50_000, 3), { failFast: true, chunkSize: 1 });
    expect(outcomes.length).toBeLessThan(50_000);
    expect(outcomes.filter(({ status }) => status === 'rejected')).toMatchObject([{ index: 3 }]);
  });

  for (const how of ['string', 'undefined', 'proxy']) {
    specify(`what is thrown may be anything: ${how}`, async ({ open }) => {
      await using pool = await open({ processes: 1 });
      const error = (await rejectionOf(pool.map(throwAnything, ['fine', how]))) as ItemError;
      expect(error).toMatchObject({ code: 'ITEM_THREW', index: 1 });
      expect(error.cause).toMatchObject({ name: 'RemoteError' });
    });
  }

  specify('an error of a class of its own keeps its name, its fields and its causes', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const error = (await rejectionOf(pool.map(exceedQuota, [5]))) as ItemError;
    expect(error.message).toMatch(/^Item 0 failed: QuotaError: 5 left \(exceedQuota at work\.ts:\d+:\d+, /);
    const cause = error.cause as Error;
    expect(cause).toBeInstanceOf(Error);
    expect(cause).toMatchObject({ name: 'QuotaError', message: '5 left', left: 5 });
    expect(cause.cause).toBeInstanceOf(RangeError);
    expect(cause.cause).toMatchObject({ message: 'the cause of it', cause: 'the root of it' });
  });

  specify(
    'a rejected promise is a thrown error, and an AggregateError keeps its errors',
    async ({ open }) => {
      await using pool = await open({ processes: 1 });
      const error = (await rejectionOf(pool.map(rejectAll, [4]))) as ItemError;
      expect(error.cause).toBeInstanceOf(AggregateError);
      expect(error.cause).toMatchObject({
        message: 'both failed',
        errors: [expect.any(TypeError), expect.objectContaining({ message: 'second 4' })],
      });
    },
  );

  specify('a DOMException that is thrown arrives as one', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const { cause } = (await rejectionOf(pool.map(abortOr, [false]))) as ItemError;
    expect(cause).toBeInstanceOf(DOMException);
    const { code, message, name } = cause as DOMException;
    expect({ code, message, name }).toEqual({ code: 20, message: 'gone', name: 'AbortError' });
  });

  specify('a SuppressedError, which await using throws, keeps both of its errors', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const error = (await rejectionOf(pool.map(failTwice, [4]))) as ItemError;
    expect(error.cause).toBeInstanceOf(SuppressedError);
    const cause = error.cause as SuppressedError;
    expect(cause.error).toBeInstanceOf(RangeError);
    expect(cause.error).toMatchObject({ message: 'tidying up 4' });
    expect(cause.suppressed).toBeInstanceOf(TypeError);
    expect(cause.suppressed).toMatchObject({ message: 'working on 4', held: true });
  });

  specify('the stack of the cause leads to the line that threw', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const error = (await rejectionOf(pool.map(failIfBad, withBad(1, 0)))) as ItemError;
    const stack = (error.cause as Error).stack ?? '';
    expect(stack).toMatch(/^TypeError: bad record 0\n\s+at .*work\.ts:\d+:\d+/);
  });

  specify(
    'starmap names the function and the index of the arguments that it failed for',
    async ({ open }) => {
      await using pool = await open({ processes: 1 });
      const divide = (a: number, b: number): number => {
        if (b === 0) throw new RangeError('by zero');
        return a / b;
      };
      const error = await rejectionOf(
        pool.starmap(divide, [
          [4, 2],
          [1, 0],
        ]),
      );
      expect(error).toMatchObject({ code: 'ITEM_THREW', index: 1, task: 'divide' });
    },
  );

  specify('apply rejects with the error of its one item', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const error = await rejectionOf(pool.apply(failIfBad, [{ item: 8, bad: true }]));
    expect(error).toBeInstanceOf(ItemError);
    expect(error).toMatchObject({ index: 0, message: expect.not.stringContaining('others') });
    expect(await pool.apply(add, [1, 2])).toBe(3);
  });

  specify('when all items fail each has an error of its own', async ({ open }) => {
    await using pool = await open({ processes: 2 });
    const outcomes = await pool.mapSettled(failIfBad, withBad(60, ...upTo(60)), { chunkSize: 7 });
    for (const [index, outcome] of outcomes.entries()) {
      expect(outcome).toMatchObject({
        status: 'rejected',
        index,
        error: { cause: { record: { item: index } } },
      });
    }
    expect(await pool.map(square, [2])).toEqual([4]);
  });
});
