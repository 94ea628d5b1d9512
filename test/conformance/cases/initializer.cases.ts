import { InitializerError } from 'shoal';
import { expect } from 'vitest';
import { Book, rejectionOf, tally, upTo } from '../pool-under-test.ts';
import { chapter, sharesNoFiles } from '../specification.ts';
import { dieAtOnce, noteThenHang, noteThenThrow, prepare, prepared, square } from '../work.ts';

/** What runs in a process before its first task. */
export const initializer = chapter('initializer', (specify) => {
  specify('it runs with its arguments, once in each process, before the first task', async ({ open }) => {
    await using pool = await open({ processes: 2, initializer: prepare, initArgs: [{ answer: 42 }] });
    const out = await pool.map(prepared, upTo(20), { chunkSize: 1 });
    for (const { value, times } of out) expect({ value, times }).toEqual({ value: { answer: 42 }, times: 1 });
  });

  specify('it runs again in each process that takes the place of another', async ({ open }) => {
    await using pool = await open({
      processes: 1,
      maxTasksPerChild: 1,
      initializer: prepare,
      initArgs: ['ready'],
    });
    const out = await pool.map(prepared, upTo(4));
    expect(tally(out.map(({ worker }) => worker)).size).toBe(4);
    for (const { value, times } of out) expect({ value, times }).toEqual({ value: 'ready', times: 1 });
  });

  specify('it may be an inline function, and is awaited', async ({ open }) => {
    await using pool = await open({
      processes: 1,
      initializer: async (value: number) => {
        // Nobody else waits for it: an item that began before it is done would see nothing.
        await new Promise((resolve) => setTimeout(resolve, 20));
        Reflect.set(globalThis, 'conformanceValue', value);
      },
      initArgs: [7],
    });
    expect((await pool.map(prepared, [1])).map(({ value }) => value)).toEqual([7]);
  });

  specify(
    'one that throws rejects pending work with what it threw, and is not run for ever',
    async ({ open }) => {
      using book = new Book();
      await using pool = await open({ processes: 2, initializer: noteThenThrow, initArgs: [book.file] });
      const error = (await rejectionOf(pool.map(square, upTo(100)))) as InitializerError;
      expect(error).toBeInstanceOf(InitializerError);
      expect(error).toMatchObject({ code: 'INITIALIZER_FAILED' });
      expect(error.message).toContain('TypeError: no data');
      expect(error.cause).toBeInstanceOf(TypeError);
      expect(book.lines.length).toBeLessThanOrEqual(10);
    },
    sharesNoFiles,
  );

  specify(
    'one that is not done in time rejects pending work, and is not run for ever',
    async ({ open }) => {
      using book = new Book();
      await using pool = await open({
        processes: 2,
        initializer: noteThenHang,
        initArgs: [book.file],
        initializerTimeoutMs: 300,
      });
      const error = await rejectionOf(pool.map(square, upTo(100)));
      expect(error).toBeInstanceOf(InitializerError);
      expect(error).toMatchObject({ message: expect.stringContaining('(initializerTimeoutMs)') });
      expect(book.lines.length).toBeLessThanOrEqual(10);
    },
    sharesNoFiles,
  );

  specify(
    'one that leaves a rejected promise behind is INITIALIZER_FAILED, with its reason',
    async ({ open }) => {
      await using pool = await open({
        processes: 2,
        initializer: () => {
          void Promise.reject(new Error('nobody awaits me'));
        },
      });
      const error = await rejectionOf(pool.map(square, [1, 2, 3]));
      expect(error).toMatchObject({
        code: 'INITIALIZER_FAILED',
        message: expect.stringMatching(/exit code 1: .*nobody awaits me/),
      });
    },
  );

  specify('one that ends its process rejects pending work', async ({ open }) => {
    await using pool = await open({ processes: 1, initializer: dieAtOnce });
    expect(await rejectionOf(pool.map(square, upTo(3)))).toBeInstanceOf(InitializerError);
    expect(await rejectionOf(pool.imap(square, upTo(3)).next())).toBeInstanceOf(InitializerError);
  });

  specify('one that cannot be sent is refused, and what it lacks is named', async ({ open }) => {
    const outside = 1;
    // connect() says so itself; a local pool has no moment to wait for.
    const work = async (): Promise<unknown> => {
      await using pool = await open({ processes: 1, initializer: () => outside });
      return await pool.map(square, [1]);
    };
    expect(await rejectionOf(work())).toMatchObject({
      code: 'TASK_NOT_PORTABLE',
      message: expect.stringContaining('`outside`'),
    });
  });

  specify(
    'children have the part of the environment that is named, and the arguments for node',
    async ({ open }) => {
      await using pool = await open({
        processes: 1,
        env: { SHOAL_CONFORMANCE: 'yes' },
        execArgv: ['--conditions=@shoal/source', '--title=shoal-conformance'],
      });
      const seen = await pool.apply(
        () => [process.env['SHOAL_CONFORMANCE'], process.env['HOME'], process.title],
        [],
      );
      expect(seen).toEqual(['yes', undefined, 'shoal-conformance']);
    },
  );
});
