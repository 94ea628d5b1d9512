import { Pool as ActualPool, PrintWriter as ActualWriter } from '@shoal/pool';
import { expect, test } from 'vitest';
import * as child from './child.ts';
import * as full from './index.ts';

test('a child has every name that shoal exports', () => {
  expect(Object.keys(child).sort()).toEqual(Object.keys(full).sort());
});

test('errors and task() are the very same ones', () => {
  const { connect, Pool, PrintWriter, ...same } = child;
  for (const [name, value] of Object.entries(same)) expect(value, name).toBe(Reflect.get(full, name));
  expect([connect.length, Pool.name, PrintWriter.name]).toEqual([2, 'Pool', 'PrintWriter']);
});

test('what stands for a class makes its instances, and can be extended', async () => {
  await using pool = new child.Pool({ processes: 1 });
  expect(pool).toBeInstanceOf(child.Pool);
  expect(await pool.map((x: number) => x + 1, [1])).toEqual([2]);
  class Own extends child.PrintWriter {
    readonly own = true;
  }
  expect(new Own()).toMatchObject({ own: true });
  expect(new Own()).toBeInstanceOf(Own);
  expect([new Own() instanceof child.PrintWriter, pool instanceof child.PrintWriter]).toEqual([true, false]);
  expect([ActualPool.name, ActualWriter.name]).toEqual([child.Pool.name, child.PrintWriter.name]);
});
