import type { ItemError } from 'shoal';
import { expect } from 'vitest';
import { pending } from '../../pending.ts';
import { isAlive } from '../../process-life.ts';
import { Book, eventually, rejectionOf, tally, upTo } from '../pool-under-test.ts';
import { chapter, countsDeaths, sharesNoFiles, sharesNoPids } from '../specification.ts';
import {
  add,
  answerTwice,
  echo,
  hoardBuffers,
  lastWords,
  leaveGrandchild,
  type Mischief,
  misbehave,
  noteStart,
  noteThenWait,
  pollute,
  repeatReplies,
  replacePromise,
  ruin,
  ruinThenWait,
  runFor,
  square,
  throwLater,
} from '../work.ts';

const ways: readonly [how: Mischief, ending: object, says: RegExp][] = [
  ['SIGKILL', { signal: 'SIGKILL' }, /killed its process 3 times \(SIGKILL; /],
  ['SIGSEGV', { signal: 'SIGSEGV' }, /\(SIGSEGV; /],
  ['abort', { signal: 'SIGABRT' }, /\(SIGABRT; /],
  ['exit 0', { exitCode: 0 }, /\(exit code 0; /],
  ['exit 3', { exitCode: 3 }, /\(exit code 3; /],
  ['unhandled rejection', { exitCode: 1 }, /\(exit code 1; /],
  ['throws from a timer while it runs', { exitCode: 1 }, /\(exit code 1; /],
  ['closes its descriptors', {}, /killed its process 3 times/],
  ['writes nonsense to the pool', {}, /killed its process 3 times/],
];

/** Children that die, and whom it is put down to. */
export const deaths = chapter('deaths', (specify) => {
  for (const [how, ending, says] of ways) {
    specify(
      `an item that ends its process is blamed with how it ended, and all others finish: ${how}`,
      async ({ open }) => {
        await using pool = await open({ processes: 2, stdio: 'ignore' });
        const items = upTo(30).map((item) => (item === 7 ? { item, how } : { item }));
        const outcomes = await pool.mapSettled(misbehave, items, { chunkSize: 10 });
        const failed = outcomes.filter(({ status }) => status === 'rejected');
        expect(failed).toHaveLength(1);
        const { error } = failed[0] as { error: ItemError };
        expect(error).toMatchObject({ code: 'ITEM_KILLED_CHILD', index: 7 });
        expect(error.message).toMatch(says);
        expect(error.attempts).toHaveLength(3);
        for (const attempt of error.attempts) expect(attempt).toMatchObject(ending);
        expect(await pool.map(square, [3])).toEqual([9]);
      },
    );
  }

  specify(
    'an item that eats all memory of its process is blamed, and all others finish',
    async ({ open }) => {
      await using pool = await open({
        processes: 1,
        stdio: 'ignore',
        execArgv: ['--conditions=@shoal/source', '--max-old-space-size=32'],
      });
      const items = [{ item: 0 }, { item: 1, how: 'heap' as const }, { item: 2 }];
      const outcomes = await pool.mapSettled(misbehave, items, { retries: { crash: 0 } });
      expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
      const { error } = outcomes[1] as { error: ItemError };
      expect(error).toMatchObject({ code: 'ITEM_KILLED_CHILD', attempts: [{ signal: 'SIGABRT' }] });
      expect(error.stderrTail).toContain('heap out of memory');
    },
  );

  specify(
    'an item that takes its process over twice maxRssBytes is killed with it and blamed, with the reason',
    async ({ open }) => {
      await using pool = await open({ processes: 1, stdio: 'ignore', maxRssBytes: 120 * 1_048_576 });
      const outcomes = await pool.mapSettled(hoardBuffers, [1, 2, 400, 3], { retries: { crash: 0 } });
      expect(outcomes.map(({ status }) => status)).toEqual([
        'fulfilled',
        'fulfilled',
        'rejected',
        'fulfilled',
      ]);
      expect(outcomes[2]).toMatchObject({
        error: {
          code: 'ITEM_KILLED_CHILD',
          index: 2,
          attempts: [{ signal: 'SIGKILL' }],
          stderrTail: expect.stringMatching(/MiB, over 2 times maxRssBytes \(120 MiB\), and was killed/),
        },
      });
      expect(await pool.map(square, [3])).toEqual([9]);
    },
  );

  specify('replies that come twice count once', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    expect(await pool.map(repeatReplies, upTo(5), { chunkSize: 1 })).toEqual(upTo(5));
    expect(await pool.map(square, upTo(200), { chunkSize: 7 })).toEqual(upTo(200).map((x) => x * x));
    expect(await pool.map(answerTwice, upTo(5), { chunkSize: 2 })).toEqual(upTo(5));
  });

  specify('what a process said on stderr before it died is in the error', async ({ open }) => {
    await using pool = await open({ processes: 1, stdio: 'ignore' });
    const error = (await rejectionOf(pool.map(lastWords, [0, 1, 2]))) as ItemError;
    expect(error).toMatchObject({ index: 1, stderrTail: expect.stringContaining('the disk is on fire') });
  });

  specify(
    'with no crash retries an item is run at most once',
    async ({ open }) => {
      await using pool = await open({ processes: 1 });
      const items = [{ item: 0 }, { item: 1, how: 'exit 3' as const }, { item: 2 }];
      const error = (await rejectionOf(pool.map(misbehave, items, { retries: { crash: 0 } }))) as ItemError;
      expect(error).toMatchObject({ code: 'ITEM_KILLED_CHILD', index: 1 });
      expect(error.attempts).toHaveLength(1);
      await eventually(
        () => pool.stats().deaths,
        (deaths) => deaths === 1,
      );
    },
    countsDeaths,
  );

  specify(
    'with no retries at all no item is ever run twice, the neighbours of a deadly one included',
    async ({ open }) => {
      await using pool = await open({ processes: 2 });
      using book = new Book();
      const orders = upTo(60).map((item) => ({
        file: book.file,
        item,
        ...(item === 13 || item === 44 ? { how: 'kill' as const } : {}),
      }));
      const outcomes = await pool.mapSettled(noteStart, orders, {
        chunkSize: 20,
        retries: { crash: 0, lost: 0 },
      });
      const failed = outcomes.filter(({ status }) => status === 'rejected').map(({ index }) => index);
      expect(failed).toEqual([13, 44]);
      const runs = tally(book.lines.map((line) => Number(line.split(' ')[1])));
      expect([...runs.values()].filter((count) => count > 1)).toEqual([]);
    },
    sharesNoFiles,
  );

  specify(
    'with no retries at all no item is run twice for one that ran too long beside it',
    async ({ open }) => {
      await using pool = await open({ processes: 1, concurrentTasksPerChild: 4 });
      using book = new Book();
      const hangs = (item: number): boolean => item % 10 === 3;
      const orders = upTo(40).map((item) => ({
        file: book.file,
        item,
        ms: hangs(item) ? 60_000 : 300 + ((item * 37) % 140),
      }));
      const outcomes = await pool.mapSettled(noteThenWait, orders, {
        // Each chunk of ten is in the middle of something else when its item that hangs is killed.
        chunkSize: 10,
        timeoutMs: 600,
        retries: { crash: 0, lost: 0 },
      });
      const runs = tally(book.lines.map((line) => Number(line.split(' ')[1])));
      expect(Math.max(...runs.values())).toBe(1);
      for (const outcome of outcomes) {
        if (outcome.status === 'fulfilled') expect(hangs(outcome.index)).toBe(false);
        // Whatever was interrupted is an error, never silence, and never a second run.
        else expect(['ITEM_LOST', 'ITEM_TIMED_OUT']).toContain(outcome.error.code);
        if (hangs(outcome.index)) expect(outcome).toMatchObject({ error: { code: 'ITEM_TIMED_OUT' } });
      }
      expect(runs.size).toBe(40);
    },
    sharesNoFiles,
  );

  specify(
    'one deadly item in a chunk of 500 costs three processes at most',
    async ({ open }) => {
      await using pool = await open({ processes: 2 });
      const items = upTo(500).map((item) => (item === 250 ? { item, how: 'SIGKILL' as const } : { item }));
      const outcomes = await pool.mapSettled(misbehave, items, { chunkSize: 500 });
      expect(outcomes.filter(({ status }) => status === 'rejected')).toMatchObject([{ index: 250 }]);
      const stats = await eventually(
        () => pool.stats(),
        (seen) => seen.deaths >= 3,
      );
      expect(stats.deaths).toBe(3);
    },
    countsDeaths,
  );

  specify(
    'each of several deadly items of a chunk is charged with its own deaths alone',
    async ({ open }) => {
      await using pool = await open({ processes: 1, stdio: 'ignore' });
      const deadly = new Map<number, Mischief>([
        [7, 'exit 3'],
        [8, 'SIGKILL'],
        [30, 'abort'],
      ]);
      const items = upTo(60).map((item) => {
        const how = deadly.get(item);
        return how === undefined ? { item } : { item, how };
      });
      const outcomes = await pool.mapSettled(misbehave, items, { chunkSize: 60 });
      const failed = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.error] : []));
      expect(
        failed.map(({ index, attempts }) => [index, attempts.map((each) => each.signal ?? each.exitCode)]),
      ).toEqual([
        [7, [3, 3, 3]],
        [8, ['SIGKILL', 'SIGKILL', 'SIGKILL']],
        [30, ['SIGABRT', 'SIGABRT', 'SIGABRT']],
      ]);
    },
  );

  specify('several deadly items are each blamed by index, and nobody else is', async ({ open }) => {
    await using pool = await open({ processes: 2 });
    const deadly = [0, 5, 6, 39];
    const items = upTo(40).map((item) =>
      deadly.includes(item) ? { item, how: 'exit 3' as const } : { item },
    );
    const outcomes = await pool.mapSettled(misbehave, items, { chunkSize: 20, retries: { crash: 1 } });
    const failed = outcomes.filter(({ status }) => status === 'rejected');
    expect(failed.map(({ index }) => index)).toEqual(deadly);
  });

  specify('after deaths the pool goes on at full size', async ({ open }) => {
    await using pool = await open({ processes: 2 });
    const items = upTo(4).map((item) => ({ item, how: 'SIGKILL' as const }));
    await pool.mapSettled(misbehave, items, { retries: { crash: 0 } });
    const runs = await pool.map(
      runFor,
      upTo(6).map((item) => ({ item, ms: 200 })),
      { chunkSize: 1 },
    );
    expect(new Set(runs.map(({ worker }) => worker)).size).toBe(2);
  });

  specify('a stream goes on after an item that killed its process', async ({ open }) => {
    await using pool = await open({ processes: 2 });
    const items = upTo(6).map((item) => (item === 2 ? { item, how: 'SIGKILL' as const } : { item }));
    const stream = pool.imap(misbehave, items, { retries: { crash: 0 } });
    const seen: unknown[] = [];
    for (const _ of items)
      seen.push(
        await stream.next().then(
          ({ value }) => value,
          ({ code }) => code,
        ),
      );
    expect(seen).toEqual([0, 1, 'ITEM_KILLED_CHILD', 3, 4, 5]);
  });

  specify('a call of apply that kills its process rejects', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const call = pending(pool.apply(misbehave, [{ item: 0, how: 'exit 0' }], { retries: { crash: 0 } }));
    expect(await rejectionOf(call)).toMatchObject({ code: 'ITEM_KILLED_CHILD', index: 0 });
    expect(await pool.apply(add, [1, 2])).toBe(3);
  });

  specify('what throws after its task has returned is put down to no item', async ({ open }) => {
    await using pool = await open({ processes: 1, stdio: 'ignore' });
    expect(await pool.map(throwLater, upTo(50))).toEqual(upTo(50));
    const slow = upTo(5).map((item) => ({ item, ms: 20 }));
    expect((await pool.map(runFor, slow)).map(({ item }) => item)).toEqual(upTo(5));
  });

  specify('a task that breaks the built-in objects breaks neither results nor the pool', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    expect(await pool.map(pollute, upTo(3), { chunkSize: 1 })).toEqual(upTo(3));
    const values = [{ a: [1, 2] }, 'text', new Map([[1, 2]])];
    expect(await pool.map(echo, values)).toEqual(values);
    expect(await pool.map(replacePromise, upTo(3))).toEqual(upTo(3));
  });

  specify(
    'a task that replaces methods of the built-in objects costs no item its result',
    async ({ open }) => {
      for (const part of ['methods', 'iterators', 'bytes'] as const) {
        // One by one; and many, which travel by column, there and back.
        for (const [count, chunkSize, as] of [
          [5, 1, 'number'],
          [100, 50, 'number'],
          [100, 40, 'record'],
          // Looked at one by one for what cannot travel, in all that is in it.
          [5, 1, 'map'],
        ] as const) {
          const items = upTo(count).map((item) => ({ item, part, as }));
          await using pool = await open({ processes: 1, stdio: 'ignore' });
          const resultOf = (item: number): unknown => {
            if (as === 'map') return { item, map: new Map(item === 0 ? [['key', { value: 0 }]] : []) };
            return as === 'record' ? { item, name: `item ${item}` } : item;
          };
          const results = await pool.map(ruin, items, { chunkSize });
          expect(results, `${part} by ${chunkSize}`).toEqual(upTo(count).map(resultOf));
        }
      }
      await using pool = await open({ processes: 1, stdio: 'ignore' });
      expect(await pool.map(ruinThenWait, upTo(5), { chunkSize: 4 })).toEqual(upTo(5));
    },
  );

  specify(
    'what a task has started and left behind is gone with its pool',
    async ({ open }) => {
      let left: (number | undefined)[] = [];
      {
        await using pool = await open({ processes: 1 });
        left = await pool.map(leaveGrandchild, [1, 2]);
      }
      await eventually(
        () => left.filter((pid) => pid !== undefined && isAlive(pid)),
        (alive) => alive.length === 0,
      );
      expect(left).toEqual([expect.any(Number), expect.any(Number)]);
    },
    sharesNoPids,
  );
});
