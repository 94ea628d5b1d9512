import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ItemFailure } from './gen/shoal/v1/common.ts';
import { MapResponse } from './gen/shoal/v1/job.ts';
import { FramedValues, isFramed, type MapAnswer, serializeAnswer, writeFailure } from './map-answer.ts';

const empty = { outcomes: [], prints: [], jobId: '' };

function framed(values: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(
    values.flatMap((value) => {
      const length = Buffer.alloc(4);
      length.writeUInt32LE(value.byteLength);
      return [length, value];
    }),
  );
}

function bytesOf(message: MapResponse | MapAnswer): Buffer {
  const unassembled = serializeAnswer(message);
  const bytes = Buffer.alloc(unassembled.length);
  expect(unassembled.copy(bytes, 0)).toBe(unassembled.length);
  return bytes;
}

const generated = (message: MapResponse): Buffer => Buffer.from(MapResponse.encode(message).finish());

const valuesOf = (first: number, values: readonly Uint8Array[]): MapResponse['outcomes'] =>
  values.map((value, at) => ({ index: first + at, outcome: { $case: 'value', value } }));

test('values are written from their run as the generated writer writes them from an object each', () => {
  const value = fc.oneof(
    fc.uint8Array({ maxLength: 5 }),
    fc.uint8Array({ minLength: 100, maxLength: 20_000 }),
  );
  const index = fc.oneof(fc.nat(200), fc.nat(2 ** 31 - 1), fc.integer({ min: 2 ** 31, max: 2 ** 52 }));
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 20 }), index, (values, first) => {
      const run = new FramedValues(framed(values), values.length);
      const written = [run.take(first, values.length, Number.POSITIVE_INFINITY)];
      const outcomes = valuesOf(first, values);
      expect(run.taken).toBe(values.length);
      expect(bytesOf({ ...empty, written }).equals(generated({ ...empty, outcomes }))).toBe(true);
    }),
    { numRuns: 200 },
  );
});

test('a run goes out in as many messages as its bytes and its reader ask for', () => {
  const values = Array.from({ length: 100 }, (_, at) => Buffer.alloc(100, at));
  const run = new FramedValues(framed(values), values.length);
  const read: MapResponse['outcomes'] = [];
  const counts: number[] = [];
  while (run.taken < values.length) {
    const written = [run.take(7 + run.taken, counts.length === 0 ? 3 : 100, 2_000)];
    const { outcomes } = MapResponse.decode(bytesOf({ ...empty, written }));
    counts.push(outcomes.length);
    read.push(...outcomes);
  }
  expect(counts).toEqual([3, 19, 19, 19, 19, 19, 2]);
  expect(generated({ ...empty, outcomes: read })).toEqual(
    generated({ ...empty, outcomes: valuesOf(7, values) }),
  );
});

test('values that others come before are found behind them', () => {
  const values = [5, 0, 300, 7].map((length, at) => Buffer.alloc(length, at + 1));
  for (let skip = 0; skip < values.length; skip++) {
    const run = new FramedValues(framed(values), values.length, skip);
    const { outcomes } = MapResponse.decode(run.take(10 + skip, 2, 10_000));
    expect(generated({ ...empty, outcomes })).toEqual(
      generated({ ...empty, outcomes: valuesOf(10 + skip, values.slice(skip, skip + 2)) }),
    );
  }
  expect(() => new FramedValues(framed(values), 9, 5)).toThrow(/INTERNAL|fault/);
});

test('a value that is larger than a message goes alone', () => {
  const run = new FramedValues(framed([Buffer.alloc(5_000), Buffer.alloc(1)]), 2);
  expect(run.take(0, 2, 100).byteLength).toBeGreaterThan(5_000);
  expect(run.taken).toBe(1);
});

test('failures stand between values where they belong, before prints and summary', () => {
  const failure = ItemFailure.create({ index: 1, code: 'ITEM_THREW', summary: 'TypeError: no' });
  const [before, after] = [new FramedValues(framed([Buffer.from('1')]), 1), Buffer.from('3')];
  const written = [
    before.take(0, 1, 100),
    writeFailure(1, failure),
    new FramedValues(framed([after]), 1).take(2, 1, 100),
  ];
  const summary = { succeeded: 2, failed: 1, jobId: 'j' };
  const read = MapResponse.decode(bytesOf({ ...empty, written, summary }));
  expect(read.outcomes.map(({ index, outcome }) => [index, outcome?.$case])).toEqual([
    [0, 'value'],
    [1, 'failure'],
    [2, 'value'],
  ]);
  expect(read.summary).toEqual(summary);
});

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

test.each([
  ['too few', framed([bytes(1)]), 2],
  ['too many', framed([bytes(1), bytes(2)]), 1],
  ['a length beyond the end', bytes(9, 0, 0, 0, 1), 1],
  ['half a length', bytes(1, 0), 1],
])('a run with %s is refused', (_, run, count) => {
  expect(isFramed(run, count)).toBe(false);
  expect(() => new FramedValues(run, count).take(0, count, 1_000)).toThrow(/INTERNAL|fault/);
});
