import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type OpenPool, upTo } from './pool-under-test.ts';
import { behave, type Deed, echo } from './work.ts';

/** What becomes of an item: the deed that its function does, as a plain call would have to answer for it. */
const deed: fc.Arbitrary<Deed> = fc.oneof(
  { weight: 12, arbitrary: fc.integer().map((item) => ({ item })) },
  { weight: 2, arbitrary: fc.integer().map((item) => ({ item, how: 'throw' as const })) },
  { weight: 1, arbitrary: fc.integer().map((item) => ({ item, how: 'throw once' as const })) },
  { weight: 1, arbitrary: fc.integer().map((item) => ({ item, how: 'die once' as const })) },
);

const setting = fc.record({
  deeds: fc.array(deed, { maxLength: 60 }),
  chunkSize: fc.oneof(fc.constant('auto' as const), fc.integer({ min: 1, max: 70 })),
  processes: fc.integer({ min: 1, max: 3 }),
  maxTasksPerChild: fc.option(fc.integer({ min: 2, max: 40 }), { nil: undefined }),
  bufferSize: fc.option(fc.integer({ min: 1, max: 100 }), { nil: undefined }),
});

/** What `deeds.map(behave)` would give where each call is caught on its own. */
const expected = (deeds: readonly Deed[]): unknown[] =>
  deeds.map(({ item, how }) => (how === 'throw' ? `bad ${item}` : item));

/** Values that structured clone carries, at any depth. */
const value: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  leaf: fc.oneof(
    fc.constantFrom(undefined, null, Number.NaN, -0, Infinity, true, /a+b/giu, new Error('a value')),
    fc.integer(),
    fc.double(),
    fc.string({ unit: 'binary' }),
    fc.bigInt(),
    fc.date({ noInvalidDate: false }),
    fc.uint8Array(),
    fc.int16Array(),
    fc.float64Array(),
    fc.bigInt64Array(),
  ),
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    tie('leaf'),
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(fc.string(), tie('value'), { maxKeys: 5, noNullPrototype: true }),
    fc.array(fc.tuple(tie('value'), tie('value')), { maxLength: 4 }).map((pairs) => new Map(pairs)),
    fc.array(tie('value'), { maxLength: 4 }).map((elements) => new Set(elements)),
    // A value that holds itself.
    fc.dictionary(fc.string(), tie('value'), { maxKeys: 3 }).map((fields) => {
      const circle: Record<string, unknown> = { ...fields };
      circle['self'] = circle;
      return circle;
    }),
  ),
})).value;

/** A failing run prints its seed and the smallest case that still fails. */
export function propertyCases(open: OpenPool, { runs }: { readonly runs: number }): void {
  describe('whatever is mapped', () => {
    test('pool.map(f, xs) equals xs.map(f), whatever the chunks, processes, limits and faults', async () => {
      await fc.assert(
        fc.asyncProperty(setting, async ({ deeds, chunkSize, processes, maxTasksPerChild, bufferSize }) => {
          await using pool = await open({ processes, maxTasksPerChild, stdio: 'ignore' });
          const options = { chunkSize, bufferSize, retries: { thrown: 1, crash: 2 } };
          const outcomes = await pool.mapSettled(behave, deeds, options);
          expect(outcomes.map(({ index }) => index)).toEqual(upTo(deeds.length));
          const seen = outcomes.map((outcome) =>
            outcome.status === 'fulfilled' ? outcome.value : (outcome.error.cause as Error).message,
          );
          expect(seen).toEqual(expected(deeds));
        }),
        { numRuns: runs, interruptAfterTimeLimit: 20_000, markInterruptAsFailure: false },
      );
    });

    test('a value comes back as it was, whatever it is', async () => {
      await using pool = await open({ processes: 1 });
      await fc.assert(
        fc.asyncProperty(fc.array(value, { maxLength: 20 }), async (values) => {
          expect(await pool.map(echo, values)).toStrictEqual(values);
        }),
        { numRuns: 5 * runs, interruptAfterTimeLimit: 15_000, markInterruptAsFailure: false },
      );
    });
  });
}
