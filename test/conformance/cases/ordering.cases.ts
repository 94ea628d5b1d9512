import { usableCpus } from '@shoal/pool';
import { expect } from 'vitest';
import { Book, eventually, rejectionOf, tally, upTo } from '../pool-under-test.ts';
import { chapter, isScheduled } from '../specification.ts';
import {
  failAtFirst,
  runFor,
  runTogether,
  type Scientist,
  sleepThenSay,
  square,
  transform,
} from '../work.ts';

const scientists: readonly Scientist[] = Object.freeze(
  [
    { name: 'Ada Lovelace', born: 1815 },
    { name: 'Emmy Noether', born: 1882 },
    { name: 'Marie Curie', born: 1867 },
    { name: 'Tu Youyou', born: 1930 },
    { name: 'Ada Yonath', born: 1939 },
    { name: 'Vera Rubin', born: 1928 },
    { name: 'Sally Ride', born: 1951 },
  ].map((scientist) => Object.freeze(scientist)),
);

interface Run {
  readonly startedAt: number;
  readonly endedAt: number;
}

/** How many ran at the moment when this one started. */
const besideEachOther = (runs: readonly Run[], { startedAt }: Run): number =>
  runs.filter((other) => other.startedAt <= startedAt && startedAt < other.endedAt).length;

