/** What becomes of each item of a chunk: its value, its error, its place. */
import { expect, test } from 'vitest';
import { blockOf } from './child-pool.testkit.ts';
import { poolsOfTests } from './test-pools.testkit.ts';

const pool = poolsOfTests();
const one = (how: string, more: object = {}): object => ({ how, ...more });

test('every item of a chunk has its value, in its place', async () => {
  const items = Array.from({ length: 5_000 }, (_, i) => i);
  const { values, ending } = await pool(1).run('addOne', items);
  expect(ending).toEqual({ kind: 'finished' });
  expect(items.map((i) => values.get(i))).toEqual(items.map((i) => i + 1));
});

test('a chunk may begin and end inside blocks', async () => {
  const blocks = [blockOf([0, 1, 2], 0), blockOf([3, 4], 3), blockOf([5, 6, 7], 5)];
  const { values } = await pool(1).run('addOne', [], { first: 2, count: 4, blocks });
  expect([...values]).toEqual([
    [2, 3],
    [3, 4],
    [4, 5],
    [5, 6],
  ]);
});

test('an item that is tried again is as it was sent, whatever the first try did to it', async () => {
  const p = pool(1);
  const blocks = [blockOf([{ list: [1] }])];
  const source = '(item) => { item.list.push(2); return item.list.length; }';
  const task = { kind: 'inline', name: 'push', source } as const;
  await p.run(task, [], { count: 1, blocks });
  const { values } = await p.run(task, [], { count: 1, blocks });
  expect(values.get(0)).toBe(2);
});

test('a function that throws fails its item alone, with name, message, code, fields, cause and stack', async () => {
  const { values, failures, ending } = await pool(1).run('misbehave', [one('ok'), one('error'), one('ok')]);
  expect(ending).toEqual({ kind: 'finished' });
  expect([...values.keys()]).toEqual([0, 2]);
  expect(failures.get(1)).toMatchObject({
    code: 'ITEM_THREW',
    retryable: true,
    summary: 'TypeError: bad record',
    data: {
      name: 'TypeError',
      message: 'bad record',
      code: 'E_BAD',
      fields: { row: 7 },
      cause: { message: 'deep' },
    },
  });
  expect(failures.get(1)?.data.stack).toContain('child-tasks.ts');
  expect(failures.get(1)?.data.stack).not.toContain('item-runner');
});

test('anything may be thrown', async () => {
  const { failures } = await pool(1).run('misbehave', [one('string'), one('undefined'), one('proxy')]);
  expect(failures.get(0)?.data.thrown).toEqual({ value: 'a string' });
  expect(failures.get(1)?.data.thrown).toEqual({ value: undefined });
  expect(failures.get(2)?.data).toMatchObject({ name: 'Proxy', thrown: { description: expect.any(String) } });
});

test('a result that cannot travel is an error of its item, with the path of the culprit', async () => {
  const { values, failures } = await pool(1).run('misbehave', [one('function'), one('ok'), one('url')]);
  expect([...values.keys()]).toEqual([1]);
  const fields = (index: number) => failures.get(index)?.data.fields;
  expect(failures.get(0)?.code).toBe('VALUE_NOT_PORTABLE');
  expect(fields(0)).toMatchObject({ path: '.callbacks[0]', kind: 'a function' });
  expect(fields(2)).toMatchObject({ path: 'it', kind: 'a URL' });
});

test('a result in JSON that would be null inside is an error of its item, and no value', async () => {
  const source =
    '(x) => [x, new Float64Array([1, NaN]), { toJSON: () => ({ rate: NaN }) }, [Object(NaN)]][x]';
  const task = { kind: 'inline', name: 'pick', source } as const;
  const { values, failures } = await pool(1).run(task, [0, 1, 2, 3], { encoding: 'json' });
  expect([...values]).toEqual([[0, 0]]);
  const paths = [1, 2, 3].map((index) => failures.get(index)?.data.fields?.['path']);
  expect(paths).toEqual(['[1]', '.toJSON().rate', '[0]']);
});

