import { ItemError, TimeoutError } from '@shoal/errors';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { triedLimit } from '../../../../test/limit-edges.ts';
import type { MapPool, ResultStream } from '../map-pool.ts';
import { task } from '../task/task.ts';
import { encodeBlock } from '../values/block-codec.ts';
import { FakeBackend } from './fake-backend.testkit.ts';
import { surfaceOver } from './surface.ts';

const double = task(import.meta, (x: number) => x * 2);

function surface(grant?: number): { pool: MapPool; backend: FakeBackend } {
  const backend = new FakeBackend(grant);
  return { pool: surfaceOver(backend, { processes: 2 }), backend };
}

function numbers(): { items: Generator<number>; pulled: () => number; returned: () => boolean } {
  let pulled = 0;
  let returned = false;
  function* generate(): Generator<number> {
    try {
      for (;;) yield pulled++;
    } finally {
      returned = true;
    }
  }
  return { items: generate(), pulled: () => pulled, returned: () => returned };
}

test('the items reach the backend in order, and its request says what was asked for', async () => {
  const { pool, backend } = surface();
  void pool.map(double, [5, 6, 7], { chunkSize: 2, retries: 1, timeoutMs: 9 });
  // On a busy machine the event loop has its turn between two blocks.
  await vi.waitFor(() => expect(backend.job.inputEnded).toBe(true), { timeout: 10_000 });
  expect(backend.job.items).toEqual([5, 6, 7]);
  expect(backend.job.request).toMatchObject({
    task: { name: 'double', kind: 'registered', ordinal: 0 },
    encoding: 'v8',
    spread: false,
    chunkSize: 2,
    totalItems: 3,
    timeoutMs: 9,
    retries: { thrown: 1, crash: 1, timeout: 1, lost: 10 },
  });
});

test('only what nobody sees before the end may be late: results that are collected without a look at how many there are', () => {
  const { pool, backend } = surface();
  const isWatched = (start: (items: number[]) => unknown): boolean => {
    void start([1, 2]);
    return backend.job.sink.isWatched;
  };
  const onProgress = (): void => {};
  expect(isWatched((items) => pool.map(double, items))).toBe(false);
  expect(isWatched((items) => pool.mapSettled(double, items))).toBe(false);
  expect(isWatched((items) => pool.map(double, items, { onProgress }))).toBe(true);
  expect(isWatched((items) => pool.imap(double, items))).toBe(true);
  expect(isWatched((items) => pool.imapUnordered(double, items))).toBe(true);
});

test('how far a submitted job is can be seen at any time', async () => {
  const { pool, backend } = surface();
  pool.submit(double, [1, 2]);
  await vi.waitFor(() => expect(backend.job.sink.isWatched).toBe(true), { timeout: 10_000 });
});

test('map puts values in their places, however they come', async () => {
  const { pool, backend } = surface();
  const out = pool.map(double, [0, 1, 2, 3]);
  backend.job.gives(2, 'c', 'd');
  backend.job.gives(0, 'a', 'b');
  backend.job.ends();
  expect(await out).toEqual(['a', 'b', 'c', 'd']);
  expect(backend.job.acknowledged).toEqual([2, 4]);
});

test('of a run that was accepted in part only that part is taken', async () => {
  const { pool, backend } = surface();
  const out = pool.map(double, [0, 1, 2]);
  backend.job.gives(0, 'a');
  backend.job.sink.values(1, 2, encodeBlock('v8', ['not meant', 'b', 'c']), 1);
  backend.job.ends();
  expect(await out).toEqual(['a', 'b', 'c']);
});

test('map waits for every item and rejects for the lowest index, also when a higher one failed first', async () => {
  const { pool, backend } = surface();
  const out = pool.map(double, [0, 1, 2]);
  backend.job.fails(2);
  backend.job.fails(1);
  backend.job.gives(0, 'a');
  backend.job.ends();
  const error = await out.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ItemError);
  expect(error).toMatchObject({ index: 1, message: expect.stringContaining('1 other succeeded.') });
});

