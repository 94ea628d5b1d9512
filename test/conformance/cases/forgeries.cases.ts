import { ItemError, type MapPool, type Settled } from 'shoal';
import { expect } from 'vitest';
import { errorForgeries, type Forgery, forge, resultForgeries } from '../forgery.ts';
import { rejectionOf, upTo } from '../pool-under-test.ts';
import { chapter } from '../specification.ts';
import { square } from '../work.ts';

/** Where nobody can tell before the values are read. */
const unreadable = 'a list that breaks off';
const alone = { chunkSize: 1, retries: 0 } as const;

function expectOnlyForged(
  items: readonly Forgery[],
  outcomes: readonly Settled<unknown>[],
  how: string,
): void {
  expect(outcomes).toHaveLength(items.length);
  for (const [index, outcome] of outcomes.entries()) {
    if (items[index]?.result === undefined) {
      expect(outcome, how).toEqual({ status: 'fulfilled', index, value: { item: index } });
      continue;
    }
    expect(outcome, how).toMatchObject({ status: 'rejected', index });
    const { error } = outcome as { error: ItemError };
    expect(['ITEM_KILLED_CHILD', 'RESULT_UNREADABLE'], how).toContain(error.code);
    expect(error.message, how).toMatch(/pid \d+/);
  }
}

async function lives(pool: MapPool): Promise<void> {
  expect(await pool.map(square, [3])).toEqual([9]);
}

/** Children whose bytes are none of ours: they cost their own items, and never the program that reads them. */
export const forgeries = chapter('forgeries', (specify) => {
  specify(
    'whatever a process sends in place of results costs its own items, and nobody else',
    async ({ open }) => {
      await using pool = await open({ processes: 1, stdio: 'ignore' });
      for (const result of resultForgeries) {
        const items = upTo(5).map((item): Forgery => (item === 3 ? { item, result } : { item }));
        expectOnlyForged(items, await pool.mapSettled(forge, items, alone), result);
      }
      await lives(pool);
    },
  );

  specify('what can be told when it arrives ends its process, and is blamed on it', async ({ open }) => {
    await using pool = await open({ processes: 1, stdio: 'ignore' });
    for (const result of [
      ...(['no clone at all', 'nothing', 'an object', 'a list of another length'] as const),
      ...(['texts that break off', 'texts, millions of them', 'texts of another number'] as const),
    ]) {
      const error = await rejectionOf(pool.map(forge, [{ item: 0, result }], alone));
      expect(error).toMatchObject({ code: 'ITEM_KILLED_CHILD', attempts: [{ signal: 'SIGKILL' }] });
    }
    await lives(pool);
  });

  specify('a result that cannot be read fails its item, whoever asked for it', async ({ kind, open }) => {
    await using pool = await open({ processes: 1, stdio: 'ignore' });
    const items: Forgery[] = [{ item: 0 }, { item: 1, result: unreadable }, { item: 2 }];
    const failed = { code: 'RESULT_UNREADABLE', index: 1, task: 'forge', pid: expect.any(Number) };
    const isFailed = (error: unknown): void => {
      expect(error).toBeInstanceOf(ItemError);
      expect(error).toMatchObject(failed);
      const { agent, message, pid } = error as ItemError;
      expect(message).toContain(`pid ${pid} sent in its place is no result`);
      if (kind !== 'local pool') expect(message).toContain(`what ${agent} pid`);
    };
    isFailed(await rejectionOf(pool.map(forge, items, alone)));
    isFailed(await rejectionOf(pool.map(forge, items, { ...alone, failFast: true })));
    const progress: { done: number; failed: number }[] = [];
    const job = pool.submit(forge, items, { ...alone, onProgress: (now) => void progress.push(now) });
    isFailed(await rejectionOf(job.result()));
    expect(progress.at(-1)).toMatchObject({ done: 2, failed: 1 });
    const single = await rejectionOf(pool.apply(forge, [items[1] as Forgery], { retries: 0 }));
    expect(single).toMatchObject({ ...failed, index: 0 });
    const settled = await pool.mapSettled(forge, items, alone);
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    isFailed((settled[1] as { error: unknown }).error);
    const stream = pool.imap(forge, items, alone);
    expect(await stream.next()).toEqual({ done: false, value: { item: 0 } });
    isFailed(await rejectionOf(stream.next()));
    expect(await stream.next()).toEqual({ done: false, value: { item: 2 } });
    expect(await stream.next()).toEqual({ done: true, value: undefined });
    const unordered: Settled<{ item: number }>[] = [];
    for await (const outcome of pool.imapUnordered(forge, items, { ...alone, settled: true })) {
      unordered.push(outcome);
    }
    expect(unordered.toSorted((a, b) => a.index - b.index)).toMatchObject(settled);
    const first = pool.imap(forge, items, { ...alone, failFast: true });
    expect(await first.next()).toEqual({ done: false, value: { item: 0 } });
    isFailed(await rejectionOf(first.next()));
    expect(await first.next()).toEqual({ done: true, value: undefined });
    // Its process lives on, and goes on with it until it is told otherwise.
    expect(await pool.map(forge, [{ item: 0 }])).toEqual([{ item: 0 }]);
    await lives(pool);
  });

  specify('whatever a process sends in place of an error is an error of its item', async ({ open }) => {
    await using pool = await open({ processes: 1, stdio: 'ignore' });
    const items = errorForgeries.map((error, item): Forgery => ({ item, error }));
    const outcomes = await pool.mapSettled(forge, items, alone);
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', error: { code: 'ITEM_THREW' } });
      expect((outcome as { error: ItemError }).error.cause).toBeInstanceOf(Error);
    }
    expect(outcomes).toHaveLength(errorForgeries.length);
    await lives(pool);
  });
});
