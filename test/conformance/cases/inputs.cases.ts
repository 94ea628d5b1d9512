import type { ItemError } from 'shoal';
import { expect } from 'vitest';
import { rejectionOf, upTo } from '../pool-under-test.ts';
import { chapter } from '../specification.ts';
import { add, echo, failIfBad, runFor, square } from '../work.ts';

const inputError = { notEven: 'an Error' };

function* failing(): Generator<number> {
  yield 1;
  yield 2;
  throw inputError;
}

async function* failingSlowly(): AsyncGenerator<number> {
  yield* failing();
}

/** What may be mapped over, and what becomes of an input that fails. */
export const inputs = chapter('inputs', (specify) => {
  specify('an input may be a generator, a set, or an async generator', async ({ open }) => {
    await using pool = await open({ processes: 2 });
    function* three(): Generator<number> {
      yield* [1, 2, 3];
    }
    async function* slowThree(): AsyncGenerator<number> {
      for (const item of [1, 2, 3]) {
        // Each comes in a turn of the event loop of its own, as from a file or a socket.
        await new Promise((resolve) => setTimeout(resolve, 5));
        yield item;
      }
    }
    expect(await pool.map(square, three())).toEqual([1, 4, 9]);
    expect(await pool.map(square, new Set([1, 2, 3]))).toEqual([1, 4, 9]);
    expect(await pool.map(square, slowThree())).toEqual([1, 4, 9]);
  });

  specify('holes of an array are items that are undefined, as an iterator has them', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const sparse = [1, 2, 3];
    delete sparse[1];
    expect(await pool.map(echo, sparse)).toEqual([1, undefined, 3]);
  });

  specify('an element of an array that throws when it is read ends the input there', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const items = upTo(100);
    const error = new Error('unreadable');
    const get = (): never => {
      throw error;
    };
    Object.defineProperty(items, 70, { get });
    const results: number[] = [];
    const reading = (async () => {
      for await (const result of pool.imap(square, items)) results.push(result);
    })();
    expect(await rejectionOf(reading)).toBe(error);
    expect(results).toEqual(upTo(70).map((n) => n * n));
  });

  specify('a text is an input of letters', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    expect(await pool.map((letter: string) => letter.toUpperCase(), 'abc')).toEqual(['A', 'B', 'C']);
  });

  specify('an array that changes after the call changes nothing', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const items = [1, 2, 3];
    const argLists: [number, number][] = [[1, 2]];
    const args: [number, number] = [3, 4];
    const sum = pool.apply(add, args);
    args.fill(0);
    const pending = [
      pool.map(square, items),
      Array.fromAsync(pool.imap(square, items)),
      pool.submit(square, items).result(),
      pool.starmap(add, argLists),
    ];
    items.push(4);
    items.fill(5);
    items.length = 0;
    argLists.length = 0;
    expect(await Promise.all(pending)).toEqual([[1, 4, 9], [1, 4, 9], [1, 4, 9], [3]]);
    expect(await sum).toBe(7);
  });

  specify('a long array that is emptied while it is mapped is mapped whole', async ({ open }) => {
    await using pool = await open({ processes: 2 });
    const items = Array.from({ length: 20_000 }, (_, index) => index);
    const stream = pool.imap(square, items, { bufferSize: 100 });
    expect((await stream.next()).value).toBe(0);
    items.splice(0, items.length);
    let sum = 0;
    for await (const result of stream) sum += Math.sqrt(result);
    expect(sum).toBe((19_999 * 20_000) / 2);
  });

  specify('starmap spreads each element into the arguments', async ({ open }) => {
    await using pool = await open({ processes: 2 });
    const argLists: [number, number, number?][] = [
      [1, 2],
      [3, 4, 5],
    ];
    expect(await pool.starmap(add, argLists)).toEqual([3, 12]);
  });

  specify('starmap takes a generator of argument lists, and no arguments at all', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    function* pairs(): Generator<[number, number]> {
      for (const n of upTo(100)) yield [n, n];
    }
    expect(await pool.starmap(add, pairs())).toEqual(upTo(100).map((n) => 2 * n));
    expect(await pool.starmap(() => 7, [[], []])).toEqual([7, 7]);
  });

  specify('starmap refuses an element that is no list of arguments by its index', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    for (const [element, kind] of [
      [3, 'the number 3'],
      [null, 'null'],
      [{ a: 1 }, 'an object'],
    ] as const) {
      const argLists = [...upTo(20).map(() => [1, 2]), element] as unknown as [number, number][];
      const message = expect.stringContaining(
        `Item 20 of starmap is ${kind}, which is no list of arguments.`,
      );
      const refusal = { code: 'ARGUMENTS_NOT_LIST', index: 20, task: 'add', attempts: [], message };
      expect(await rejectionOf(pool.starmap(add, argLists))).toMatchObject(refusal);
      expect(pool.stats().done, 'none of an array has run').toBe(0);
    }
    expect(await pool.starmap(add, [[1, 2]])).toEqual([3]);
  });

  specify('of another input the items that are lists of arguments run', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const done: number[] = [];
    const argLists = new Set([[1, 2], 3, [4, 5]]) as unknown as Set<[number, number]>;
    const error = await rejectionOf(
      pool.starmap(add, argLists, { retries: 3, onProgress: (now) => done.push(now.done) }),
    );
    expect(error).toMatchObject({ code: 'ARGUMENTS_NOT_LIST', index: 1, attempts: [] });
    expect(done.at(-1)).toBe(2);
    // Numbers and records travel in ways of their own, which are none for lists of arguments.
    for (const element of [7, { a: 1 }]) {
      const many = upTo(40)
        .map(() => element)
        [Symbol.iterator]() as unknown as Iterable<[number]>;
      const refusal = { code: 'ARGUMENTS_NOT_LIST', index: 0 };
      expect(await rejectionOf(pool.starmap(square, many))).toMatchObject(refusal);
    }
  });

  specify('apply calls the function once with its arguments', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    expect(await pool.apply(add, [1, 2])).toBe(3);
  });

  specify('apply is executed in one process of the pool, and awaited there', async ({ open }) => {
    await using pool = await open({ processes: 2 });
    const { item, worker } = await pool.apply(runFor, [{ item: 5, ms: 1 }]);
    expect(item).toBe(5);
    expect(worker).not.toContain(`:${process.pid}`);
  });

  specify('map rejects with the very object that its input threw, and the pool lives', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    expect(await rejectionOf(pool.map(square, failing()))).toBe(inputError);
    expect(await rejectionOf(pool.map(square, failingSlowly()))).toBe(inputError);
    expect(await rejectionOf(pool.mapSettled(square, failing()))).toBe(inputError);
    expect(await pool.map(square, [3])).toEqual([9]);
  });

  specify('where an item failed as well, its error tells what the input threw after it', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const broken = new RangeError('page 3 is gone');
    function* records(): Generator<{ item: number; bad: boolean }> {
      yield { item: 0, bad: false };
      yield { item: 1, bad: true };
      throw broken;
    }
    const error = await rejectionOf(pool.map(failIfBad, records()));
    const told = 'The input ended after item 1 with an error of its own (RangeError: page 3 is gone).';
    expect(error).toMatchObject({ code: 'ITEM_THREW', index: 1, message: expect.stringContaining(told) });
    expect((error as ItemError).inputError).toBe(broken);
    expect((error as ItemError).stack).toContain('page 3 is gone');
    const job = pool.submit(failIfBad, records());
    expect(await rejectionOf(job.result())).toMatchObject({ index: 1, inputError: broken });
    // With failFast the job ends with the item; a stream tells one after the other.
    const stream = pool.imap(failIfBad, records());
    await stream.next();
    expect(await rejectionOf(stream.next())).toMatchObject({ index: 1 });
    expect(await rejectionOf(stream.next())).toBe(broken);
  });

  specify(
    'imap delivers the results of the items before the one at which its input threw',
    async ({ open }) => {
      await using pool = await open({ processes: 1 });
      for (const input of [failing(), failingSlowly()]) {
        const stream = pool.imap(square, input);
        expect(await stream.next()).toEqual({ done: false, value: 1 });
        expect(await stream.next()).toEqual({ done: false, value: 4 });
        expect(await rejectionOf(stream.next())).toBe(inputError);
        expect(await stream.next()).toEqual({ done: true, value: undefined });
      }
    },
  );

  specify('an input that cannot even be begun rejects with what it threw', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const closed = {
      [Symbol.iterator](): Iterator<number> {
        throw inputError;
      },
    };
    expect(await rejectionOf(pool.map(square, closed))).toBe(inputError);
    expect(await rejectionOf(pool.imap(square, closed).next())).toBe(inputError);
  });

  specify('an input whose iterator has no next() rejects, and is named', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    for (const kind of [Symbol.iterator, Symbol.asyncIterator]) {
      for (const iterator of [{}, null]) {
        const input = { [kind]: () => iterator } as unknown as Iterable<number>;
        const reason = await rejectionOf(pool.map(square, input));
        expect(reason).toMatchObject({
          name: 'TypeError',
          message: 'The iterator of the items has no next().',
        });
      }
    }
  });

  specify(
    'an iterator that gives no iterator result ends its input, and the pool is done',
    async ({ open }) => {
      const pool = await open({ processes: 1 });
      const throws = (): never => {
        throw inputError;
      };
      const steps: unknown[] = [
        undefined,
        5,
        {
          done: false,
          get value() {
            return throws();
          },
        },
        {
          get done() {
            return throws();
          },
        },
      ];
      for (const bad of steps) {
        for (const kind of [Symbol.iterator, Symbol.asyncIterator]) {
          let pulled = 0;
          const next = (): unknown => (pulled++ === 0 ? { done: false, value: 3 } : bad);
          const input = { [kind]: () => ({ next }) } as unknown as Iterable<number>;
          const stream = pool.imap(square, input);
          expect(await stream.next()).toEqual({ done: false, value: 9 });
          const error = await rejectionOf(stream.next());
          if (typeof bad === 'object') expect(error).toBe(inputError);
          else
            expect(error).toMatchObject({
              message: `next() of the items gave ${bad}, which is no iterator result.`,
            });
        }
      }
      // Nothing of them is left that it would wait for.
      pool.close();
      await pool.join();
    },
  );

  specify('one input may be mapped twice at the same time', async ({ open }) => {
    await using pool = await open({ processes: 2 });
    const items = Object.freeze(upTo(200));
    const [squares, same] = await Promise.all([pool.map(square, items), pool.map(echo, items)]);
    expect(squares).toEqual(items.map(square));
    expect(same).toEqual(items);
  });
});
