import { expect } from 'vitest';
import { Book, eventually, tally, upTo } from '../pool-under-test.ts';
import { chapter, isOneMachine, sharesNoFiles } from '../specification.ts';
import { failIfBad, misbehave, noteStart, returnBytes, runFor, whoRan } from '../work.ts';

/** Processes with a limited life. */
export const recycling = chapter('recycling', (specify) => {
  specify(
    '12 items with a limit of 2 in chunks of 3 use 6 processes, two items each (G30)',
    async ({ open }) => {
      await using pool = await open({ processes: 1, maxTasksPerChild: 2 });
      const out = await pool.map(whoRan, upTo(12), { chunkSize: 3 });
      expect(out.map(({ item }) => item)).toEqual(upTo(12));
      expect([...tally(out.map(({ pid }) => pid)).values()]).toEqual([2, 2, 2, 2, 2, 2]);
    },
    isOneMachine,
  );

  specify('a limit of 1 gives each item a process of its own', async ({ open }) => {
    await using pool = await open({ processes: 2, maxTasksPerChild: 1 });
    const out = await pool.map(whoRan, upTo(7));
    expect(new Set(out.map((ran) => ran.worker)).size).toBe(7);
  });

  specify(
    'failed calls count, and the limit holds across jobs (G30)',
    async ({ open }) => {
      await using pool = await open({ processes: 1, maxTasksPerChild: 3 });
      await pool.mapSettled(
        failIfBad,
        upTo(2).map((item) => ({ item, bad: true })),
      );
      const out = await pool.map(whoRan, upTo(4), { chunkSize: 1 });
      expect([...tally(out.map(({ pid }) => pid)).values()]).toEqual([1, 3]);
    },
    isOneMachine,
  );

  specify(
    'without a limit a process lives as long as its pool',
    async ({ open }) => {
      await using pool = await open({ processes: 1 });
      const pids = new Set<string>();
      for (let job = 0; job < 3; job++) {
        for (const { worker } of await pool.map(whoRan, upTo(20))) pids.add(worker);
      }
      expect(pids.size).toBe(1);
    },
    isOneMachine,
  );

  specify(
    'no process starts more calls than its limit, throwing, hanging and deadly ones included',
    async ({ open }) => {
      await using pool = await open({ processes: 2, maxTasksPerChild: 3 });
      using book = new Book();
      const ways: Record<number, 'throw' | 'kill' | 'loop'> = {
        4: 'throw',
        11: 'kill',
        17: 'loop',
        23: 'throw',
      };
      const orders = upTo(40).map((item) => {
        const how = ways[item];
        return { file: book.file, item, ...(how === undefined ? {} : { how }) };
      });
      const outcomes = await pool.mapSettled(noteStart, orders, { chunkSize: 5, timeoutMs: 500 });
      const failed = outcomes.filter(({ status }) => status === 'rejected').map(({ index }) => index);
      expect(failed).toEqual([4, 11, 17, 23]);
      const starts = tally(book.lines.map((line) => line.split(' ')[0]));
      expect(Math.max(...starts.values())).toBe(3);
    },
    sharesNoFiles,
  );

  specify('neither order nor completeness notices it', async ({ open }) => {
    await using pool = await open({ processes: 2, maxTasksPerChild: 25 });
    const out = await pool.map(whoRan, upTo(200), { chunkSize: 10 });
    expect(out.map(({ item }) => item)).toEqual(upTo(200));
    expect(Math.max(...tally(out.map(({ worker }) => worker)).values())).toBeLessThanOrEqual(25);
  });

  specify('the last result of a process is taken before it leaves, however big', async ({ open }) => {
    await using pool = await open({ processes: 1, maxTasksPerChild: 1 });
    const sizes = [3_000_000, 2_000_000, 1_000_000];
    expect((await pool.map(returnBytes, sizes)).map(({ length }) => length)).toEqual(sizes);
  });

  specify('a job may have a limit of its own', async ({ open }) => {
    await using pool = await open({ processes: 1, maxTasksPerChild: 100 });
    const out = await pool.map(whoRan, upTo(6), { maxTasksPerChild: 2 });
    expect(Math.max(...tally(out.map(({ worker }) => worker)).values())).toBe(2);
  });

  specify(
    'a limit bigger than the job replaces nobody',
    async ({ open }) => {
      await using pool = await open({ processes: 1, maxTasksPerChild: 1_000 });
      const out = await pool.map(whoRan, upTo(50));
      expect(tally(out.map(({ worker }) => worker)).size).toBe(1);
    },
    isOneMachine,
  );

  specify("a planned exit is counted as recycled, and is nobody's death", async ({ open }) => {
    await using pool = await open({ processes: 1, maxTasksPerChild: 2 });
    await pool.map(whoRan, upTo(6), { chunkSize: 1 });
    const stats = await eventually(
      () => pool.stats(),
      ({ recycled }) => recycled >= 2,
    );
    expect(stats.deaths).toBe(0);
  });

  specify(
    'how processes were started is told, and why those that were to be forked were not',
    async ({ open }) => {
      // Copies draw by chance, so there is a reason on each machine.
      const execArgv = ['--random-seed=5'];
      await using pool = await open({ processes: 1, maxTasksPerChild: 1, startChildren: 'fork', execArgv });
      await pool.map(whoRan, upTo(3));
      const { starts } = await eventually(
        () => pool.stats(),
        ({ starts: { spawned } }) => spawned >= 3,
      );
      const notForked = expect.stringMatching(/--random-seed|not built|only Linux/);
      expect(starts).toEqual({ spawned: starts.spawned, forked: 0, notForked });
    },
  );

  specify('a death in a process with a limit costs no innocent item', async ({ open }) => {
    await using pool = await open({ processes: 2, maxTasksPerChild: 2 });
    const items = upTo(20).map((item) => (item === 9 ? { item, how: 'SIGKILL' as const } : { item }));
    const outcomes = await pool.mapSettled(misbehave, items, { chunkSize: 5 });
    expect(outcomes.filter(({ status }) => status === 'rejected')).toMatchObject([{ index: 9 }]);
  });

  specify('a process that is older than maxAgeMs is replaced between two items', async ({ open }) => {
    await using pool = await open({ processes: 1, maxAgeMs: 20 });
    const runs = await pool.map(
      runFor,
      upTo(3).map((item) => ({ item, ms: 120 })),
    );
    expect(new Set(runs.map(({ worker }) => worker)).size).toBe(3);
  });

  // A fresh process is above this limit, and below the double of it, at which it would be killed, also where it is the first one
  // for which Node takes the types out of a module.
  specify('a process that has grown beyond maxRssBytes is replaced between two items', async ({ open }) => {
    await using pool = await open({ processes: 1, maxRssBytes: 50 * 1_048_576 });
    const out = await pool.map(whoRan, upTo(4), { chunkSize: 2 });
    expect(out.map(({ item }) => item)).toEqual(upTo(4));
    expect(tally(out.map(({ worker }) => worker)).size).toBeGreaterThan(1);
  });
});
