import { Readable } from 'node:stream';
import { ShoalError } from '@shoal/errors';
import { CsvError, parse } from 'csv-parse';

/** Items from CSV with a header row: each row is an object of strings, by the names in the header. */
export async function* csvItems(
  chunks: AsyncIterable<Uint8Array>,
  source: string,
): AsyncGenerator<unknown, void, undefined> {
  const parser = parse({ bom: true, columns: (header: string[]) => checkedHeader(header, source) });
  const bytes = Readable.from(chunks);
  bytes.once('error', (error) => parser.destroy(error));
  bytes.pipe(parser);
  try {
    for await (const row of parser) yield row;
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    // csv-parse counts the lines it has read; a row that spans several is named by its last.
    const line = typeof error['lines'] === 'number' ? error['lines'] : 1;
    throw new ShoalError('INPUT_INVALID', { source, line, reason: plain(error.message) });
  } finally {
    bytes.destroy();
  }
}

function checkedHeader(header: string[], source: string): string[] {
  const twice = header.find((name, position) => header.indexOf(name) !== position);
  const reason =
    twice === undefined ? undefined : `two columns are named "${twice}"; each needs a name of its own`;
  if (reason !== undefined) throw new ShoalError('INPUT_INVALID', { source, line: 1, reason });
  return header;
}

/** `Invalid Record Length: columns length is 2, got 3 on line 3` without the line, which we name ourselves. */
const plain = (message: string): string => message.replace(/ (on|at) line \d+\b.*$/, '');
