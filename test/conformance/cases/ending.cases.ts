import { type MapPool, PoolClosedError, PoolTerminatedError } from 'shoal';
import { expect } from 'vitest';
import { isAlive } from '../../process-life.ts';
import { slack } from '../../slack.ts';
import { eventually, rejectionOf, upTo } from '../pool-under-test.ts';
import { chapter, sharesNoPids } from '../specification.ts';
import { loopForEver, sleepThenSay, square, throwAnything, whoRan } from '../work.ts';

const minuteMs = 60_000;

/** In each of them Node ends a program for rejections that nobody handles. */
async function someTurns(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** close, terminate, join, and leaving the block. */
export const ending = chapter('ending', (specify) => {
  specify('after close() work is refused, and what was pending finishes', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const pending = pool.map(sleepThenSay, [50]);
    pool.close();
    expect(await rejectionOf(pool.map(square, [1]))).toBeInstanceOf(PoolClosedError);
    expect(await rejectionOf(pool.imap(square, [1]).next())).toMatchObject({ code: 'POOL_CLOSED' });
    await pool.join();
    expect(await pending).toEqual([50]);
  });

  specify('after close() every method refuses work', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    pool.close();
    for (const refused of [
      pool.map(square, [1]),
      pool.starmap(square, [[1]]),
      pool.mapSettled(square, [1]),
      pool.apply(square, [1]),
      pool.submit(square, [1]).result(),
      pool.imap(square, [1]).next(),
      pool.imapUnordered(square, [1]).next(),
    ]) {
      expect(await rejectionOf(refused)).toBeInstanceOf(PoolClosedError);
    }
    await pool.join();
  });

  specify(
    'once a closed pool has done its work its processes leave',
    async ({ open }) => {
      await using pool = await open({ processes: 2 });
      const pending = pool.map(whoRan, upTo(10));
      pool.close();
      await pool.join();
      const pids = (await pending).map(({ pid }) => pid);
      await eventually(
        () => pids.filter(isAlive),
        (alive) => alive.length === 0,
      );
    },
    sharesNoPids,
  );

  specify('a stream that was begun before close() may be read to its end after it', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const stream = pool.imap(square, upTo(1_000), { bufferSize: 10 });
    await stream.next();
    pool.close();
    const joined = pool.join();
    expect(await Array.fromAsync(stream)).toEqual(upTo(1_000).slice(1).map(square));
    await joined;
  });

  specify('a pool that is gone has no processes, and knows what it has done', async ({ open }) => {
    await using pool = await open({ processes: 2 });
    await pool.map(square, upTo(20));
    pool.close();
    await pool.join();
    expect(pool.stats()).toMatchObject({ processes: [], queued: 0, running: 0, done: 20 });
  });

  specify('join() before close() is an error', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    expect(await rejectionOf(pool.join())).toMatchObject({ code: 'POOL_NOT_CLOSED' });
  });

  specify('a pool that was never used closes and joins', async ({ open }) => {
    await using pool = await open();
    pool.close();
    await pool.join();
    expect(await rejectionOf(pool.map(square, [1]))).toBeInstanceOf(PoolClosedError);
  });

  specify('work that is pending at terminate() rejects within a second', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const stream = pool.imap(sleepThenSay, [minuteMs]);
    const pending = [
      pool.map(sleepThenSay, [minuteMs]),
      stream.next(),
      pool.submit(sleepThenSay, [minuteMs]).result(),
    ];
    const reasons = Promise.all(pending.map(rejectionOf));
    await eventually(
      () => pool.stats().running,
      (running) => running > 0,
    );
    const before = performance.now();
    const terminated = pool.terminate();
    for (const reason of await reasons) expect(reason).toBeInstanceOf(PoolTerminatedError);
    expect(performance.now() - before).toBeLessThan(1_000 * slack());
    await terminated;
    await pool.join();
    expect(await rejectionOf(pool.map(square, [1]))).toBeInstanceOf(PoolTerminatedError);
  });

  specify(
    'terminate() stops processes at once, busy ones too',
    async ({ open }) => {
      await using pool = await open({ processes: 1 });
      const [{ pid } = { pid: 0 }] = await pool.map(whoRan, [0]);
      const pending = rejectionOf(pool.map(loopForEver, [1]));
      await eventually(
        () => pool.stats().running,
        (running) => running === 1,
      );
      await pool.terminate();
      expect(await pending).toBeInstanceOf(PoolTerminatedError);
      await eventually(
        () => isAlive(pid),
        (alive) => !alive,
      );
    },
    sharesNoPids,
  );

  specify(
    'the result of a job that was pending at terminate() may be asked for afterwards',
    async ({ open }) => {
      await using pool = await open({ processes: 1 });
      const job = pool.submit(sleepThenSay, [minuteMs]);
      await pool.terminate();
      expect(await rejectionOf(job.result())).toBeInstanceOf(PoolTerminatedError);
      expect(job).toMatchObject({ ready: true, successful: false });
    },
  );

  specify('a result that was there before terminate() stays there', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const job = pool.submit(square, [3]);
    await job.wait();
    await pool.terminate();
    expect(await job.result()).toEqual([9]);
  });

  specify('a stream of a terminated pool says so once, then it is over', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const stream = pool.imap(sleepThenSay, [minuteMs]);
    await pool.terminate();
    expect(await rejectionOf(stream.next())).toBeInstanceOf(PoolTerminatedError);
    expect(await stream.next()).toEqual({ done: true, value: undefined });
  });

  specify('terminate() while close() waits ends what it waited for', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const pending = rejectionOf(pool.map(sleepThenSay, [minuteMs]));
    pool.close();
    const joined = pool.join();
    await pool.terminate();
    await joined;
    expect(await pending).toBeInstanceOf(PoolTerminatedError);
  });

  specify('all three may be called in any order, any number of times', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    await pool.map(square, [1]);
    await pool.terminate();
    pool.close();
    await pool.join();
    await pool.terminate();
    await pool.join();
    pool.close();
  });

  specify('leaving the block terminates the pool', async ({ open }) => {
    let pending: Promise<unknown> = Promise.resolve();
    {
      await using pool = await open({ processes: 1 });
      pending = rejectionOf(pool.map(sleepThenSay, [minuteMs]));
    }
    expect(await pending).toBeInstanceOf(PoolTerminatedError);
  });

  specify(
    'what a block returns without awaiting it rejects where its caller can catch it, whatever else it disposes of',
    async ({ open }) => {
      const unhandled: unknown[] = [];
      const heard = (reason: unknown): unknown => unhandled.push(reason);
      process.on('unhandledRejection', heard);
      const returned = async (
        onDispose: 'terminate' | 'drain',
        begin: (pool: MapPool) => Promise<unknown>,
      ): Promise<unknown> => {
        await using _ = { [Symbol.asyncDispose]: someTurns };
        await using pool = await open({ processes: 1, onDispose });
        return begin(pool);
      };
      try {
        for (const begin of [
          (pool: MapPool) => pool.map(sleepThenSay, [minuteMs]),
          (pool: MapPool) => pool.apply(sleepThenSay, [minuteMs]),
          (pool: MapPool) => pool.map((ms: number) => ms, [minuteMs]),
          (pool: MapPool) => pool.submit(sleepThenSay, [minuteMs]).result(),
          (pool: MapPool) => pool.imap(sleepThenSay, [minuteMs]).next(),
        ]) {
          const reason = await rejectionOf(returned('terminate', begin));
          expect(reason).toBeInstanceOf(PoolTerminatedError);
          expect(reason).toMatchObject({ message: expect.stringContaining('`return await pool.map(…)`') });
        }
        for (const begin of [
          (pool: MapPool) => pool.map(throwAnything, ['string']),
          (pool: MapPool) => pool.submit(throwAnything, ['string']).result(),
          (pool: MapPool) => pool.imap(throwAnything, ['string']).next(),
          (pool: MapPool) => pool.mapSettled(sleepThenSay, [minuteMs], { deadlineMs: 50 }),
        ]) {
          expect(await rejectionOf(returned('drain', begin))).toMatchObject({
            code: expect.stringMatching(/^(ITEM_THREW|JOB_DEADLINE)$/),
          });
        }
        expect(unhandled).toEqual([]);
      } finally {
        process.off('unhandledRejection', heard);
      }
    },
  );

  specify("with onDispose: 'drain' leaving the block waits", async ({ open }) => {
    let pending: Promise<unknown> = Promise.resolve();
    {
      await using pool = await open({ processes: 1, onDispose: 'drain' });
      pending = pool.map(sleepThenSay, [50]);
    }
    expect(await pending).toEqual([50]);
  });
});