test('an item that is no JSON fails alone, without a call of the function', async () => {
  const texts = ['{a}', '2', '', '4', '"\xfc"'].map((text) => Buffer.from(text, 'latin1'));
  // Records of JSON and of bytes are framed alike.
  const blocks = [blockOf(texts, 0, 'bytes')];
  const { values, failures, ending } = await pool(1).run('addOne', [], {
    count: 5,
    blocks,
    encoding: 'json',
  });
  expect(ending).toEqual({ kind: 'finished' });
  expect([...values]).toEqual([
    [1, 3],
    [3, 5],
  ]);
  const failure = { code: 'VALUE_NOT_PORTABLE', retryable: false };
  expect(failures.get(0)).toMatchObject({
    ...failure,
    data: { fields: { what: 'Item 0', path: 'it', kind: expect.stringMatching(/^no JSON \(.*'\}'/) } },
  });
  expect(failures.get(2)).toMatchObject({
    ...failure,
    summary: 'Item 2 cannot be sent: it is no JSON (Unexpected end of JSON input). Send plain data.',
  });
  expect(failures.get(4)).toMatchObject({
    ...failure,
    summary: 'Item 4 cannot be sent: it is no JSON (bytes that are no UTF-8). Send plain data.',
  });
  expect(failures.size).toBe(3);
});

test('a block that is none fails its items, and the process goes on', async () => {
  const p = pool(1);
  const blocks = [{ first: 0, count: 2, bytes: Buffer.from('hello') }];
  const { values, failures, ending } = await p.run('addOne', [], { count: 2, blocks });
  expect(ending).toEqual({ kind: 'finished' });
  expect([...values]).toEqual([]);
  for (const index of [0, 1]) {
    expect(failures.get(index)).toMatchObject({
      code: 'VALUE_NOT_PORTABLE',
      retryable: false,
      summary: expect.stringMatching(
        /^Item \d cannot be sent: its block is no list of 2 values \(.+\)\. Send/,
      ),
    });
  }
  expect((await p.run('addOne', [1])).values.get(0)).toBe(2);
});

test('a result over the limit is an error of its item', async () => {
  const options = { maxResultBytes: 1_000_000 };
  const { values, failures } = await pool(1).run('misbehave', [one('ok'), one('big')], options);
  expect([...values.keys()]).toEqual([0]);
  expect(failures.get(1)).toMatchObject({
    code: 'RESULT_TOO_LARGE',
    data: { fields: { limit: '976.6 KiB' } },
  });
});

test('retryOn decides by name, by code or by predicate, where the error is', async () => {
  const p = pool(1);
  const retryable = async (retryOn: { names: string[] } | { source: string }): Promise<unknown> =>
    (await p.run('misbehave', [one('error')], { retryOn })).failures.get(0)?.retryable;
  expect(await retryable({ names: ['TypeError'] })).toBe(true);
  expect(await retryable({ names: ['E_BAD'] })).toBe(true);
  expect(await retryable({ names: ['RangeError'] })).toBe(false);
  expect(await retryable({ source: '(error) => error.row === 7' })).toBe(true);
  expect(await retryable({ source: '(error) => error.missing.field' })).toBe(false);
});

test('arguments are spread, and items come as JSON and as bytes too', async () => {
  const p = pool(1);
  expect((await p.run('sum', [[1, 2]], { spread: true })).values.get(0)).toBe(3);
  const json = await p.run('sum', [[3, 4]], { spread: true, encoding: 'json' });
  expect(json.values.get(0)).toBe(7);
  const task = { kind: 'inline', name: 'reverse', source: '(bytes) => bytes.toReversed()' } as const;
  const bytes = await p.run(task, [Buffer.from('abc')], { encoding: 'bytes' });
  expect(String(bytes.values.get(0))).toBe('cba');
});

test('current() shows index, attempt and job inside an async function', async () => {
  const { values } = await pool(1).run('showCurrent', [0, 0], { first: 7, tryNumber: 3 });
  expect(values.get(8)).toEqual({ index: 8, attempt: 3, job: 'job', aborted: false });
});

test('several items of one child wait side by side', async () => {
  const items = Array.from({ length: 20 }, () => ({ name: 'it', ms: 300 }));
  const p = pool(1);
  const { values } = await p.run('printAndWait', items, { concurrentTasksPerChild: 10 });
  expect(values.size).toBe(20);
  const texts = p.prints.map(({ text }) => text);
  expect(texts.slice(0, 10)).toEqual(Array.from({ length: 10 }, () => 'start it'));
});
