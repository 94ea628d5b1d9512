import { ShoalError } from '@shoal/errors';
import { numberedLines } from './numbered-lines.ts';

/** Items from NDJSON: one JSON value a line. Empty lines are no items. */
export async function* ndjsonItems(
  chunks: AsyncIterable<Uint8Array>,
  source: string,
): AsyncGenerator<unknown, void, undefined> {
  for await (const lines of numberedLines(chunks, source)) {
    for (const { number, text } of lines) {
      if (text.trim() !== '') yield parseLine(text, number, source);
    }
  }
}

function parseLine(text: string, line: number, source: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const start = text.length > 40 ? `${text.slice(0, 40)}…` : text;
    const reason = `no JSON value: ${start} (${(error as SyntaxError).message})`;
    throw new ShoalError('INPUT_INVALID', { source, line, reason });
  }
}