test('an item that failed counts more than an input that failed after it', async () => {
  const { pool, backend } = surface();
  function* input(): Generator<number> {
    yield 1;
    throw new Error('input');
  }
  const out = pool.map(double, input());
  backend.job.fails(0);
  backend.job.ends();
  await expect(out).rejects.toMatchObject({ code: 'ITEM_THREW' });
});

test('with failFast the first failure rejects and cancels', async () => {
  const { pool, backend } = surface();
  const out = pool.map(double, [0, 1, 2], { failFast: true });
  backend.job.fails(1);
  await expect(out).rejects.toMatchObject({ index: 1 });
  expect(backend.job.cancelled).toBe('an item failed');
});

test('an array that is read as the job goes ends its input by an error where it has got shorter', async () => {
  const { pool, backend } = surface(2);
  class Queue extends Array<number> {}
  const queue = Queue.from([1, 2, 3]);
  const out = pool.map(double, queue);
  await pullsTo(2, () => backend.job.items.length);
  queue.length = 2;
  backend.job.gives(0, 'a', 'b');
  backend.job.sink.granted(3);
  await vi.waitFor(() => expect(backend.job.inputEnded).toBe(true), { timeout: 10_000 });
  backend.job.ends();
  await expect(out).rejects.toThrow('The array of the items has got shorter meanwhile: 2 of 3.');
});

/** It pulls so many, in slices on a machine that has no time, and none in the turns after that. */
/** A stream that nobody can read any more is dropped with its job: one that a test does not read is kept from that here. */
const held: unknown[] = [];
afterEach(() => {
  held.length = 0;
});

async function pullsTo(count: number, pulled: () => number): Promise<void> {
  await vi.waitFor(() => expect(pulled()).toBe(count), { timeout: 30_000, interval: 5 });
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(pulled()).toBe(count);
}

test('an input is pulled within the grant of the backend', async () => {
  const { pool, backend } = surface(10);
  const input = numbers();
  held.push(pool.imap(double, input.items));
  await pullsTo(10, input.pulled);
  backend.job.sink.granted(15);
  await pullsTo(15, input.pulled);
});

test('an input is pulled at most the window ahead of the consumer', async () => {
  const { pool, backend } = surface();
  const input = numbers();
  const stream = pool.imap(double, input.items, { bufferSize: 4 });
  await pullsTo(4, input.pulled);
  backend.job.gives(0, 'a', 'b', 'c', 'd');
  await pullsTo(4, input.pulled);
  await stream.next();
  await stream.next();
  await pullsTo(6, input.pulled);
});

test('an input is pulled no further than its bytes allow', async () => {
  const { pool } = surface();
  let pulled = 0;
  function* large(): Generator<Buffer> {
    for (;;) {
      pulled++;
      yield Buffer.alloc(1024 * 1024);
    }
  }
  held.push(pool.imap(double as never, large()));
  await pullsTo(16, () => pulled);
});

test('what the consumer takes is acknowledged at once when it has no more', async () => {
  const { pool, backend } = surface();
  const stream = pool.imap(double, numbers().items);
  backend.job.gives(0, 'a', 'b');
  await stream.next();
  expect(backend.job.acknowledged).toEqual([]);
  await stream.next();
  expect(backend.job.acknowledged).toEqual([2]);
});

test('a next() that timed out leaves the item to the one after it', async () => {
  vi.useFakeTimers();
  try {
    const { pool, backend } = surface();
    const stream = pool.imap(double, [1]);
    const first = stream.next({ timeoutMs: 50 }).catch((error: unknown) => error);
    const second = stream.next();
    vi.advanceTimersByTime(50);
    expect(await first).toBeInstanceOf(TimeoutError);
    backend.job.gives(0, 'a');
    expect(await second).toEqual({ done: false, value: 'a' });
  } finally {
    vi.useRealTimers();
  }
});

