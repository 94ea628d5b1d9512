import { ItemFailure, type OutcomeBatch } from '@shoal/protocol';
import { expect, test } from 'vitest';
import { Payload, StoredFailure, StoredRun } from '../payloads/payload.ts';
import type { StoredOutcome } from './job.ts';
import { OutcomeBatches } from './outcome-batches.ts';

const values = (position: number, bytes: number, offset = 0): StoredOutcome => ({
  kind: 'values',
  position,
  first: position,
  count: 1,
  offset,
  run: new StoredRun(position - offset, 1 + offset, new Payload(new Uint8Array(bytes)), {
    runMs: 1,
    pid: 7,
    agent: 'a',
  }),
});
const failure = (position: number): StoredOutcome => ({
  kind: 'failure',
  position,
  first: position,
  count: 1,
  failure: new StoredFailure(
    new Payload(
      ItemFailure.encode(ItemFailure.fromPartial({ index: position, code: 'ITEM_THREW' })).finish(),
    ),
  ),
});

/** Batches over these outcomes, each of which is offered. */
function batchesOf(messageBytes: number, outcomes: readonly StoredOutcome[]): OutcomeBatches {
  const from = outcomes[0]?.position ?? 0;
  const batches = new OutcomeBatches(messageBytes, from, (at) =>
    outcomes.find((each) => each.position === at),
  );
  batches.offer(from + outcomes.length);
  return batches;
}

/** `@0 0 !1 2…` is a batch at position 0 with value 0, a failure of 1, and a part of 2. */
function inWords(batch: OutcomeBatch | undefined): string | undefined {
  if (batch === undefined) return undefined;
  const words = batch.outcomes.map(({ outcome }) => {
    if (outcome?.$case === 'failure') return `!${outcome.value.index}`;
    return outcome === undefined ? '?' : `${outcome.value.first}${outcome.value.more ? '…' : ''}`;
  });
  return [`@${batch.position}`, ...words].join(' ');
}

test('small outcomes share a message, in order', () => {
  const batches = batchesOf(10_000, [values(0, 10), failure(1), values(2, 10)]);
  expect([inWords(batches.take()), inWords(batches.take())]).toEqual(['@0 0 !1 2', undefined]);
});

test('outcomes are ample once they fill a message, and not any more when that has gone out', () => {
  const batches = batchesOf(100, [values(0, 60), failure(1), values(2, 60), values(3, 20)]);
  expect(batches.isAmple).toBe(true);
  batches.take();
  expect(batches.isAmple).toBe(false);
  batches.take();
  expect(batches.isAmple).toBe(false);
});

test('a message ends before it is too big', () => {
  const batches = batchesOf(100, [values(0, 60), values(1, 60), values(2, 40)]);
  expect([inWords(batches.take()), inWords(batches.take())]).toEqual(['@0 0', '@1 1 2']);
});

test('a big run goes in parts, alone or last in a message', () => {
  const batches = batchesOf(100, [values(0, 250), values(1, 10)]);
  const [first, second, third] = [batches.take(), batches.take(), batches.take()];
  expect([first, second, third].map(inWords)).toEqual(['@0 0…', '@0 0…', '@0 0']);
  const sizes = [first, second, third].map((batch) => {
    const outcome = batch?.outcomes[0]?.outcome;
    return outcome?.$case === 'run' ? [outcome.value.payload.byteLength, outcome.value.totalBytes] : [];
  });
  expect(sizes).toEqual([
    [100, 250],
    [100, 0],
    [50, 0],
  ]);
  expect(inWords(batches.take())).toBe('@1 1');
});

test('a run of which only a part was accepted says how many values to skip', () => {
  const batches = batchesOf(100, [values(5, 10, 3)]);
  expect(batches.take()?.outcomes[0]?.outcome).toMatchObject({
    value: { first: 5, count: 1, payloadSkip: 3 },
  });
});

test('what is offered later follows, and nothing before it is', () => {
  const outcomes = [values(0, 10), values(1, 10)];
  const batches = new OutcomeBatches(100, 0, (at) => outcomes[at]);
  expect([batches.empty, batches.take()]).toEqual([true, undefined]);
  batches.offer(1);
  expect([batches.empty, inWords(batches.take()), batches.empty]).toEqual([false, '@0 0', true]);
  batches.offer(2);
  expect(inWords(batches.take())).toBe('@1 1');
});

test('a reader that goes on in the middle is sent nothing before that', () => {
  const outcomes = [values(0, 10), values(1, 10), values(2, 10)];
  const batches = new OutcomeBatches(100, 2, (at) => outcomes[at]);
  batches.offer(3);
  expect(inWords(batches.take())).toBe('@2 2');
});

test('an outcome that is gone is not skipped', () => {
  const batches = batchesOf(100, [values(0, 10)]);
  batches.take();
  batches.offer(2);
  expect([batches.take(), batches.empty, batches.position]).toEqual([undefined, false, 1]);
});

test('a result that is cut is told of once, one of just the size of a message not', () => {
  let cuts = 0;
  const outcomes = [values(0, 99), values(1, 100), values(2, 101), values(3, 350)];
  const batches = new OutcomeBatches(
    100,
    0,
    (at) => outcomes[at],
    () => {
      cuts += 1;
    },
  );
  batches.offer(4);
  const seen: (readonly [string | undefined, number])[] = [];
  for (let next = batches.take(); next !== undefined; next = batches.take()) seen.push([inWords(next), cuts]);
  expect(seen).toEqual([
    ['@0 0', 0],
    ['@1 1', 0],
    ['@2 2…', 1],
    ['@2 2', 1],
    ['@3 3…', 2],
    ['@3 3…', 2],
    ['@3 3…', 2],
    ['@3 3', 2],
  ]);
});
