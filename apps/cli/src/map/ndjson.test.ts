import { expect, test } from 'vitest';
import { chunksOf, gathered } from './items.testkit.ts';
import { lineItems } from './lines.ts';
import { ndjsonItems } from './ndjson.ts';

const text = '\uFEFF{"name":"Zoë"}\r\n\n  \n[1,2]\n"ende"';

test.each([1, 2, 3, 7, 1000])(
  'values are the same wherever the stream is cut (every %d bytes)',
  async (bytes) => {
    const { items, error } = await gathered(ndjsonItems(chunksOf(text, bytes), 'stdin'));
    expect({ items, error }).toEqual({ items: [{ name: 'Zoë' }, [1, 2], 'ende'], error: undefined });
  },
);

test('a line that is no JSON is named by its number in the file, empty lines counted; what came before it is kept', async () => {
  const { items, error } = await gathered(ndjsonItems(chunksOf('1\n\n2\nthree\n4\n', 4), 'in.ndjson'));
  expect(items).toEqual([1, 2]);
  expect(error).toMatchObject({ code: 'INPUT_INVALID', facts: { source: 'in.ndjson', line: 4 } });
  expect(String(error)).toContain('in.ndjson, line 4: no JSON value: three');
});

test('plain lines are strings as they are, empty ones too', async () => {
  const { items } = await gathered(lineItems(chunksOf('a\r\n\n b \nc', 2), 'stdin'));
  expect(items).toEqual(['a', '', ' b ', 'c']);
});

test('a line that never ends is refused before it fills the memory', async () => {
  async function* endless(): AsyncGenerator<Uint8Array, void, undefined> {
    const chunk = Buffer.alloc(8 * 2 ** 20, 'x');
    for (;;) yield chunk;
  }
  const { error } = await gathered(lineItems(endless(), 'stdin'));
  expect(String(error)).toContain('stdin, line 1: the line is longer than 64 MiB');
});