test('outcomes that were delivered can be taken after the job was ended, then the error comes once', async () => {
  const { pool, backend } = surface();
  const stream = pool.imap(double, [1, 2, 3]);
  backend.job.gives(0, 'a', 'b');
  backend.job.ends(new Error('over'));
  expect(await stream.next()).toEqual({ done: false, value: 'a' });
  expect(await stream.next()).toEqual({ done: false, value: 'b' });
  await expect(stream.next()).rejects.toThrow('over');
  expect(await stream.next()).toEqual({ done: true, value: undefined });
});

test('return() ends the input and cancels the job', async () => {
  const { pool, backend } = surface(5);
  const input = numbers();
  const stream = pool.imap(double, input.items);
  await stream.return();
  expect(input.returned()).toBe(true);
  expect(backend.job.cancelled).toBe('its stream was closed');
});

test('return() does not wait for an input that never answers', async () => {
  const { pool } = surface();
  const stuck = {
    [Symbol.asyncIterator]: () => ({
      next: () => new Promise<never>(() => {}),
      return: () => new Promise<never>(() => {}),
    }),
  };
  const stream = pool.imap(double, stuck);
  expect(await stream.return()).toEqual({ done: true, value: undefined });
});

test('return() waits for the return() of its input, but for no longer than a second', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    const { pool, backend } = surface(1);
    const returned = Promise.withResolvers<IteratorResult<number>>();
    const busy = {
      [Symbol.asyncIterator]: () => ({
        next: async () => ({ done: false, value: 1 }),
        return: () => returned.promise,
      }),
    };
    const stream = pool.imap(double, busy);
    await vi.waitFor(() => expect(backend.job.items).toHaveLength(1), { timeout: 10_000 });
    let answer: unknown;
    const answered = stream.return().then((step) => {
      answer = step;
    });
    await vi.advanceTimersByTimeAsync(999);
    expect(answer, 'it may close a file').toBeUndefined();
    triedLimit('inputReturnMs', 999, 1_000);
    await vi.advanceTimersByTimeAsync(1);
    await answered;
    expect(answer).toEqual({ done: true, value: undefined });
    triedLimit('inputReturnMs', 1_000, 1_000);
    await vi.advanceTimersByTimeAsync(1);
    expect(answer, 'it is answered once').toEqual({ done: true, value: undefined });
    triedLimit('inputReturnMs', 1_001, 1_000);
    // Nobody listens any more, and no rejection is left that nobody handles.
    returned.reject(new Error('too late'));
    await new Promise((resolve) => setImmediate(resolve));
  } finally {
    vi.useRealTimers();
  }
});

test('return() rejects with what the input throws when it is ended', async () => {
  const { pool } = surface(5);
  function* careless(): Generator<number> {
    try {
      for (;;) yield 1;
    } finally {
      // biome-ignore lint/correctness/noUnsafeFinally: this is the case that is tried
      throw new Error('while closing');
    }
  }
  await expect(pool.imap(double, careless()).return()).rejects.toThrow('while closing');
});

test('an item that cannot be sent keeps its place as a hole, and fails with the reason', async () => {
  const { pool, backend } = surface();
  const outcomes = pool.mapSettled(double as never, [1, () => 2, 3]);
  const items = backend.job.items;
  expect(items).toHaveLength(3);
  expect(1 in items).toBe(false);
  backend.job.gives(0, 'a');
  backend.job.fails(1, { code: 'ITEM_THREW' });
  backend.job.gives(2, 'c');
  backend.job.ends();
  expect(await outcomes).toMatchObject([
    { status: 'fulfilled' },
    {
      error: {
        code: 'VALUE_NOT_PORTABLE',
        message: 'Item 1 cannot be sent: it is a function. Send plain data.',
      },
    },
    { status: 'fulfilled' },
  ]);
});

test('what the backend refuses rejects the job', async () => {
  const { pool, backend } = surface();
  backend.refusal = new Error('no room');
  await expect(pool.map(double, [1])).rejects.toThrow('no room');
  await expect(pool.imap(double, [1]).next()).rejects.toThrow('no room');
});

