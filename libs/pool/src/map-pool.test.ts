import { expectTypeOf, test } from 'vitest';
import type { MapPool, ResultStream, Settled } from './map-pool.ts';
import type { Job } from './surface/job.ts';

// Only its types are looked at: the compiler is what this tries.
const calls = (
  pool: MapPool,
  square: (x: number) => number,
  fetchText: (url: string) => Promise<string>,
) => ({
  map: pool.map(square, [1]),
  mapAsync: pool.map(fetchText, new Set(['a'])),
  mapInline: pool.map((x) => [x], ['a']),
  mapModule: pool.map<boolean>('./work.ts', [1], { export: 'isEven' }),
  imap: pool.imap(fetchText, ['a']),
  imapSettled: pool.imap(square, [1], { settled: true }),
  mapSettled: pool.mapSettled(square, [1]),
  starmap: pool.starmap((a: number, b: string) => `${a}${b}`, [[1, 'a']]),
  apply: pool.apply(square, [1]),
  submit: pool.submit(fetchText, ['a']),
});

type Calls = ReturnType<typeof calls>;

test('results have the type that the function returns, awaited', () => {
  expectTypeOf<Calls['map']>().toEqualTypeOf<Promise<number[]>>();
  expectTypeOf<Calls['mapAsync']>().toEqualTypeOf<Promise<string[]>>();
  expectTypeOf<Calls['mapInline']>().toEqualTypeOf<Promise<string[][]>>();
  expectTypeOf<Calls['mapModule']>().toEqualTypeOf<Promise<boolean[]>>();
  expectTypeOf<Calls['starmap']>().toEqualTypeOf<Promise<string[]>>();
  expectTypeOf<Calls['apply']>().toEqualTypeOf<Promise<number>>();
  expectTypeOf<Calls['submit']>().toEqualTypeOf<Job<string>>();
});

test('streams and settled outcomes have theirs', () => {
  expectTypeOf<Calls['imap']>().toEqualTypeOf<ResultStream<string>>();
  expectTypeOf<Calls['imapSettled']>().toEqualTypeOf<ResultStream<Settled<number>>>();
  expectTypeOf<Calls['mapSettled']>().toEqualTypeOf<Promise<Settled<number>[]>>();
});

test('items have to be what the function takes', () => {
  const refused = (pool: MapPool, square: (x: number) => number) => [
    // @ts-expect-error a string is not what square takes
    pool.map(square, ['a']),
    // @ts-expect-error an export is asked of a module only
    pool.map(square, [1], { export: 'square' }),
  ];
  expectTypeOf(refused).toBeFunction();
});
