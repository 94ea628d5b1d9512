import { expect, test } from 'vitest';
import { csvItems } from './csv.ts';
import { chunksOf, gathered } from './items.testkit.ts';
import { lineItems } from './lines.ts';
import { ndjsonItems } from './ndjson.ts';
import { utf8Only } from './utf8.ts';

const formats = [
  ['ndjson', ndjsonItems, '1\n"é€👍\uFFFD"\n', [1, 'é€👍\uFFFD']],
  ['lines', lineItems, '1\né€👍\uFFFD\n', ['1', 'é€👍\uFFFD']],
  ['csv', csvItems, 'a\né€👍\uFFFD\n', [{ a: 'é€👍\uFFFD' }]],
] as const;
const cuts = [1, 2, 3, 5, 1000];

test.each(formats)('%s: characters of every length are whole wherever the stream is cut', async (...row) => {
  const [, read, text, expected] = row;
  for (const bytes of cuts) {
    const found = await gathered(read(utf8Only(chunksOf(text, bytes), 'stdin'), 'stdin'));
    expect(found, `every ${bytes} bytes`).toEqual({ items: expected });
  }
});

test.each(formats)(
  '%s: the line that is no UTF-8 is named, and what came before it is kept',
  async (...row) => {
    const [, read, text, expected] = row;
    const wrong = [
      Buffer.from('"M\xfcller"\n4\n', 'latin1'),
      Buffer.from('"\xff"\n', 'latin1'),
      Buffer.from([0xe2, 0x82]),
      Buffer.from([0x80]),
      // A surrogate, and a line feed in more bytes than it needs.
      Buffer.from([0xed, 0xa0, 0x80, 0x0a]),
      Buffer.from([0xc0, 0x8a]),
    ];
    for (const line of wrong) {
      for (const bytes of cuts) {
        // The reader of CSV gives a row when it has seen a few bytes of what follows.
        const input = Buffer.concat([Buffer.from(`${text}${read === csvItems ? '7890\n' : ''}`), line]);
        const { items, error } = await gathered(read(utf8Only(chunksOf(input, bytes), 'in'), 'in'));
        const at = `${line.toString('hex')}, every ${bytes} bytes`;
        expect(items.slice(0, expected.length), at).toEqual(expected);
        const number = read === csvItems ? 4 : 3;
        expect(String(error), at).toContain(`in, line ${number}: it is no UTF-8. Convert the input first`);
        expect(error, at).toMatchObject({ code: 'INPUT_INVALID', facts: { line: number } });
      }
    }
  },
);
