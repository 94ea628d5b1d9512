import type { ItemError, MapProgress } from 'shoal';
import { expect } from 'vitest';
import { pending } from '../../pending.ts';
import { eventually, rejectionOf, Transcript, upTo } from '../pool-under-test.ts';
import { chapter } from '../specification.ts';
import { failAtFirst, misbehave } from '../work.ts';

/** How often an item is tried. */
export const retries = chapter('retries', (specify) => {
  specify('an item that throws is not tried again unless it is asked for', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const error = (await rejectionOf(pool.map(failAtFirst, [{ times: 2 }]))) as ItemError;
    expect(error.attempts).toHaveLength(1);
    expect(error.message).toContain('attempt 1 of 1');
  });

  specify('a thrown error is tried again as often as it is allowed, and the try shows', async ({ open }) => {
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

  specify('retryOn says which errors are worth another try', async ({ open }) => {
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

  specify('a retryOn that throws retries nothing, and is heard of', async ({ open }) => {
    const transcript = new Transcript();
    await using pool = await open({ processes: 1, printer: transcript.printer });
    const retryOn = (error: Error): boolean => (error.cause as { deep: boolean }).deep;
    const calls = pending(pool.map(failAtFirst, [{ times: 2 }], { retries: { thrown: 3 }, retryOn }));
    expect(((await rejectionOf(calls)) as ItemError).attempts).toHaveLength(1);
    const [line] = await eventually(
      () => transcript.stderr,
      ({ length }) => length > 0,
    );
    expect(line).toMatch(/retryOn failed, so nothing is tried again: TypeError: Cannot read/);
  });

  specify('a number allows as many further tries of each kind', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    expect(await pool.map(failAtFirst, [{ times: 2 }], { retries: 1 })).toEqual([2]);
    const error = (await rejectionOf(
      pool.map(misbehave, [{ item: 0, how: 'exit 3' as const }], { retries: 1 }),
    )) as ItemError;
    expect(error.attempts).toHaveLength(2);
  });

  specify('with retries: 0 an item that kills its process has had its only try', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const error = (await rejectionOf(
      pool.map(misbehave, [{ item: 0, how: 'SIGKILL' as const }], { retries: 0 }),
    )) as ItemError;
    expect(error.attempts).toMatchObject([{ signal: 'SIGKILL' }]);
  });

  specify('other items do not wait for one that waits for its next try', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const items = [{ times: 3 }, ...upTo(20).map(() => ({ times: 1 }))];
    const stream = pool.imapUnordered(failAtFirst, items, { retries: { thrown: 5 }, chunkSize: 1 });
    // The first item's tries are over some time; whoever waited for them would come after it.
    expect((await Array.fromAsync(stream)).indexOf(3)).toBeGreaterThan(0);
  });

  specify('tries beyond the first are counted in the progress', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const told: MapProgress[] = [];
    await pool.map(failAtFirst, [{ times: 3, ms: 1_000 }, { times: 1 }], {
      retries: { thrown: 2 },
      onProgress: (progress) => told.push(progress),
    });
    expect(told.at(-1)).toMatchObject({ done: 2, failed: 0, retried: 2 });
  });

  specify('the tries of an item that fails for good are counted to the last one', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const told: MapProgress[] = [];
    const onProgress = (progress: MapProgress): void => void told.push(progress);
    await pool.mapSettled(failAtFirst, [{ times: 9 }], { retries: 2, onProgress });
    expect(told.at(-1)).toMatchObject({ done: 0, failed: 1, running: 0, retried: 2 });
  });
});