test('an input whose iterator cannot be had rejects the job', async () => {
  const { pool, backend } = surface();
  const broken = {
    [Symbol.iterator]: (): Iterator<number> => {
      throw new Error('no iterator');
    },
  };
  const out = pool.map(double, broken);
  backend.job.ends();
  await expect(out).rejects.toThrow('no iterator');
});

test('imapUnordered asks for results as they finish, imap for their order', () => {
  const { pool, backend } = surface();
  void pool.imapUnordered(double, [1]);
  expect(backend.job.request.ordered).toBe(false);
  void pool.imap(double, [1]);
  expect(backend.job.request.ordered).toBe(true);
});

test('an onProgress that throws is a warning and no more', async () => {
  const warned = new Promise<Error>((resolve) => process.once('warning', resolve));
  const { pool, backend } = surface();
  const out = pool.map(double, [1], {
    onProgress: () => {
      throw new Error('careless');
    },
  });
  backend.job.gives(0, 'a');
  backend.job.ends();
  expect(await out).toEqual(['a']);
  expect((await warned).message).toMatch(/^onProgress threw: Error: careless/);
});

describe('a disposal that drains', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  /** A stream of twenty with a buffer of four whose block was left when four were on their way. */
  async function leave(
    unreadStreamMs?: number,
    before: (stream: ResultStream<number>) => unknown = () => {},
  ): Promise<{
    stream: ResultStream<number>;
    backend: FakeBackend;
    close: () => Promise<void>;
  }> {
    const backend = new FakeBackend();
    const drained = Promise.withResolvers<void>();
    backend.close = () => drained.promise;
    const pool = surfaceOver(backend, { processes: 1, onDispose: 'drain', unreadStreamMs });
    const stream = pool.imap(double, new Set(Array(20).keys()), { bufferSize: 4, chunkSize: 1 });
    // On a busy machine the event loop has its turn between two items.
    await vi.waitFor(() => expect(backend.job.items).toHaveLength(4), { timeout: 10_000 });
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    before(stream);
    const left = pool[Symbol.asyncDispose]();
    const close = (): Promise<void> => {
      drained.resolve();
      return left;
    };
    return { stream, backend, close };
  }

  /** It is left alone at the next look, and ended within `thenMs` more. */
  function expectEndedUnread(backend: FakeBackend, thenMs: number): void {
    vi.advanceTimersByTime(5_000);
    expect(backend.job.cancelled, 'it may be read yet').toBeUndefined();
    vi.advanceTimersByTime(thenMs);
    expect(backend.job.cancelled).toBe('nobody reads its stream');
  }

  test('ends a stream that waits for a reader that there is not', async () => {
    const { stream, backend, close } = await leave();
    vi.advanceTimersByTime(60_000);
    expect(backend.job.cancelled, 'items run').toBeUndefined();
    backend.job.gives(0, 'a', 'b', 'c', 'd');
    expectEndedUnread(backend, 5_000);
    await close();
    expect(await Array.fromAsync(Array(4), () => stream.next())).toMatchObject([
      { value: 'a' },
      { value: 'b' },
      { value: 'c' },
      { value: 'd' },
    ]);
    await expect(stream.next()).rejects.toMatchObject({ code: 'POOL_TERMINATED' });
  });

  /** Without timers, which stand still here. */
  async function turnsUntil(holds: () => boolean): Promise<void> {
    const deadline = performance.now() + 30_000;
    while (!holds() && performance.now() < deadline) await new Promise((resolve) => setImmediate(resolve));
    expect(holds()).toBe(true);
  }

  test('ends one of which the block had asked for a result that it did not wait for', async () => {
    let asked: unknown;
    const { stream, backend, close } = await leave(undefined, (each) => {
      asked = each.next();
    });
    backend.job.gives(0, 'a', 'b', 'c', 'd');
    expect(await asked).toMatchObject({ value: 'a' });
    await turnsUntil(() => backend.job.items.length === 5);
    backend.job.gives(4, 'e');
    expectEndedUnread(backend, 10_000);
    await stream.return?.();
    await close();
  });

  test('ends one whose results, which nobody takes, are all that is kept for it', async () => {
    const { stream, backend, close } = await leave();
    const progress = { done: 2, failed: 0, running: 0, retried: 0, speculated: 0, speculationWins: 0 };
    backend.job.gives(0, 'a', 'b');
    backend.job.sink.progress({ ...progress, running: 1, waitingFor: 'waits for memory (windowBytes)' });
    vi.advanceTimersByTime(60_000);
    expect(backend.job.cancelled, 'an item runs').toBeUndefined();
    backend.job.sink.progress({ ...progress, waitingFor: 'paused by its consumer' });
    expectEndedUnread(backend, 5_000);
    await stream.return?.();
    await close();
  });

  test('ends one that began only after the block was left', async () => {
    const drained = Promise.withResolvers<void>();
    const backend = new FakeBackend();
    backend.close = () => drained.promise;
    const pool = surfaceOver(backend, { processes: 1, onDispose: 'drain' });
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    // An inline function is looked at before its job begins.
    const stream = pool.imap((x: number) => x, new Set(Array(20).keys()), { bufferSize: 1, chunkSize: 1 });
    held.push(stream);
    const asked = stream.next();
    const left = pool[Symbol.asyncDispose]();
    await turnsUntil(() => backend.jobs[0]?.items.length === 1);
    backend.job.gives(0, 'a');
    expect(await asked).toMatchObject({ value: 'a' });
    await turnsUntil(() => backend.job.items.length === 2);
    backend.job.gives(1, 'b');
    vi.advanceTimersByTime(15_000);
    expect(backend.job.cancelled).toBe('nobody reads its stream');
    drained.resolve();
    await left;
  });

  test('waits for a reader elsewhere who had asked before the stream began, and takes its time with the answer', async () => {
    const drained = Promise.withResolvers<void>();
    const backend = new FakeBackend();
    backend.close = () => drained.promise;
    const pool = surfaceOver(backend, { processes: 1, onDispose: 'drain' });
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const stream = pool.imap((x: number) => x, new Set(Array(20).keys()), { bufferSize: 1, chunkSize: 1 });
    held.push(stream);
    const left = pool[Symbol.asyncDispose]();
    const asked = stream.next();
    await turnsUntil(() => backend.jobs[0]?.items.length === 1);
    backend.job.gives(0, 'a');
    expect(await asked).toMatchObject({ value: 'a' });
    await turnsUntil(() => backend.job.items.length === 2);
    backend.job.gives(1, 'b');
    vi.advanceTimersByTime(60_000);
    expect(backend.job.cancelled).toBeUndefined();
    await stream.return?.();
    drained.resolve();
    await left;
  });

  test.each([
    [undefined, 10_000],
    [600_000, 600_000],
    [4, 4],
  ])('with unreadStreamMs %s ends it after %i ms', async (option, ms) => {
    for (const [askAt, isEnded] of [
      [ms - 1, false],
      [ms, true],
      [ms + 1, true],
    ] as const) {
      const { stream, backend, close } = await leave(option);
      backend.job.gives(0, 'a', 'b', 'c', 'd');
      vi.advanceTimersByTime(askAt);
      await stream.next();
      vi.advanceTimersByTime(4 * ms);
      expect(backend.job.cancelled !== undefined, `asked after ${askAt} ms`).toBe(isEnded);
      triedLimit('unreadStreamMs', askAt, ms);
      await stream.return?.();
      await close();
      vi.useRealTimers();
    }
  });

  test('waits as long as it takes for a reader who has asked since then', async () => {
    const { stream, backend, close } = await leave();
    backend.job.gives(0, 'a', 'b', 'c', 'd');
    vi.advanceTimersByTime(9_000);
    expect(await stream.next()).toMatchObject({ value: 'a' });
    backend.job.gives(4, 'e');
    vi.advanceTimersByTime(600_000);
    expect(backend.job.cancelled).toBeUndefined();
    await stream.return?.();
    await close();
  });
});
