import { expect, test } from 'vitest';
import { csvItems } from './csv.ts';
import { chunksOf, gathered } from './items.testkit.ts';

const read = (text: string) => gathered(csvItems(chunksOf(text, 3), 'data.csv'));

test('each row is an object of strings, by the names in the header', async () => {
  expect(await read('\uFEFFname,note\r\nAda,"one, ""two""\nlines"\nEmmy,\n')).toEqual({
    items: [
      { name: 'Ada', note: 'one, "two"\nlines' },
      { name: 'Emmy', note: '' },
    ],
  });
});

test('a row with a column too many or too few is named by its line', async () => {
  const { items, error } = await read('a,b\n1,2\n3\n');
  expect(items).toEqual([{ a: '1', b: '2' }]);
  expect(error).toMatchObject({ code: 'INPUT_INVALID', facts: { source: 'data.csv', line: 3 } });
});

test('two columns of one name are refused: one of them would be lost', async () => {
  const { error } = await read('a,a\n1,2\n');
  expect(String(error)).toContain('two columns are named "a"');
});