/** What comes out of map: everything, in order, from as many processes as there are. */
export const ordering = chapter('ordering', (specify) => {
  specify(
    'the seven scientists come back in order, from several processes, and stay as they were',
    async ({ open }) => {
      await using pool = await open({ processes: 4 });
      const before = structuredClone(scientists);
      const out = await pool.map(transform, scientists);
      expect(out.map(({ name, age }) => ({ name, age }))).toEqual(
        scientists.map(({ name, born }) => ({ name, age: 2017 - born })),
      );
      const pids = new Set(out.map(({ pid }) => pid));
      expect(pids.size).toBeGreaterThan(1);
      expect(pids).not.toContain(process.pid);
      expect(scientists).toEqual(before);
    },
  );

  specify('results keep the order of the items, however long each takes (G2)', async ({ open }) => {
    await using pool = await open({ processes: 3 });
    const delays = [60, 5, 40, 0, 20, 1, 30, 2];
    expect(await pool.map(sleepThenSay, delays)).toEqual(delays);
  });

  for (const chunkSize of [1, 7, 100, 5_000]) {
    specify(
      `pool.map(f, xs) equals xs.map(f) with a chunk size of ${chunkSize}`,
      async ({ open }) => {
        await using pool = await open({ processes: 2 });
        const items = upTo(1_000);
        expect(await pool.map(square, items, { chunkSize })).toEqual(items.map(square));
      },
      chunkSize === 7 ? {} : isScheduled,
    );
  }

  specify('100,000 tiny items come back complete and in order', async ({ open }) => {
    await using pool = await open({ processes: 2 });
    const items = upTo(100_000);
    expect(await pool.map(square, items)).toEqual(items.map(square));
  });

  specify('no items give no results', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    expect(await pool.map(square, [])).toEqual([]);
    expect(await pool.mapSettled(square, [])).toEqual([]);
    expect(await pool.imap(square, []).next()).toEqual({ done: true, value: undefined });
  });

  specify('an item that is tried again keeps its place', async ({ open }) => {
    await using pool = await open({ processes: 2 });
    const items = [{ times: 1 }, { times: 2 }, { times: 1 }, { times: 2 }];
    const options = { retries: { thrown: 1 } };
    expect(await pool.map(failAtFirst, items, options)).toEqual([1, 2, 1, 2]);
    expect(await Array.fromAsync(pool.imap(failAtFirst, items, options))).toEqual([1, 2, 1, 2]);
  });

  specify(
    'as many items run at once as the pool has processes, and no more',
    async ({ open }) => {
      using book = new Book();
      await using pool = await open({ processes: 3 });
      const items = upTo(9).map((item) => ({ item, ms: 50, file: book.file, meet: 3 }));
      const runs = await pool.map(runTogether, items, { chunkSize: 1 });
      expect(Math.max(...runs.map((run) => besideEachOther(runs, run)))).toBe(3);
    },
    isScheduled,
  );

  specify(
    'a process awaits as many items at once as concurrentTasksPerChild says, in chunks of one too',
    async ({ open }) => {
      using book = new Book();
      await using pool = await open({ processes: 1, concurrentTasksPerChild: 8 });
      const items = upTo(40).map((item) => ({ item, ms: 20, file: book.file, meet: 8 }));
      const runs = await pool.map(runTogether, items, { chunkSize: 1 });
      expect(Math.max(...runs.map((run) => besideEachOther(runs, run)))).toBe(8);
    },
    isScheduled,
  );

  specify(
    'of an input that trickles as many items are awaited at once as all processes may, each begun as it comes',
    async ({ open }) => {
      using book = new Book();
      await using pool = await open({ processes: 2, concurrentTasksPerChild: 12 });
      async function* oneByOne() {
        for (const item of upTo(24)) {
          yield { item, ms: 0, file: book.file, meet: 24 };
          // The next one comes when this one is on its way, alone.
          await eventually(
            () => book.lines.length,
            (begun) => begun > item,
          );
        }
      }
      expect(await Array.fromAsync(pool.imap(runTogether, oneByOne()))).toHaveLength(24);
    },
    isScheduled,
  );

  specify(
    'what a process awaits at once is gathered from several chunks, however small the first one is',
    async ({ open }) => {
      using book = new Book();
      await using pool = await open({ processes: 2, concurrentTasksPerChild: 8 });
      async function* oneThenOthers(): AsyncGenerator<{
        item: number;
        ms: number;
        file: string;
        meet: number;
      }> {
        for (const item of upTo(40)) {
          yield { item, ms: 20, file: book.file, meet: 12 };
          // The first one is on its way alone.
          if (item === 0)
            await eventually(
              () => book.lines.length,
              (begun) => begun > 0,
            );
        }
      }
      expect(await Array.fromAsync(pool.imap(runTogether, oneThenOthers()))).toHaveLength(40);
    },
    isScheduled,
  );

  specify(
    'without a number of processes a pool uses every CPU that it may, or every slot of the cluster',
    async ({ open, kind }) => {
      await using pool = await open();
      const expected = kind === 'local pool' ? usableCpus() : 2;
      const job = pool.submit(
        sleepThenSay,
        upTo(expected + 2).map(() => 60_000),
      );
      await eventually(
        () => pool.stats().running,
        (running) => running === expected,
      );
      job.cancel();
      await rejectionOf(job.result());
    },
    { containers: 'other cases use its slots meanwhile' },
  );

  specify('an item runs in one process, and once', async ({ open }) => {
    await using pool = await open({ processes: 2 });
    const runs = await pool.map(
      runFor,
      upTo(500).map((item) => ({ item, ms: 0 })),
    );
    expect(runs.map(({ item }) => item)).toEqual(upTo(500));
    await eventually(
      () => pool.stats().processes.reduce((sum, { tasksRun }) => sum + tasksRun, 0),
      (started) => started === 500,
    );
  });

  specify(
    'the items of a chunk run one after another in one process',
    async ({ open }) => {
      await using pool = await open({ processes: 2 });
      const runs = await pool.map(
        runFor,
        upTo(20).map((item) => ({ item, ms: 2 })),
        { chunkSize: 5 },
      );
      for (const first of [0, 5, 10, 15]) {
        const chunk = runs.slice(first, first + 5);
        expect(tally(chunk.map(({ worker }) => worker)).size).toBe(1);
        for (const [at, run] of chunk.entries()) {
          expect(run.startedAt).toBeGreaterThanOrEqual(chunk[at - 1]?.endedAt ?? 0);
        }
      }
    },
    isScheduled,
  );

  specify(
    'one chunk that holds everything leaves the other processes idle',
    async ({ open }) => {
      await using pool = await open({ processes: 2 });
      const runs = await pool.map(
        runFor,
        upTo(10).map((item) => ({ item, ms: 5 })),
        { chunkSize: 100 },
      );
      expect(new Set(runs.map(({ worker }) => worker)).size).toBe(1);
    },
    isScheduled,
  );

  specify(
    'without a chunk size long items are spread over all processes',
    async ({ open }) => {
      using book = new Book();
      await using pool = await open({ processes: 4 });
      const items = upTo(8).map((item) => ({ item, ms: 50, file: book.file, meet: 4 }));
      const runs = await pool.map(runTogether, items);
      expect(new Set(runs.map(({ worker }) => worker)).size).toBe(4);
    },
    isScheduled,
  );
});
