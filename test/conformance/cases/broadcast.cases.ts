import { type Broadcast, Pool, PoolClosedError, PoolTerminatedError } from 'shoal';
import { expect } from 'vitest';
import { rejectionOf, upTo } from '../pool-under-test.ts';
import { chapter, isOneMachine } from '../specification.ts';
import {
  addFromTable,
  echo,
  killOnceThenLookUp,
  lookUp,
  lookUpInBoth,
  readersOf,
  remembered,
  rememberTable,
} from '../work.ts';

const squares = upTo(10_000).map((x) => x * x);

/** Large constants that items refer to. */
export const broadcasts = chapter('broadcast', (specify) => {
  specify('a handle in an item gives the constant, in a child as in the caller', async ({ open }) => {
    await using pool = await open({ processes: 2 });
    const table = pool.broadcast(squares);
    expect(table.value).toBe(squares);
    const items = upTo(50).map((at) => ({ at, table }));
    expect(await pool.map(lookUp, items)).toEqual(items.map(lookUp));
  });

  specify(
    'a handle may stand anywhere in items and arguments, in every form of function',
    async ({ open }) => {
      await using pool = await open({ processes: 1 });
      const table = pool.broadcast(squares);
      const deep = { a: [new Map([['t', new Set([table])]])] };
      const inline = ({ a: [maps] }: typeof deep): number => {
        const [found] = maps?.get('t') ?? [];
        return found?.value[7] ?? 0;
      };
      expect(await pool.map(inline, [deep])).toEqual([49]);
      expect(await pool.starmap(addFromTable, [[2, table, 3] as const])).toEqual([13]);
      expect(await pool.apply(addFromTable, [4, table, 5] as const)).toBe(41);
      const module = new URL('../work.ts', import.meta.url);
      expect(await pool.map(module, [{ at: 9, table }], { export: 'lookUp' })).toEqual([81]);
      const [back] = (await pool.map(echo, [{ deep }])) as [{ deep: typeof deep }];
      expect([...(back.deep.a[0]?.get('t') ?? [])]).toEqual([table]);
    },
  );

  specify('a child reads the constant once, for all items, chunks and jobs', async ({ open }) => {
    // Items of 4 KiB at most: what they refer to cannot have travelled inside them.
    await using pool = await open({ processes: 2, maxItemBytes: 4_096 });
    const table = pool.broadcast(squares);
    const items = upTo(40).map((at) => ({ at, table }));
    const seen = [
      ...(await pool.map(readersOf, items, { chunkSize: 3 })),
      ...(await pool.map(readersOf, items, { chunkSize: 1 })),
    ];
    expect(new Set(seen.map(({ objects }) => objects))).toEqual(new Set([1]));
    expect(seen.every(({ isSame }) => isSame)).toBe(true);
  });

  specify('equal constants are one object in a child, whoever broadcast them', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const items = [{ one: pool.broadcast(squares), other: pool.broadcast([...squares]) }];
    expect(await pool.map(lookUpInBoth, items)).toEqual([true]);
  });

  specify(
    'the child that takes the place of another reads the constant again',
    async ({ open }) => {
      await using pool = await open({ processes: 1, maxTasksPerChild: 2 });
      const table = pool.broadcast(squares);
      const items = upTo(7).map((at) => ({ at, table }));
      const seen = await pool.map(readersOf, items, { chunkSize: 3 });
      expect(seen.map(({ at, value }) => [at, value])).toEqual(items.map(({ at }) => [at, at * at]));
      expect(new Set(seen.map(({ pid }) => pid)).size).toBe(4);
    },
    isOneMachine,
  );

  specify('an item whose process was killed has its constant again', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const table = pool.broadcast(squares);
    expect(await pool.map(killOnceThenLookUp, [{ at: 3, table }])).toEqual([9]);
  });

  specify('a handle that comes back in a result is the caller’s own', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const table = pool.broadcast(squares);
    const [back] = (await pool.map(echo, [{ inside: [table] }])) as [{ inside: unknown[] }];
    expect(back.inside[0]).toBe(table);
  });

  specify('an initializer takes handles of any pool of this process', async ({ open }) => {
    await using other = new Pool({ processes: 1 });
    const initArgs = [other.broadcast(squares)] as const;
    await using pool = await open({ processes: 1, initializer: rememberTable, initArgs });
    expect(await pool.map(remembered, [5])).toEqual([25]);
    // It belongs to this pool too, as long as that lives: the next children need it.
    await other.terminate();
    expect(await pool.map(remembered, [6, 7, 8], { maxTasksPerChild: 1 })).toEqual([36, 49, 64]);
  });

  specify('items that come while their job runs may refer to new constants', async ({ open }) => {
    await using pool = await open({ processes: 2 });
    function* items(): Generator<{ at: number; table: Broadcast<number[]> }> {
      for (let at = 0; at < 12; at++) yield { at, table: pool.broadcast(upTo(100).map((x) => x * at)) };
    }
    const products = await Array.fromAsync(pool.imap(lookUp, items(), { bufferSize: 2 }));
    expect(products).toEqual(upTo(12).map((at) => at * at));
  });

  specify('a job that runs keeps what its items refer to, whoever releases it', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const table = pool.broadcast(squares);
    const stream = pool.imap(
      lookUp,
      upTo(300).map((at) => ({ at, table })),
      { bufferSize: 300 },
    );
    expect((await stream.next()).value).toBe(0);
    table.release();
    const rest = await Array.fromAsync(stream);
    expect(rest).toEqual(upTo(299).map((at) => (at + 1) ** 2));
    table.release();
    expect(table.value).toBe(squares);
  });

  specify('an item with a handle that was released is refused by its path', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const table = pool.broadcast(squares);
    table.release();
    const error = await rejectionOf(pool.map(lookUp, [{ at: 1, table }]));
    expect(error).toMatchObject({
      code: 'VALUE_NOT_PORTABLE',
      index: 0,
      message: expect.stringContaining('.table is a broadcast value that was released'),
    });
  });

  specify('the end of a pool releases what it has broadcast', async ({ open }) => {
    const ended = await open({ processes: 1 });
    const table = ended.broadcast(squares);
    await ended[Symbol.asyncDispose]();
    await using pool = await open({ processes: 1 });
    const error = await rejectionOf(pool.map(lookUp, [{ at: 1, table }]));
    expect(error).toMatchObject({ code: 'VALUE_NOT_PORTABLE' });
  });

  specify('a pool that takes no work broadcasts nothing', async ({ open }) => {
    const pool = await open({ processes: 1 });
    pool.close();
    expect(() => pool.broadcast(1)).toThrow(PoolClosedError);
    await pool[Symbol.asyncDispose]();
    expect(() => pool.broadcast(1)).toThrow(PoolTerminatedError);
  });

  specify('what cannot be sent is refused at once, by its path', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const inner = pool.broadcast([1]);
    const refused: [unknown, string][] = [
      [() => 1, 'The value to broadcast cannot be sent: it is a function.'],
      [{ rules: [1, new URL('https://example.org')] }, '.rules[1] is a URL.'],
      [{ a: [inner] }, '.a[0] is a broadcast value itself.'],
      [new Proxy({}, {}), 'is a Proxy'],
    ];
    for (const [value, words] of refused) expect(() => pool.broadcast(value)).toThrow(words);
    expect(() => pool.broadcast(refused[0]?.[0])).toThrow(
      expect.objectContaining({ code: 'VALUE_NOT_PORTABLE' }) as Error,
    );
  });

  specify('broadcasts of a pool take maxBroadcastBytes together; releasing makes room', async ({ open }) => {
    await using pool = await open({ processes: 1, maxBroadcastBytes: 4_096 });
    const first = pool.broadcast('x'.repeat(3_000));
    expect(() => pool.broadcast('y'.repeat(3_000))).toThrow(
      expect.objectContaining({
        code: 'BROADCAST_TOO_LARGE',
        message: expect.stringContaining('maxBroadcastBytes'),
      }) as Error,
    );
    first.release();
    expect(await pool.map(echo, [pool.broadcast('y'.repeat(3_000))])).toHaveLength(1);
  });

  specify('the constant is encoded when it is broadcast: later changes do not travel', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const changing = [1, 2, 3];
    const table = pool.broadcast(changing);
    changing[0] = 100;
    expect(await pool.map(lookUp, [{ at: 0, table }])).toEqual([1]);
  });

  specify('a handle cannot be cloned: the clone would refer to nothing', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const table = pool.broadcast(squares);
    expect(() => structuredClone({ table })).toThrow(expect.objectContaining({ name: 'DataCloneError' }));
    expect(await pool.map(lookUp, [{ at: 3, table }])).toEqual([9]);
  });

  specify('a handle is no promise', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const table = pool.broadcast(squares);
    expect(await table).toBe(table);
  });

  specify('what only looks like a handle arrives as it is', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    pool.broadcast(squares);
    class Own extends Uint8Array {
      readonly value = 1;
    }
    const lookAlikes = [
      { value: 1, sha256: 'ab'.repeat(32) },
      new Uint8Array(0),
      Buffer.alloc(32, 0xff),
      new Uint32Array([0xffff_ffff, 0xffff_ffff]),
      new Own(0),
    ];
    const back = await pool.map(echo, lookAlikes);
    expect(back.slice(0, 4)).toEqual(lookAlikes.slice(0, 4));
    expect(back[4]).toEqual(new Uint8Array(0));
  });

  specify('a constant of 8 MB works', async ({ open }) => {
    await using pool = await open({ processes: 2 });
    const table = pool.broadcast(new Float64Array(1_000_000).fill(0.5));
    const items = upTo(20).map((at) => ({ at, table }));
    expect(await pool.map(({ at, table }) => (table.value[at] ?? 0) + at, items)).toEqual(
      upTo(20).map((at) => at + 0.5),
    );
  });
});
