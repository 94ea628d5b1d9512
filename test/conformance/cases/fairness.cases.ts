import type { Job, MapProgress } from 'shoal';
import { expect } from 'vitest';
import { pending } from '../../pending.ts';
import { eventually, upTo } from '../pool-under-test.ts';
import { chapter } from '../specification.ts';
import { sleepThenSay, whoRan } from '../work.ts';

/** Jobs that share a pool. */
export const fairness = chapter('fairness', (specify) => {
  specify('a job of three items does not wait for one of thousands that came before it', async ({ open }) => {
    await using pool = await open({ processes: 2 });
    const big = pool.submit(whoRan, upTo(10_000));
    await pool.map(whoRan, [1, 2, 3]);
    expect(big.ready).toBe(false);
    big.cancel();
  });

  specify('nor for one of long chunks', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const big = pool.submit(
      sleepThenSay,
      upTo(2_000).map(() => 5),
      { chunkSize: 20 },
    );
    await pool.map(whoRan, [1, 2, 3]);
    expect(big.progress.done).toBeLessThan(1_000);
    big.cancel();
  });

  specify('equal jobs come on equally', async ({ open }) => {
    await using pool = await open({ processes: 2 });
    const delays = upTo(60).map(() => 10);
    const both = [pool.submit(sleepThenSay, delays), pool.submit(sleepThenSay, delays)];
    await Promise.race(both.map((job) => job.wait()));
    for (const job of both) expect(job.progress.done).toBeGreaterThan(20);
    await Promise.all(both.map((job) => job.wait()));
  });

  specify('a job goes on while one small job after another comes', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const big = pool.submit(
      sleepThenSay,
      upTo(12).map(() => 10),
      { chunkSize: 1 },
    );
    let isOver = false;
    const asking = upTo(4).map(async () => {
      while (!isOver) await pool.apply(sleepThenSay, [10]);
    });
    // Four others wait with it: it gets every fifth turn.
    await big.result({ timeoutMs: 60_000 });
    isOver = true;
    await Promise.all(asking);
  });

  specify('a job of higher priority goes first', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const ended: string[] = [];
    const delays = upTo(20).map(() => 10);
    // Something runs already: the two that count wait side by side.
    const first = pending(pool.map(sleepThenSay, [200]));
    const low = pool.map(sleepThenSay, delays, { priority: -1 }).then(() => ended.push('low'));
    const high = pool.map(sleepThenSay, delays, { priority: 5 }).then(() => ended.push('high'));
    await Promise.all([first, low, high]);
    expect(ended).toEqual(['high', 'low']);
  });

  specify(
    'a job that waits says why, and so does one whose consumer or input makes it wait',
    async ({ open }) => {
      await using pool = await open({ processes: 1 });
      const heard = (job: Job<unknown>, reason: RegExp) =>
        eventually(
          () => job.progress.waitingFor,
          (waitingFor) => waitingFor !== undefined && reason.test(waitingFor),
        );
      const first = pool.submit(sleepThenSay, [60_000]);
      await eventually(
        () => first.progress.running,
        (running) => running === 1,
      );
      const second = pool.submit(sleepThenSay, [1]);
      // A cluster may have more slots than the one that this connection uses at once.
      await heard(second, /^(all slots busy|its share of 1 process is in use)$/);
      const slow = Promise.withResolvers<void>();
      const third = pool.submit(
        sleepThenSay,
        (async function* () {
          await slow.promise;
          yield 1;
        })(),
      );
      await heard(third, /^waits for its input$/);
      slow.resolve();
      first.cancel();
      expect([await second.result(), await third.result()]).toEqual([[1], [1]]);
      const told: (string | undefined)[] = [];
      const onProgress = ({ waitingFor }: MapProgress): void => void told.push(waitingFor);
      const stream = pool.imap(whoRan, upTo(50), { bufferSize: 5, onProgress });
      await stream.next();
      await eventually(
        () => told,
        (all) => all.at(-1) === 'paused by its consumer',
      );
      await stream.return();
    },
  );

  specify('a consumer that stops does not hold up the others', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const idle = pool.imap(whoRan, upTo(5_000));
    await idle.next();
    expect((await pool.map(whoRan, upTo(50))).map(({ item }) => item)).toEqual(upTo(50));
    await idle.return();
  });
});
