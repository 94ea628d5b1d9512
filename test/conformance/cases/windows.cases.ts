import { expect } from 'vitest';
import { endless, settled, upTo } from '../pool-under-test.ts';
import { chapter } from '../specification.ts';
import { square } from '../work.ts';

const mebibyte = 1_048_576;

/** How far ahead of its consumer a job may be. */
export const windows = chapter('windows', (specify) => {
  specify(
    'an endless input is pulled no further than a window ahead of a consumer that stops',
    async ({ open }) => {
      await using pool = await open({ processes: 2 });
      const input = endless((index) => index);
      const stream = pool.imap(square, input.items);
      for (const item of upTo(10)) expect(await stream.next()).toEqual({ done: false, value: item ** 2 });
      expect(await settled(input.pulled)).toBeLessThanOrEqual(1_000);
      await stream.return();
    },
  );

  specify('an endless async input is pulled no further either', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const input = endless((index) => index);
    const stream = pool.imapUnordered(square, input.slowItems());
    await stream.next();
    expect(await settled(input.pulled)).toBeLessThanOrEqual(1_000);
    await stream.return();
  });

  for (const bufferSize of [1, 3, 10]) {
    specify(
      `bufferSize ${bufferSize}: never more than that many items are pulled and not taken`,
      async ({ open }) => {
        await using pool = await open({ processes: 2 });
        const input = endless((index) => index);
        const stream = pool.imap(square, input.items, { bufferSize });
        for (const taken of upTo(50)) {
          expect(input.pulled() - taken).toBeLessThanOrEqual(bufferSize);
          expect(await stream.next()).toEqual({ done: false, value: taken ** 2 });
        }
        await stream.return();
      },
    );
  }

  specify('bufferSize bounds imapUnordered as well', async ({ open }) => {
    await using pool = await open({ processes: 2 });
    const input = endless((index) => index);
    const stream = pool.imapUnordered(square, input.items, { bufferSize: 5 });
    for (const taken of upTo(30)) {
      expect(input.pulled() - taken).toBeLessThanOrEqual(5);
      await stream.next();
    }
    await stream.return();
  });

  specify('bufferBytes bounds a window in bytes, and a single bigger item fits', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const input = endless((index) => `${index}`.padEnd(65_536));
    const stream = pool.imap((text: string) => text.length, input.items, { bufferBytes: 4 * 65_536 });
    await stream.next();
    // One more is pulled before it is known not to fit.
    expect(await settled(input.pulled)).toBeLessThanOrEqual(7);
    await stream.return();
    const big = 'x'.repeat(200_000);
    expect(await pool.map((text: string) => text.length, [big, big], { bufferBytes: 65_536 })).toEqual([
      200_000, 200_000,
    ]);
  });

  specify('a window is bounded in bytes, whatever its items weigh (G29)', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const input = endless((index) => `${index}`.padEnd(mebibyte));
    const stream = pool.imap((text: string) => text.length, input.items);
    expect((await stream.next()).value).toBe(mebibyte);
    // 16 MiB of items, one that always fits, and what was taken.
    expect(await settled(input.pulled)).toBeLessThanOrEqual(20);
    await stream.return();
  });

  specify('an item bigger than the whole window travels alone', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const items = [20, 18, 1].map((size) => 'x'.repeat(size * mebibyte));
    const lengths = await Array.fromAsync(pool.imap((text: string) => text.length, items));
    expect(lengths).toEqual(items.map(({ length }) => length));
  });

  specify('a window of one item is enough to come to the end', async ({ open }) => {
    await using pool = await open({ processes: 2 });
    const items = upTo(100);
    expect(await pool.map(square, items, { bufferSize: 1 })).toEqual(items.map(square));
    expect(await Array.fromAsync(pool.imap(square, items, { bufferSize: 1, chunkSize: 10 }))).toEqual(
      items.map(square),
    );
  });
});
