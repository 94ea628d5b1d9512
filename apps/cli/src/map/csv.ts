import { ShoalError } from '@shoal/errors';
import { CsvError, parse } from 'csv-parse';

/** Items from CSV with a header row: each row is an object of strings, by the names in the header. */
export async function* csvItems(
  chunks: AsyncIterable<Uint8Array>,
  source: string,
): AsyncGenerator<unknown, void, undefined> {
  let rows: unknown[] = [];
  let failure: unknown;
  const parser = parse({
    bom: true,
    record_delimiter: ['\r\n', '\n'],
    columns: (header: string[]) => checkedHeader(header, source),
    // Rows are taken from here and not from the stream: a stream that fails drops what it has read.
    on_record: (row: unknown) => {
      rows.push(row);
      return null;
    },
  });
  parser.on('error', (error) => {
    failure = error;
  });
  parser.resume();
  const taken = (): unknown[] => {
    const complete = rows;
    rows = [];
    return complete;
  };
  for await (const chunk of chunks) {
    await new Promise<void>((resolve) => parser.write(chunk, () => resolve()));
    yield* taken();
    if (failure !== undefined) throw inputError(failure, source);
  }
  await new Promise<void>((resolve) => parser.end(() => resolve()));
  yield* taken();
  if (failure !== undefined) throw inputError(failure, source);
}

function inputError(error: unknown, source: string): unknown {
  if (!(error instanceof CsvError)) return error;
  // csv-parse counts the lines it has read; a row that spans several is named by its last.
  const line = typeof error['lines'] === 'number' ? error['lines'] : 1;
  return new ShoalError('INPUT_INVALID', { source, line, reason: plain(error.message) });
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
