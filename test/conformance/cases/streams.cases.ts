import { TimeoutError } from 'shoal';
import { expect } from 'vitest';
import { endless, eventually, rejectionOf, upTo } from '../pool-under-test.ts';
import { chapter } from '../specification.ts';
import { failIfBad, sleepThenSay, square } from '../work.ts';

/** Results one by one. */
export const streams = chapter('streams', (specify) => {
  specify('imap yields the results in order', async ({ open }) => {
    await using pool = await open({ processes: 3 });
    const delays = [40, 0, 20, 1, 30, 2];
    expect(await Array.fromAsync(pool.imap(sleepThenSay, delays))).toEqual(delays);
  });

  specify('imap of 50,000 items is complete and in order', async ({ open }) => {
    await using pool = await open({ processes: 2 });
    const items = upTo(50_000);
    expect(await Array.fromAsync(pool.imap(square, items))).toEqual(items.map(square));
  });

  for (const chunkSize of [1, 3, 100]) {
    specify(`imap with a chunk size of ${chunkSize} yields what map gives`, async ({ open }) => {
      await using pool = await open({ processes: 2 });
      const items = upTo(250);
      expect(await Array.fromAsync(pool.imap(square, items, { chunkSize }))).toEqual(items.map(square));
    });
  }
  specify('imapUnordered yields each result once, the quick ones first', async ({ open }) => {
    await using pool = await open({ processes: 3 });
    // Its processes are there: their start is not what is looked at.
    await pool.map(sleepThenSay, [20, 20, 20], { chunkSize: 1 });
    const delays = [500, 0, 1, 2, 3];
    const out = await Array.fromAsync(pool.imapUnordered(sleepThenSay, delays));
    expect(out.toSorted((a, b) => a - b)).toEqual(delays.toSorted((a, b) => a - b));
    // Not that it is the last: on a busy machine a quick one may be late.
    expect(out.indexOf(500)).toBeGreaterThan(0);
  });

  specify('with one process imapUnordered keeps the order', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    expect(await Array.fromAsync(pool.imapUnordered(square, upTo(300)))).toEqual(upTo(300).map(square));
  });

  specify('the first result is there long before the input has ended', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const input = endless((index) => index);
    const stream = pool.imapUnordered(square, input.items);
    expect((await stream.next()).done).toBe(false);
    expect(input.returned()).toBe(false);
    await stream.return();
  });

  specify('a stream goes on after an item that failed', async ({ open }) => {
    await using pool = await open({ processes: 2 });
    const items = upTo(6).map((item) => ({ item, bad: item === 1 || item === 2 }));
    const stream = pool.imap(failIfBad, items, { chunkSize: 3 });
    expect(await stream.next()).toEqual({ done: false, value: 0 });
    expect(await rejectionOf(stream.next())).toMatchObject({ code: 'ITEM_THREW', index: 1 });
    expect(await rejectionOf(stream.next())).toMatchObject({ code: 'ITEM_THREW', index: 2 });
    expect(await stream.next()).toEqual({ done: false, value: 3 });
    expect(await Array.fromAsync(stream)).toEqual([4, 5]);
  });

  specify('imapUnordered goes on after items that failed', async ({ open }) => {
    await using pool = await open({ processes: 2 });
    const items = upTo(30).map((item) => ({ item, bad: item % 10 === 1 }));
    const stream = pool.imapUnordered(failIfBad, items, { chunkSize: 10 });
    const seen: unknown[] = [];
    for (const _ of items)
      seen.push(
        await stream.next().then(
          ({ value }) => value,
          ({ index }) => -index,
        ),
      );
    expect(await stream.next()).toEqual({ done: true, value: undefined });
    const wanted = upTo(30).map((item) => (item % 10 === 1 ? -item : item));
    expect(new Set(seen)).toEqual(new Set(wanted));
  });

  specify('for await stops at the first item that failed, and returns the input', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const input = endless((item) => ({ item, bad: item === 3 }));
    const seen: number[] = [];
    const loop = async (): Promise<void> => {
      for await (const value of pool.imap(failIfBad, input.items)) seen.push(value);
    };
    const stream = rejectionOf(loop());
    expect(await stream).toMatchObject({ index: 3 });
    expect(seen).toEqual([0, 1, 2]);
  });

  specify('with settled: true nothing rejects for an item', async ({ open }) => {
    await using pool = await open({ processes: 2 });
    const items = upTo(3).map((item) => ({ item, bad: item === 1 }));
    expect(await Array.fromAsync(pool.imap(failIfBad, items, { settled: true }))).toEqual([
      { status: 'fulfilled', index: 0, value: 0 },
      { status: 'rejected', index: 1, error: expect.objectContaining({ index: 1 }) },
      { status: 'fulfilled', index: 2, value: 2 },
    ]);
  });

  specify('imapUnordered with settled: true says of each outcome which item it is of', async ({ open }) => {
    await using pool = await open({ processes: 2 });
    const items = upTo(20).map((item) => ({ item, bad: item === 11 }));
    const outcomes = await Array.fromAsync(pool.imapUnordered(failIfBad, items, { settled: true }));
    expect(outcomes.map(({ index }) => index).toSorted((a, b) => a - b)).toEqual(upTo(20));
    for (const outcome of outcomes) {
      if (outcome.status === 'fulfilled') expect(outcome.value).toBe(outcome.index);
      else expect(outcome.index).toBe(11);
    }
  });

  specify('a next() that times out loses nothing: a later one gives that very item', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const stream = pool.imap(sleepThenSay, [400, 1]);
    expect(await rejectionOf(stream.next({ timeoutMs: 20 }))).toBeInstanceOf(TimeoutError);
    expect(await stream.next()).toEqual({ done: false, value: 400 });
    expect(await stream.next({ timeoutMs: 5_000 })).toEqual({ done: false, value: 1 });
  });

  specify('next() takes a time-out with any chunk size, again and again', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const stream = pool.imap(sleepThenSay, [200, 201, 202], { chunkSize: 3 });
    const seen: unknown[] = [];
    while (seen.length < 3) {
      const step = await stream.next({ timeoutMs: 40 }).catch((error: unknown) => error);
      if (step instanceof TimeoutError) continue;
      seen.push((step as IteratorResult<number>).value);
    }
    expect(seen).toEqual([200, 201, 202]);
  });

  specify('next({ timeoutMs: 0 }) takes what is there', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const stream = pool.imap(sleepThenSay, [60_000]);
    expect(await rejectionOf(stream.next({ timeoutMs: 0 }))).toBeInstanceOf(TimeoutError);
    expect(await rejectionOf(stream.next({ timeoutMs: -1 }))).toBeInstanceOf(RangeError);
    await stream.return();
  });

  specify('calls of next() that overlap are answered in order', async ({ open }) => {
    await using pool = await open({ processes: 2 });
    const stream = pool.imap(sleepThenSay, [50, 0, 10]);
    const steps = await Promise.all([stream.next(), stream.next(), stream.next(), stream.next()]);
    expect(steps.map(({ value }) => value)).toEqual([50, 0, 10, undefined]);
  });

  specify('two streams of one pool do not mix', async ({ open }) => {
    await using pool = await open({ processes: 2 });
    const squares = pool.imap(square, upTo(100));
    const cubes = pool.imap((x: number) => x ** 3, upTo(100));
    for (const item of upTo(100)) {
      expect((await squares.next()).value).toBe(item ** 2);
      expect((await cubes.next()).value).toBe(item ** 3);
    }
  });

  specify('items of a slow input are sent as they come', async ({ open }) => {
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

  specify('leaving the loop returns the input and cancels the rest', async ({ open }) => {
    await using pool = await open({ processes: 2 });
    const input = endless((index) => index);
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

  specify('return() returns an async input too', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const input = endless((index) => index);
    const stream = pool.imap(square, input.slowItems());
    await stream.next();
    await stream.return();
    await eventually(
      () => input.returned(),
      (returned) => returned,
    );
  });

  specify('return() while a next() waits answers it with the end', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const stream = pool.imap(sleepThenSay, [60_000]);
    const waiting = stream.next();
    await stream.return();
    expect(await waiting).toEqual({ done: true, value: undefined });
    expect(await stream.next()).toEqual({ done: true, value: undefined });
  });

  specify('await using closes a stream at the end of its block', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const input = endless((index) => index);
    {
      await using stream = pool.imap(square, input.items);
      await stream.next();
    }
    expect(input.returned()).toBe(true);
    await eventually(
      () => pool.stats(),
      ({ queued, running }) => queued + running === 0,
    );
  });

  for (const method of ['imap', 'imapUnordered'] as const) {
    specify(`with failFast ${method} hands out what had finished before it rejects`, async ({ open }) => {
      await using pool = await open({ processes: 1 });
      const items = upTo(30).map((item) => ({ item, bad: item === 20 }));
      const seen: number[] = [];
      const drain = async (): Promise<void> => {
        for await (const item of pool[method](failIfBad, items, { failFast: true, chunkSize: 30 }))
          seen.push(item);
      };
      expect(await rejectionOf(drain())).toMatchObject({ code: 'ITEM_THREW', index: 20 });
      expect(seen).toEqual(upTo(20));
    });
  }

  specify('with failFast a stream ends at its first failed item', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const input = endless((item) => ({ item, bad: item === 2 }));
    const stream = pool.imap(failIfBad, input.items, { failFast: true });
    const drain = async (): Promise<void> => {
      for (;;) expect((await stream.next()).value).toBeLessThan(2);
    };
    expect(await rejectionOf(drain())).toMatchObject({ index: 2 });
    expect(await stream.next()).toEqual({ done: true, value: undefined });
    expect(input.returned()).toBe(true);
  });
});
