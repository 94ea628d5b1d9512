import { TimeoutError } from 'shoal';
import { describe, expect, test } from 'vitest';
import { eventually, type OpenPool, rejectionOf, upTo } from './pool-under-test.ts';
import { failIfBad, sleepThenSay, square } from './work.ts';

interface Endless {
  readonly items: Generator<number>;
  pulled(): number;
  returned(): boolean;
}

function endless(): Endless {
  let pulled = 0;
  let returned = false;
  function* numbers(): Generator<number> {
    try {
      for (;;) yield pulled++;
    } finally {
      returned = true;
    }
  }
  return { items: numbers(), pulled: () => pulled, returned: () => returned };
}

/** Results one by one. */
export function streamCases(open: OpenPool): void {
  describe('streams', () => {
    test('imap yields the results in order', async () => {
      await using pool = await open({ processes: 3 });
      const delays = [40, 0, 20, 1, 30, 2];
      expect(await Array.fromAsync(pool.imap(sleepThenSay, delays))).toEqual(delays);
    });

    test('imap of 50,000 items is complete and in order', async () => {
      await using pool = await open({ processes: 2 });
      const items = upTo(50_000);
      expect(await Array.fromAsync(pool.imap(square, items))).toEqual(items.map(square));
    });

    test('imapUnordered yields each result once, the quick ones first', async () => {
      await using pool = await open({ processes: 3 });
      const delays = [300, 0, 1, 2, 3];
      const out = await Array.fromAsync(pool.imapUnordered(sleepThenSay, delays));
      expect(out.toSorted((a, b) => a - b)).toEqual(delays.toSorted((a, b) => a - b));
      expect(out.at(-1)).toBe(300);
    });

    test('a stream goes on after an item that failed', async () => {
      await using pool = await open({ processes: 2 });
      const items = upTo(6).map((item) => ({ item, bad: item === 1 || item === 2 }));
      const stream = pool.imap(failIfBad, items, { chunkSize: 3 });
      expect(await stream.next()).toEqual({ done: false, value: 0 });
      expect(await rejectionOf(stream.next())).toMatchObject({ code: 'ITEM_THREW', index: 1 });
      expect(await rejectionOf(stream.next())).toMatchObject({ code: 'ITEM_THREW', index: 2 });
      expect(await stream.next()).toEqual({ done: false, value: 3 });
      expect(await Array.fromAsync(stream)).toEqual([4, 5]);
    });

    test('with settled: true nothing rejects for an item', async () => {
      await using pool = await open({ processes: 2 });
      const items = upTo(3).map((item) => ({ item, bad: item === 1 }));
      expect(await Array.fromAsync(pool.imap(failIfBad, items, { settled: true }))).toEqual([
        { status: 'fulfilled', index: 0, value: 0 },
        { status: 'rejected', index: 1, error: expect.objectContaining({ index: 1 }) },
        { status: 'fulfilled', index: 2, value: 2 },
      ]);
    });

    test('a next() that times out loses nothing: a later one gives that very item', async () => {
      await using pool = await open({ processes: 1 });
      const stream = pool.imap(sleepThenSay, [400, 1]);
      expect(await rejectionOf(stream.next({ timeoutMs: 20 }))).toBeInstanceOf(TimeoutError);
      expect(await stream.next()).toEqual({ done: false, value: 400 });
      expect(await stream.next({ timeoutMs: 5_000 })).toEqual({ done: false, value: 1 });
    });

    test('calls of next() that overlap are answered in order', async () => {
      await using pool = await open({ processes: 2 });
      const stream = pool.imap(sleepThenSay, [50, 0, 10]);
      const steps = await Promise.all([stream.next(), stream.next(), stream.next(), stream.next()]);
      expect(steps.map(({ value }) => value)).toEqual([50, 0, 10, undefined]);
    });

    test('an endless input is pulled no further than a window ahead of a consumer that stops', async () => {
      await using pool = await open({ processes: 2 });
      const input = endless();
      const stream = pool.imap(square, input.items);
      for (let item = 0; item < 10; item++)
        expect(await stream.next()).toEqual({ done: false, value: item ** 2 });
      await new Promise((resolve) => setTimeout(resolve, 200));
      const pulled = input.pulled();
      expect(pulled).toBeLessThanOrEqual(1_000);
      await new Promise((resolve) => setTimeout(resolve, 200));
      expect(input.pulled()).toBe(pulled);
      await stream.return();
    });

    test.each([1, 3, 10])(
      'bufferSize %i: never more than that many items are pulled and not taken',
      async (bufferSize) => {
        await using pool = await open({ processes: 2 });
        const input = endless();
        const stream = pool.imap(square, input.items, { bufferSize });
        for (let taken = 0; taken < 50; taken++) {
          expect(input.pulled() - taken).toBeLessThanOrEqual(bufferSize);
          expect(await stream.next()).toEqual({ done: false, value: taken ** 2 });
        }
        await stream.return();
      },
    );

    test('leaving the loop returns the input and cancels the rest', async () => {
      await using pool = await open({ processes: 2 });
      const input = endless();
      for await (const value of pool.imap(square, input.items)) if (value > 100) break;
      expect(input.returned()).toBe(true);
      const pulled = input.pulled();
      await eventually(
        () => pool.stats(),
        ({ queued, running }) => queued + running === 0,
      );
      expect(input.pulled()).toBe(pulled);
      expect(await pool.map(square, [2])).toEqual([4]);
    });

    test('items of a slow input are sent as they come', async () => {
      await using pool = await open({ processes: 2 });
      let release = (): void => {};
      const released = new Promise<void>((resolve) => {
        release = resolve;
      });
      async function* slow(): AsyncGenerator<number> {
        yield 2;
        await released;
        yield 3;
      }
      const stream = pool.imap(square, slow());
      expect(await stream.next({ timeoutMs: 10_000 })).toEqual({ done: false, value: 4 });
      release();
      expect(await stream.next()).toEqual({ done: false, value: 9 });
    });

    test('return() while a next() waits answers it with the end', async () => {
      await using pool = await open({ processes: 1 });
      const stream = pool.imap(sleepThenSay, [60_000]);
      const waiting = stream.next();
      await stream.return();
      expect(await waiting).toEqual({ done: true, value: undefined });
      expect(await stream.next()).toEqual({ done: true, value: undefined });
    });
  });
}
