import { expect, test } from 'vitest';
import { UserIds } from './user-ids.ts';

test('children of one key share a user, and those of another key have another one', () => {
  const uids = new UserIds(500, 502);
  expect([uids.take('a'), uids.take('b'), uids.take('a')]).toEqual([
    { uid: 500, isNew: true },
    { uid: 501, isNew: true },
    { uid: 500, isNew: false },
  ]);
});

test('there are as many keys at once as users', () => {
  const uids = new UserIds(500, 501);
  expect(['a', 'b', 'c', 'b'].map((key) => uids.take(key)?.uid)).toEqual([500, 501, undefined, 501]);
});

test('a user is free when the last child of its key is gone and nothing of it runs, and is taken up last', () => {
  const uids = new UserIds(500, 502);
  uids.take('a');
  uids.take('a');
  expect(uids.leave('a')).toBeUndefined();
  expect(uids.leave('a')).toBe(500);
  expect(['b', 'c', 'd'].map((key) => uids.take(key)?.uid)).toEqual([501, 502, undefined]);
  uids.free(500);
  expect(uids.take('d')).toEqual({ uid: 500, isNew: true });
});
