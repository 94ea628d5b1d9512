import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ItemError } from 'shoal';
import { describe, expect, test } from 'vitest';
import { eventually, type OpenPool, rejectionOf, upTo } from './pool-under-test.ts';
import {
  echo,
  failAtFirst,
  failIfBad,
  leave,
  loopForEver,
  noteThenFail,
  returnFunction,
  square,
  throwAnything,
} from './work.ts';

const withBad = (count: number, ...bad: number[]): { item: number; bad: boolean }[] =>
  upTo(count).map((item) => ({ item, bad: bad.includes(item) }));

/** What goes wrong, and to whom it is put down. */
export function failureCases(open: OpenPool): void {
  describe('items that fail', () => {
    test('map rejects for the lowest failed index, with the error as the function threw it', async () => {
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
    });

    test('every item runs, also after one of its chunk has failed', async () => {
      await using pool = await open({ processes: 2 });
      const folder = mkdtempSync(join(tmpdir(), 'shoal-conformance-'));
      try {
        const file = join(folder, 'ran');
        const orders = upTo(30).map((item) => ({ file, item, bad: item % 10 === 3 }));
        await rejectionOf(pool.map(noteThenFail, orders, { chunkSize: 10 }));
        const ran = readFileSync(file, 'utf8').trim().split('\n').map(Number);
        expect(ran.toSorted((a, b) => a - b)).toEqual(upTo(30));
      } finally {
        rmSync(folder, { recursive: true });
      }
    });

    test('mapSettled tells what came of each item', async () => {
      await using pool = await open({ processes: 2 });
      const outcomes = await pool.mapSettled(failIfBad, withBad(4, 1, 3));
      expect(outcomes).toEqual([
        { status: 'fulfilled', index: 0, value: 0 },
        { status: 'rejected', index: 1, error: expect.objectContaining({ code: 'ITEM_THREW', index: 1 }) },
        { status: 'fulfilled', index: 2, value: 2 },
        { status: 'rejected', index: 3, error: expect.objectContaining({ code: 'ITEM_THREW', index: 3 }) },
      ]);
    });

    test('failFast rejects at once and cancels the rest', async () => {
      await using pool = await open({ processes: 2 });
      const error = await rejectionOf(
        pool.map(failIfBad, withBad(100_000, 10), { failFast: true, chunkSize: 5 }),
      );
      expect(error).toMatchObject({ code: 'ITEM_THREW', index: 10 });
      expect(await pool.map(square, [2])).toEqual([4]);
    });

    test.each(['string', 'undefined', 'proxy'])('what is thrown may be anything: %s', async (how) => {
      await using pool = await open({ processes: 1 });
      const error = (await rejectionOf(pool.map(throwAnything, ['fine', how]))) as ItemError;
      expect(error).toMatchObject({ code: 'ITEM_THREW', index: 1 });
      expect(error.cause).toMatchObject({ name: 'RemoteError' });
    });

    test('a thrown error is tried again as often as it is allowed, and the try shows', async () => {
      await using pool = await open({ processes: 2 });
      expect(await pool.map(failAtFirst, [{ times: 1 }, { times: 3 }], { retries: { thrown: 2 } })).toEqual([
        1, 3,
      ]);
      const error = (await rejectionOf(
        pool.map(failAtFirst, [{ times: 9 }], { retries: { thrown: 1 } }),
      )) as ItemError;
      expect(error.attempts).toHaveLength(2);
      expect(error.message).toContain('attempt 2 of 2');
    });

    test('retryOn says which errors are worth another try', async () => {
      await using pool = await open({ processes: 1 });
      const items = [{ times: 2 }];
      const retries = { thrown: 3 };
      expect(await pool.map(failAtFirst, items, { retries, retryOn: ['EAGAIN'] })).toEqual([2]);
      expect(
        await pool.map(failAtFirst, items, { retries, retryOn: (error) => error.message.startsWith('try') }),
      ).toEqual([2]);
      const error = (await rejectionOf(
        pool.map(failAtFirst, items, { retries, retryOn: ['ENOENT'] }),
      )) as ItemError;
      expect(error.attempts).toHaveLength(1);
    });

    test('an item that cannot be sent fails by index and path; the others run, and keep their indices', async () => {
      await using pool = await open({ processes: 1 });
      const items = [1, { callbacks: [() => 1] }, 3, new URL('http://localhost'), 5];
      const outcomes = await pool.mapSettled(echo, items);
      expect(outcomes.map(({ status }) => status)).toEqual([
        'fulfilled',
        'rejected',
        'fulfilled',
        'rejected',
        'fulfilled',
      ]);
      expect(outcomes[1]).toMatchObject({
        error: {
          code: 'VALUE_NOT_PORTABLE',
          index: 1,
          message: 'Item 1 cannot be sent: .callbacks[0] is a function. Send plain data.',
        },
      });
      expect(outcomes[3]).toMatchObject({ error: { code: 'VALUE_NOT_PORTABLE', index: 3 } });
      expect(await rejectionOf(pool.map(echo, items))).toMatchObject({ index: 1 });
    });

    test('a result that cannot be sent is the error of its item', async () => {
      await using pool = await open({ processes: 1 });
      const error = await rejectionOf(pool.map(returnFunction, [0, 1, 2]));
      expect(error).toMatchObject({
        code: 'VALUE_NOT_PORTABLE',
        index: 1,
        message: expect.stringContaining('.run is a function'),
      });
    });

    test('an item or a result beyond its limit is the error of its item', async () => {
      await using pool = await open({ processes: 1, maxItemBytes: 10_000, maxResultBytes: 5_000 });
      const [small, result, item] = await pool.mapSettled(echo, ['x', 'x'.repeat(7_000), 'x'.repeat(20_000)]);
      expect(small).toMatchObject({ status: 'fulfilled' });
      expect(result).toMatchObject({ error: { code: 'RESULT_TOO_LARGE', index: 1 } });
      expect(item).toMatchObject({
        error: { code: 'ITEM_TOO_LARGE', index: 2, message: expect.stringContaining('maxItemBytes') },
      });
    });
  });

  describe('processes that die', () => {
    test.each(['kill', 'exit'] as const)(
      'an item that ends its process (%s) is blamed; all others finish',
      async (how) => {
        await using pool = await open({ processes: 2 });
        const items = upTo(30).map((item) => (item === 7 ? { item, how } : { item }));
        const outcomes = await pool.mapSettled(leave, items, { chunkSize: 10 });
        const failed = outcomes.filter(({ status }) => status === 'rejected');
        expect(failed).toHaveLength(1);
        const { error } = failed[0] as { error: ItemError };
        expect(error).toMatchObject({ code: 'ITEM_KILLED_CHILD', index: 7 });
        expect(error.attempts).toHaveLength(3);
        for (const attempt of error.attempts) {
          expect(attempt).toMatchObject(how === 'kill' ? { signal: 'SIGKILL' } : { exitCode: 3 });
        }
        expect(await pool.map(square, [3])).toEqual([9]);
      },
    );

    test('with no crash retries an item is run at most once', async () => {
      await using pool = await open({ processes: 1 });
      const items = [{ item: 0 }, { item: 1, how: 'exit' as const }, { item: 2 }];
      const error = (await rejectionOf(pool.map(leave, items, { retries: { crash: 0 } }))) as ItemError;
      expect(error).toMatchObject({ code: 'ITEM_KILLED_CHILD', index: 1 });
      expect(error.attempts).toHaveLength(1);
      await eventually(
        () => pool.stats().deaths,
        (deaths) => deaths === 1,
      );
    });

    test('an item that runs too long is ended with its process; the others go on', async () => {
      await using pool = await open({ processes: 2 });
      const outcomes = await pool.mapSettled(loopForEver, [0, 1, 2, 3], { timeoutMs: 300 });
      expect(outcomes.map(({ status }) => status)).toEqual([
        'fulfilled',
        'rejected',
        'fulfilled',
        'fulfilled',
      ]);
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
  });

  describe('an input that fails', () => {
    function* failing(): Generator<number> {
      yield 1;
      yield 2;
      throw inputError;
    }
    const inputError = { notEven: 'an Error' };

    test('map rejects with that very object, and the pool lives', async () => {
      await using pool = await open({ processes: 1 });
      expect(await rejectionOf(pool.map(square, failing()))).toBe(inputError);
      expect(await pool.map(square, [3])).toEqual([9]);
    });

    test('imap delivers the results of the items before it first', async () => {
      await using pool = await open({ processes: 1 });
      const stream = pool.imap(square, failing());
      expect(await stream.next()).toEqual({ done: false, value: 1 });
      expect(await stream.next()).toEqual({ done: false, value: 4 });
      expect(await rejectionOf(stream.next())).toBe(inputError);
      expect(await stream.next()).toEqual({ done: true, value: undefined });
    });
  });

  describe('functions that cannot be had', () => {
    test('an export that is missing is named, with those that are there', async () => {
      await using pool = await open({ processes: 1 });
      const module = new URL('./work.ts', import.meta.url);
      expect(await rejectionOf(pool.map(module, [1], { export: 'sqaure' }))).toMatchObject({
        code: 'TASK_EXPORT_MISSING',
        message: expect.stringMatching(
          /work\.ts has no export "sqaure"\. Exports: .*square.*Did you mean square\?/,
        ),
      });
    });

    test('a module that is missing is named', async () => {
      await using pool = await open({ processes: 1 });
      expect(await rejectionOf(pool.map('./no-such-file.ts', [1]))).toMatchObject({
        code: 'TASK_LOAD_FAILED',
        message: expect.stringContaining('no-such-file.ts'),
      });
    });
  });
}
