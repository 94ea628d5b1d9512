import { expect, test } from 'vitest';
import { type ItemBlock, PayloadStore, type ResultBytes } from './payload-store.ts';

interface Failed {
  readonly why: string;
}

const bytes = (length: number): Uint8Array => new Uint8Array(length);
const run = (first: number, count: number, length = 8) => ({ first, count, bytes: bytes(length) });

function storeWith(...counts: number[]): PayloadStore {
  const store = new PayloadStore();
  let first = 0;
  for (const count of counts) {
    store.addBlock('j', { first, count, bytes: bytes(count * 10) });
    first += count;
  }
  return store;
}

test('a shard gets the very blocks that were pushed, so that each is sent once', () => {
  const store = storeWith(5, 5);
  const [first, second] = store.blocksFor('j', 4, 2);
  expect(store.blocksFor('j', 0, 1)[0]).toBe(first);
  expect(second).toMatchObject({ first: 5, count: 5 });
});

test('items are released by ranges, bytes by blocks', () => {
  const store = storeWith(5, 5);
  expect(store.releaseItems('j', 3, 4)).toEqual([]);
  expect(store.itemBytes).toBe(100);
  expect(store.releaseItems('j', 0, 3)).toMatchObject([{ first: 0 }]);
  expect(store.itemBytes).toBe(50);
});

test('when a job ends, all of its items are released, those that were before included', () => {
  const store = storeWith(5, 5);
  store.releaseItems('j', 3, 4);
  expect(store.releaseItems('j', 0, 10)).toMatchObject([{ first: 0 }, { first: 5 }]);
  expect(store.itemBytes).toBe(0);
});

test('outcomes are delivered in the order in which the scheduler names them', () => {
  const store = new PayloadStore();
  store.keepResults('j', run(2, 2));
  store.keepFailure('j', 1, 'broken');
  store.keepResults('j', run(0, 1));
  expect(store.deliver('j', 0, 4)).toMatchObject([
    { kind: 'values', position: 0, first: 0, count: 1, offset: 0 },
    { kind: 'failure', position: 1, first: 1, count: 1, failure: 'broken' },
    { kind: 'values', position: 2, first: 2, count: 2, offset: 0 },
  ]);
});

test('of a run that was accepted in part the value before the part is counted, not cut off', () => {
  const store = new PayloadStore();
  const whole = run(0, 6);
  store.keepResults('j', whole, 4, 2);
  expect(store.deliver('j', 4, 2)).toEqual([
    { kind: 'values', position: 0, first: 4, count: 2, offset: 4, run: whole },
  ]);
});

test('G3: until it is acknowledged an outcome reads the same each time, from any position', () => {
  const store = new PayloadStore();
  store.keepResults('j', run(0, 4));
  store.keepFailure('j', 4, 'broken');
  store.deliver('j', 0, 5);
  expect(store.outcomesFrom('j', 0)).toHaveLength(2);
  expect(store.outcomesFrom('j', 3)).toMatchObject([
    { kind: 'values', position: 3, first: 3, count: 1, offset: 3 },
    { kind: 'failure', position: 4 },
  ]);
  store.releaseResults('j', 3);
  expect(store.resultBytes).toBe(8);
  store.releaseResults('j', 4);
  expect(store.resultBytes).toBe(0);
  expect(store.outcomesFrom('j', 0)).toMatchObject([{ kind: 'failure', position: 4 }]);
});

test('the failure that ended a job is found whether it was delivered or not', () => {
  const store = new PayloadStore();
  store.keepFailure('j', 7, 'broken');
  expect(store.failureOf('j', 7)).toBe('broken');
  store.deliver('j', 7, 1);
  expect(store.failureOf('j', 7)).toBe('broken');
  expect(store.failureOf('j', 8)).toBeUndefined();
});

test('delivering what was not kept is an error', () => {
  expect(() => storeWith(5).deliver('j', 0, 1)).toThrow(RangeError);
});

test('a job that is forgotten leaves nothing', () => {
  const store = storeWith(5);
  store.keepResults('j', run(0, 1));
  store.forgetJob('j');
  expect([store.itemBytes, store.resultBytes, store.blocksFor('j', 0, 5)]).toEqual([0, 0, []]);
});

test('an outcome is found by its position, with those of its run after it, until it is acknowledged', () => {
  const store = new PayloadStore();
  store.keepResults('j', run(0, 3));
  store.keepFailure('j', 3, 'no');
  store.keepResults('j', run(4, 2));
  store.deliver('j', 0, 4);
  expect(store.outcomeAt('j', 1)).toMatchObject({
    kind: 'values',
    position: 1,
    first: 1,
    count: 2,
    offset: 1,
  });
  expect(store.outcomeAt('j', 3)).toMatchObject({ kind: 'failure', position: 3, failure: 'no' });
  expect(store.outcomeAt('j', 4)).toBeUndefined();
  store.deliver('j', 4, 2);
  store.releaseResults('j', 3);
  expect(store.outcomeAt('j', 2)).toBeUndefined();
  expect(store.outcomeAt('j', 4)).toMatchObject({ kind: 'values', position: 4, first: 4 });
});

test('what is kept of a failure counts as values do, from when it is kept until its consumer has it', () => {
  const store = new PayloadStore();
  store.keepFailure('j', 1, 'broken', 100);
  store.keepFailure('j', 0, 'lost', 20);
  store.keepResults('j', run(2, 1, 3));
  expect(store.resultBytes).toBe(123);
  store.deliver('j', 0, 3);
  store.releaseResults('j', 1);
  expect(store.resultBytes).toBe(103);
  store.releaseResults('j', 2);
  expect(store.resultBytes).toBe(3);
  store.keepFailure('j', 3, 'broken', 7);
  store.forgetJob('j');
  expect(store.resultBytes).toBe(0);
});

test('whoever watches hears of each payload once when it comes and once when it goes', () => {
  const heard: string[] = [];
  const word = (payload: ItemBlock | ResultBytes | Failed) =>
    'why' in payload ? payload.why : `${payload.first}+${payload.count}`;
  const store = new PayloadStore<ResultBytes, Failed>({
    held: (job, payload) => heard.push(`${job} has ${word(payload)}`),
    gone: (job, payload) => heard.push(`${job} lost ${word(payload)}`),
  });
  store.addBlock('j', { first: 0, count: 5, bytes: bytes(10) });
  store.addBlock('j', { first: 5, count: 5, bytes: bytes(10) });
  store.keepResults('j', run(0, 5));
  store.keepResults('j', run(5, 2));
  store.keepFailure('j', 7, { why: 'it threw' }, 30);
  store.keepFailure('j', 8, { why: 'it died' }, 30);
  store.deliver('j', 0, 8);
  store.releaseItems('j', 0, 5);
  store.releaseResults('j', 8);
  store.forgetJob('j');
  expect(heard).toEqual([
    'j has 0+5',
    'j has 5+5',
    'j has 0+5',
    'j has 5+2',
    'j has it threw',
    'j has it died',
    'j lost 0+5',
    'j lost 0+5',
    'j lost 5+2',
    'j lost it threw',
    'j lost 5+5',
    'j lost it died',
  ]);
  expect([store.itemBytes, store.resultBytes]).toEqual([0, 0]);
});
