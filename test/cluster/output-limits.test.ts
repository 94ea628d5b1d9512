/** What is taken over of what tasks print and throw: one below each limit, at it, and one beyond, on both kinds of pool. */
import { Writable } from 'node:stream';
import { connect, Pool, type PoolOptions, PrintWriter } from 'shoal';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { triedLimit } from '../limit-edges.ts';
import { TestCluster } from './test-cluster.ts';

const cluster = new TestCluster();
beforeAll(async () => {
  await cluster.listen();
  await cluster.agent({ processes: 1 });
});
afterAll(() => cluster.stop());

/** The error that a promise rejects with, as the function threw it. */
async function thrown(promise: Promise<unknown>): Promise<Error> {
  const error = await promise.then(
    () => new Error('It did not reject.'),
    (rejection: Error) => rejection,
  );
  return error.cause as Error;
}

describe.each(['on one machine', 'on a cluster'])('%s', (where) => {
  const open = async (options: PoolOptions): Promise<Pool> =>
    where === 'on one machine'
      ? new Pool({ processes: 1, ...options })
      : ((await connect(cluster.coordinator.address, options)) as Pool);

  test('maxPrintBytesPerItem: what an item prints beyond it is dropped, counted, and told with the option', async () => {
    let said = '';
    const sink = new Writable({
      write(chunk, _, done) {
        said += String(chunk);
        done();
      },
    });
    const printer = new PrintWriter({ stdout: sink, stderr: sink });
    {
      await using pool = await open({ maxPrintBytesPerItem: 2_000, printer, onDispose: 'drain' });
      const lengths = [1_999, 2_000, 2_001];
      await pool.map((length: number) => console.log('x'.repeat(length)), lengths, { chunkSize: 1 });
      for (const length of lengths) triedLimit('printBytesPerItem', length, 2_000);
    }
    const lines = said.split('\n');
    const shown = lines.map((line) => /x+$/.exec(line)?.[0].length).filter((length) => length !== undefined);
    expect(shown.toSorted((a, b) => a - b)).toEqual([1_999, 2_000, 2_000]);
    expect(lines.filter((line) => line.includes('dropped'))).toEqual([
      expect.stringMatching(/… 1 more bytes were dropped: an item may print 2 KiB \(maxPrintBytesPerItem\)$/),
    ]);
  });

  test('maxErrorChars: a message is cut where it is longer', async () => {
    await using pool = await open({ maxErrorChars: 300 });
    for (const length of [299, 300, 301]) {
      const { message } = await thrown(
        pool.apply(
          (chars: number) => {
            throw new Error('m'.repeat(chars));
          },
          [length],
        ),
      );
      expect(message).toBe(length <= 300 ? 'm'.repeat(length) : `${'m'.repeat(300)}…`);
    }
  });

  test('maxErrorDepth: causes are followed so far, and the next one is told in words', async () => {
    await using pool = await open({ maxErrorDepth: 2 });
    const error = await thrown(
      pool.apply(() => {
        let cause = new Error('4');
        for (const message of ['3', '2', '1', '0']) cause = new Error(message, { cause });
        throw cause;
      }, []),
    );
    const names: string[] = [];
    for (let at: unknown = error; at instanceof Error; at = at.cause) names.push(at.message);
    expect(names.slice(0, 3)).toEqual(['0', '1', '2']);
    expect(names).not.toContain('3');
  });

  test('maxErrorFields: own fields beyond it are left out', async () => {
    await using pool = await open({ maxErrorFields: 3 });
    for (const count of [2, 3, 4]) {
      const error = await thrown(
        pool.apply(
          (fields: number) => {
            const own = Array.from({ length: fields }, (_, at) => [`field${at}`, at]);
            throw Object.assign(new Error('m'), Object.fromEntries(own));
          },
          [count],
        ),
      );
      const kept = Object.keys(error).filter((name) => name.startsWith('field'));
      expect(kept).toEqual(['field0', 'field1', 'field2'].slice(0, count));
    }
  });

  test('maxErrorBytes: an error that is bigger loses its fields, and is cut where they are not enough', async () => {
    await using pool = await open({ maxErrorBytes: 16_384, maxErrorChars: 65_536 });
    const error = async (field: number, message: number) =>
      thrown(
        pool.apply(
          (fieldChars: number, chars: number) => {
            throw Object.assign(new Error('m'.repeat(chars)), { field: 'f'.repeat(fieldChars) });
          },
          [field, message],
        ),
      );
    expect(await error(10_000, 10)).toMatchObject({ field: 'f'.repeat(10_000), message: 'm'.repeat(10) });
    const heavy = await error(16_384, 10);
    expect(heavy).not.toHaveProperty('field');
    expect(heavy.message).toBe('m'.repeat(10));
    const { message } = await error(1, 60_000);
    expect(message).toMatch(/^m+…$/);
    expect(message.length).toBeLessThan(16_384);
  });
});

test.each<[PoolOptions, RegExp]>([
  [{ maxPrintBytesPerItem: 1_023 }, /maxPrintBytesPerItem/],
  [{ maxPrintBytesPerSecond: 0 }, /maxPrintBytesPerSecond/],
  [{ maxErrorChars: 65_537 }, /maxErrorChars/],
  [{ maxErrorDepth: 0.5 }, /maxErrorDepth/],
  [{ maxErrorFields: 0 }, /maxErrorFields/],
  [{ maxErrorFields: 1_025 }, /maxErrorFields/],
  [{ maxErrorBytes: 16_383 }, /maxErrorBytes/],
  [{ maxErrorBytes: 1_048_577 }, /maxErrorBytes/],
])('%j is refused by name', (options, name) => {
  expect(() => new Pool(options)).toThrow(name);
});
