import { ItemError } from '@shoal/errors';
import { expect, test } from 'vitest';
import { errorLine, resultLine } from './output-line.ts';

test('undefined is written as null, as JSON does inside of arrays', () => {
  expect(
    [undefined, null, 0, 'a\n', { a: undefined }].map((value, index) => resultLine(value, index)),
  ).toEqual(['null', 'null', '0', '"a\\n"', '{}']);
});

test('a result that JSON cannot say is a failure that names the place', () => {
  expect(resultLine({ a: [1, { b: 2n }] }, 7)).toMatchObject({
    code: 'VALUE_NOT_PORTABLE',
    index: 7,
    message: 'Result of item 7 cannot be sent: .a[1].b is a bigint, which JSON cannot say. Send plain data.',
  });
  expect(resultLine([Object(2n)], 7)).toMatchObject({
    message: 'Result of item 7 cannot be sent: [0] is a bigint, which JSON cannot say. Send plain data.',
  });
  const cycle: Record<string, unknown> = {};
  cycle['self'] = cycle;
  expect(resultLine(cycle, 0)).toMatchObject({ message: expect.stringContaining('contains itself') });
});

test.each([
  [new Map([[1, 2]]), 'it is a Map'],
  [{ seen: new Set([1]) }, '.seen is a Set'],
  [[1, Number.NaN], '[1] is the number NaN'],
  [Number.NEGATIVE_INFINITY, 'it is the number -Infinity'],
  [{ boxed: Object(Number.NaN) }, '.boxed is the number NaN'],
  [{ at: new Date(Number.NaN) }, '.at is an invalid Date'],
  [[/x/], '[0] is a RegExp'],
  [{ bytes: new Uint8Array(2) }, '.bytes is a Uint8Array'],
  [{ why: new TypeError('no') }, '.why is a TypeError'],
  [{ why: new Error('no') }, '.why is an Error'],
])('what JSON would say wrongly is a failure too: %j', (value, place) => {
  expect(resultLine(value, 0)).toMatchObject({
    code: 'VALUE_NOT_PORTABLE',
    message: `Result of item 0 cannot be sent: ${place}, which JSON cannot say. Send plain data.`,
  });
});

test('a Date is its ISO text; boxed values and objects without a prototype are said', () => {
  const bare: Record<string, unknown> = Object.assign(Object.create(null), { a: 1 });
  expect([new Date(0), Object(1), bare].map((value) => resultLine(value, 0))).toEqual([
    '"1970-01-01T00:00:00.000Z"',
    '1',
    '{"a":1}',
  ]);
});

test('a failed item is one line with code, index, message, attempts and the function’s own error', () => {
  const error = new ItemError({
    code: 'ITEM_THREW',
    index: 3,
    task: 'square',
    attempts: [{ agent: 'agent-2', pid: 4720, ms: 5 }],
    facts: { reason: 'TypeError: bad record', where: 'square at work.ts:4:9' },
    cause: new TypeError('bad record'),
  });
  const line = errorLine(error, 'Raise --timeout.');
  expect(line).not.toContain('\n');
  expect(JSON.parse(line)).toEqual({
    error: {
      code: 'ITEM_THREW',
      index: 3,
      message: 'Raise --timeout.',
      task: 'square',
      agent: 'agent-2',
      pid: 4720,
      attempts: [{ agent: 'agent-2', pid: 4720, ms: 5 }],
      cause: { name: 'TypeError', message: 'bad record' },
    },
  });
});
