import { expect, test } from 'vitest';
import type { MapPool } from '../map-pool.ts';
import { task } from '../task/task.ts';
import { FakeBackend } from './fake-backend.testkit.ts';
import { surfaceOver } from './surface.ts';

const double = task(import.meta, (x: number) => x * 2);

type OnDispose = 'terminate' | 'drain';

/** A pool whose children take their time to go. */
function surface(onDispose: OnDispose): { pool: MapPool; backend: FakeBackend; gone: () => void } {
  const backend = new FakeBackend();
  const { promise, resolve } = Promise.withResolvers<void>();
  backend.close = () => promise;
  const end = backend.terminate.bind(backend);
  backend.terminate = (error) => end(error).then(() => promise);
  return { pool: surfaceOver(backend, { processes: 1, onDispose }), backend, gone: resolve };
}

/** Node looks for rejections that nobody handles after each turn of the event loop. */
async function someTurns(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** For what Node would have ended a program. */
async function unhandledIn(deed: () => Promise<unknown>): Promise<unknown[]> {
  const listeners = process.listeners('unhandledRejection');
  const unhandled: unknown[] = [];
  process.removeAllListeners('unhandledRejection');
  process.on('unhandledRejection', (reason) => unhandled.push(reason));
  try {
    await deed();
    await someTurns();
  } finally {
    process.removeAllListeners('unhandledRejection');
    for (const listener of listeners) process.on('unhandledRejection', listener);
  }
  return unhandled;
}

const ways: Readonly<Record<string, (pool: MapPool) => Promise<unknown>>> = {
  map: (pool) => pool.map(double, [1]),
  starmap: (pool) => pool.starmap(double, [[1]]),
  apply: (pool) => pool.apply(double, [1]),
  mapSettled: (pool) => pool.mapSettled(double, [1]),
  'an inline function': (pool) => pool.map((x: number) => x, [1]),
  'result() of submit': (pool) => pool.submit(double, [1]).result(),
  'next() of imap': (pool) => pool.imap(double, [1]).next(),
  'next() of imapUnordered': (pool) => pool.imapUnordered(double, [1]).next(),
  'bad options': (pool) => pool.map(double, [1], { chunkSize: 0 }),
  'next() with bad options': (pool) => pool.imap(double, [1], { chunkSize: 0 }).next(),
  'next() with a bad option of its own': (pool) => pool.imap(double, [1]).next({ timeoutMs: -1 }),
};

for (const onDispose of ['terminate', 'drain'] as const) {
  test.each(Object.entries(ways))(
    `a promise of %s that is open when a disposal begins ends no program, and tells who asks later: ${onDispose}`,
    async (_, begin) => {
      const { pool, backend, gone } = surface(onDispose);
      let open: Promise<unknown> = Promise.resolve();
      const deed = async (): Promise<void> => {
        open = begin(pool);
        const disposed = pool[Symbol.asyncDispose]();
        await someTurns();
        if (onDispose === 'drain') for (const job of backend.jobs) job.ends(new Error('lost'));
        await someTurns();
        gone();
        await disposed;
      };
      expect(await unhandledIn(deed)).toEqual([]);
      await expect(open).rejects.toThrow(/lost|terminated|chunkSize|timeoutMs/);
    },
  );
}

test('nor does a failure that is there already when a block returns it', async () => {
  const { pool, backend, gone } = surface('terminate');
  const stream = pool.imap(double, [1, 2]);
  backend.job.fails(0);
  backend.job.ends(new Error('lost'));
  let open: Promise<unknown>[] = [];
  const deed = async (): Promise<void> => {
    open = [stream.next(), stream.next()];
    const disposed = pool[Symbol.asyncDispose]();
    await someTurns();
    gone();
    await disposed;
  };
  expect(await unhandledIn(deed)).toEqual([]);
  expect(await Promise.allSettled(open)).toMatchObject([
    { reason: { code: 'ITEM_THREW' } },
    { reason: { message: 'lost' } },
  ]);
});

/** A stream that nobody holds any more is cancelled. */
const held: unknown[] = [];

/** What becomes of a block of a pool that returns the second of two promises once it has seen the first. */
async function returnSecond(
  onDispose: OnDispose,
  begin: (pool: MapPool) => [Promise<unknown>, Promise<unknown>],
  settle: (backend: FakeBackend) => void,
): Promise<{ unhandled: unknown[]; caught: unknown }> {
  const { pool, backend, gone } = surface(onDispose);
  const block = async (): Promise<unknown> => {
    await using _ = pool;
    const [first, second] = begin(pool);
    await Promise.allSettled([first]);
    return second;
  };
  let caught: unknown;
  const deed = async (): Promise<void> => {
    const left = block().catch((error: unknown) => {
      caught = error;
    });
    await someTurns();
    settle(backend);
    await someTurns();
    gone();
    await left;
  };
  return { unhandled: await unhandledIn(deed), caught };
}

test.each(['terminate', 'drain'] as const)(
  'nor does a failure that arrives with what the block waits for: a next() behind another one (%s)',
  async (onDispose) => {
    const begin = (pool: MapPool): [Promise<unknown>, Promise<unknown>] => {
      const stream = pool.imap(double, [1, 2]);
      held.push(stream);
      return [stream.next(), stream.next()];
    };
    const fails = await returnSecond(onDispose, begin, ({ job }) => {
      job.gives(0, 2);
      job.fails(1);
    });
    expect(fails).toMatchObject({ unhandled: [], caught: { code: 'ITEM_THREW' } });
    const ends = await returnSecond(onDispose, begin, ({ job }) => {
      job.gives(0, 2);
      job.ends(new Error('lost'));
    });
    expect(ends).toMatchObject({ unhandled: [], caught: { message: 'lost' } });
  },
);

const jobs: Readonly<Record<string, (pool: MapPool) => Promise<unknown>>> = {
  map: (pool) => pool.map(double, [1]),
  apply: (pool) => pool.apply(double, [1]),
  mapSettled: (pool) => pool.mapSettled(double, [1]),
  'result() of submit': (pool) => pool.submit(double, [1]).result(),
  'next() of imap': (pool) => {
    const stream = pool.imap(double, [1]);
    held.push(stream);
    return stream.next();
  },
};

for (const onDispose of ['terminate', 'drain'] as const) {
  test.each(Object.entries(jobs))(
    `nor do two jobs that are lost in one turn, of which the block has looked at the first: %s, ${onDispose}`,
    async (_, begin) => {
      const left = await returnSecond(
        onDispose,
        (pool) => [begin(pool), begin(pool)],
        (backend) => {
          for (const job of backend.jobs) job.ends(new Error('lost'));
        },
      );
      expect(left).toMatchObject({ unhandled: [], caught: { message: 'lost' } });
    },
  );
}

test('what rejects before a disposal and is handled by nobody is for Node to judge', async () => {
  const { pool, backend } = surface('terminate');
  const deed = async (): Promise<void> => {
    void pool.map(double, [1]);
    backend.job.ends(new Error('lost'));
    void pool.submit(double, [1]).result();
    await someTurns();
    backend.job.ends(new Error('lost too'));
    await someTurns();
    const stream = pool.imap(double, [1]);
    backend.job.fails(0);
    void stream.next();
  };
  expect(await unhandledIn(deed)).toMatchObject([
    { message: 'lost' },
    { message: 'lost too' },
    { code: 'ITEM_THREW' },
  ]);
});

test('while a disposal terminates, what a block made of a promise rejects only as that ends', async () => {
  const { pool, gone } = surface('terminate');
  const total = async (): Promise<number> => (await pool.map(double, [1])).length;
  const returns = async (): Promise<number> => {
    await using _ = pool;
    return total();
  };
  let caught: unknown;
  const deed = async (): Promise<void> => {
    const returned = returns().catch((error: unknown) => {
      caught = error;
    });
    await someTurns();
    expect(caught).toBeUndefined();
    gone();
    await returned;
  };
  expect(await unhandledIn(deed)).toEqual([]);
  expect(caught).toMatchObject({ code: 'POOL_TERMINATED' });
});

test('while a disposal drains, a failure is told at once: the disposal may wait for whoever is to hear of it', async () => {
  const { pool, backend, gone } = surface('drain');
  const failed = pool.map(double, [1]);
  const disposed = pool[Symbol.asyncDispose]();
  backend.job.ends(new Error('lost'));
  await expect(failed).rejects.toThrow('lost');
  gone();
  await disposed;
});
