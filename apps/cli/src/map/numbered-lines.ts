import { StringDecoder } from 'node:string_decoder';
import { ShoalError } from '@shoal/errors';

/** A line of text with its number in the file, from 1. */
export interface NumberedLine {
  readonly number: number;
  readonly text: string;
}

/** A line that never ends must not fill the memory. */
const maxLineCharacters = 64 * 2 ** 20;

/**
 * Splits bytes into lines, a chunk of the file at a time, for a step per line would cost more than most functions do.
 *
 * Lines end in LF or CRLF; the last one may end with the file. A byte order mark is dropped.
 */
export async function* numberedLines(
  chunks: AsyncIterable<Uint8Array>,
  source: string,
): AsyncGenerator<NumberedLine[], void, undefined> {
  const decoder = new StringDecoder('utf8');
  let number = 0;
  let rest = '';
  for await (const chunk of chunks) {
    const text = decoder.write(chunk);
    // A long line is joined once, at its end: splitting what we have at every chunk would be quadratic.
    if (text.includes('\n')) {
      const parts = (rest + text).split('\n');
      rest = parts.pop() ?? '';
      yield parts.map((part) => numbered(++number, part));
    } else {
      rest += text;
    }
    if (rest.length > maxLineCharacters) {
      throw new ShoalError('INPUT_INVALID', {
        source,
        line: number + 1,
        reason: 'the line is longer than 64 MiB',
      });
    }
  }
  rest += decoder.end();
  if (rest !== '') yield [numbered(++number, rest)];
}

function numbered(number: number, raw: string): NumberedLine {
  const text = number === 1 && raw.startsWith('\uFEFF') ? raw.slice(1) : raw;
  return { number, text: text.endsWith('\r') ? text.slice(0, -1) : text };
}
