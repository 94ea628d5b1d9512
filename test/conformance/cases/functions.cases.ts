import { expect } from 'vitest';
import { rejectionOf } from '../pool-under-test.ts';
import { chapter } from '../specification.ts';
import { square, whereAmI } from '../work.ts';

/** The forms of a task function, and those that cannot be had. */
export const functions = chapter('functions', (specify) => {
  specify('a task function that is called directly runs here', async () => {
    expect(square(3)).toBe(9);
    expect(whereAmI()).toMatchObject({ index: undefined });
  });

  specify('a function may be the default export of a module, or a named one', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const module = new URL('../work.ts', import.meta.url);
    expect(await pool.map(module, [1, 2])).toEqual([2, 3]);
    expect(await pool.map(new URL('#square', module), [3])).toEqual([9]);
    expect(await pool.map(module, [3], { export: 'square' })).toEqual([9]);
  });

  specify('a function may be written inline if it needs nothing from outside itself', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    expect(await pool.map((x: number) => Math.sqrt(x) + 1, [4, 9])).toEqual([3, 4]);
    expect(await pool.map(async (x: number) => x * 2, [4])).toEqual([8]);
    expect(await pool.map(Math.sqrt, [16])).toEqual([4]);
  });

  specify(
    'an inline function that needs something is refused by name before anything is sent',
    async ({ open }) => {
      await using pool = await open({ processes: 1 });
      const factor = 3;
      expect(await rejectionOf(pool.map((x: number) => x * factor, [1]))).toMatchObject({
        code: 'TASK_NOT_PORTABLE',
        message: expect.stringContaining('`factor`'),
      });
    },
  );

  specify('an export that is missing is named, with those that are there', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const module = new URL('../work.ts', import.meta.url);
    expect(await rejectionOf(pool.map(module, [1], { export: 'sqaure' }))).toMatchObject({
      code: 'TASK_EXPORT_MISSING',
      message: expect.stringMatching(
        /work\.ts has no export "sqaure"\. Exports: .*square.*Did you mean square\?/,
      ),
    });
  });

  specify('a module that is missing is named', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    expect(await rejectionOf(pool.map('./no-such-file.ts', [1]))).toMatchObject({
      code: 'TASK_LOAD_FAILED',
      message: expect.stringContaining('no-such-file.ts'),
    });
  });

  specify('a module that throws when it is loaded is named, with what it threw', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const module = new URL('../fixtures/throws-at-load.ts', import.meta.url);
    const error = await rejectionOf(pool.map(module, [1, 2, 3]));
    expect(error).toMatchObject({
      code: 'TASK_LOAD_FAILED',
      message: expect.stringMatching(/throws-at-load\.ts.* the configuration is missing/),
    });
    expect(await pool.map(square, [2])).toEqual([4]);
  });

  specify('what is no function is refused by name', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    expect(await rejectionOf(pool.map(null as unknown as typeof square, [1]))).toBeInstanceOf(TypeError);
    expect(await rejectionOf(pool.apply(square, 3 as unknown as [number]))).toBeInstanceOf(TypeError);
  });

  specify('a task knows its item, its try and its job', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const [, second] = await pool.map(whereAmI, [0, 0]);
    expect(second).toMatchObject({ index: 1, attempt: 1, isSignal: true, job: 'string' });
  });
});
