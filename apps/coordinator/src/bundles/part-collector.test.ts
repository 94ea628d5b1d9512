import { expect, test } from 'vitest';
import { PartCollector } from './part-collector.ts';

const part = (first: number, bytes: number, more: boolean, totalBytes = 0) => ({
  first,
  count: 2,
  payload: new Uint8Array(bytes).fill(bytes),
  more,
  totalBytes,
});

test('a payload that is whole passes as it is', () => {
  const whole = part(0, 5, false);
  expect(new PartCollector(10, 'maxItemBytes', 'ITEM_TOO_LARGE').take(whole)).toBe(whole);
});

test('parts are put together when the last one is here', () => {
  const parts = new PartCollector(10, 'maxItemBytes', 'ITEM_TOO_LARGE');
  expect(parts.take(part(0, 3, true, 6))).toBeUndefined();
  expect(parts.take(part(0, 2, true))).toBeUndefined();
  expect([...(parts.take(part(0, 1, false))?.payload ?? [])]).toEqual([3, 3, 3, 2, 2, 1]);
  expect(parts.take(part(2, 4, false))?.payload.byteLength).toBe(4);
});

test('a payload over the limit is refused by its announcement, and by its bytes', () => {
  const limit = expect.objectContaining({
    code: 'LIMIT_REACHED',
    facts: expect.objectContaining({ limit: 10 }),
  });
  expect(() => new PartCollector(10, 'maxItemBytes', 'ITEM_TOO_LARGE').take(part(0, 1, true, 11))).toThrow(
    limit,
  );
  const parts = new PartCollector(10, 'maxItemBytes', 'ITEM_TOO_LARGE');
  parts.take(part(0, 8, true, 9));
  expect(() => parts.take(part(0, 8, false))).toThrow(limit);
});

test('one that is alone in its payload is named by its index', () => {
  const parts = new PartCollector(10, '--max-item-bytes', 'ITEM_TOO_LARGE');
  expect(() => parts.take({ ...part(7, 1, true, 11), count: 1 })).toThrow(
    expect.objectContaining({
      code: 'ITEM_TOO_LARGE',
      facts: { limitName: 'itemBytes', index: 7, size: '11 B', limit: '10 B', option: '--max-item-bytes' },
    }),
  );
});

test.each([
  ['ITEM_TOO_LARGE', 'itemBytes', 'Size of the items 4 to 5'],
  ['RESULT_TOO_LARGE', 'resultBytes', 'Size of the results 4 to 5'],
] as const)('several are named by what they are (%s, %s)', (code, limitName, what) => {
  const parts = new PartCollector(10, '--option', code);
  expect(() => parts.take(part(4, 1, true, 11))).toThrow(
    expect.objectContaining({ code: 'LIMIT_REACHED', facts: expect.objectContaining({ limitName, what }) }),
  );
});

test('parts that do not belong together, or do not add up, are refused', () => {
  const invalid = expect.objectContaining({ code: 'REQUEST_INVALID' });
  const mixed = new PartCollector(100, 'maxItemBytes', 'ITEM_TOO_LARGE');
  mixed.take(part(0, 1, true, 2));
  expect(() => mixed.take(part(2, 1, false))).toThrow(invalid);
  const short = new PartCollector(100, 'maxItemBytes', 'ITEM_TOO_LARGE');
  short.take(part(0, 1, true, 9));
  expect(() => short.take(part(0, 1, false))).toThrow(invalid);
});
