import { numberedLines } from './numbered-lines.ts';

/** Items from plain text: each line is a string, empty ones too. */
export async function* lineItems(
  chunks: AsyncIterable<Uint8Array>,
  source: string,
): AsyncGenerator<string, void, undefined> {
  for await (const lines of numberedLines(chunks, source)) {
    for (const { text } of lines) yield text;
  }
}
