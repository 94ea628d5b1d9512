import { createReadStream, type Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { extname } from 'node:path';
import type { Readable } from 'node:stream';
import { ShoalError } from '@shoal/errors';
import { systemReason } from '../system-reason.ts';
import type { Terminal } from '../terminal.ts';
import { usageError } from '../usage-error.ts';
import { openFifoToRead } from './fifo.ts';
import { isMeantAsRange, parseRange, rangeItems, rangeLength } from './range.ts';
import { utf8Only } from './utf8.ts';

/** The formats that items are read from. */
export const inputFormats = ['ndjson', 'csv', 'lines', 'range'] as const;

/** How the items are written in the input. */
export type InputFormat = (typeof inputFormats)[number];

type FileFormat = Exclude<InputFormat, 'range'>;

/** Where the items come from. */
export interface ItemSource {
  /** How many there are, where that is known beforehand. */
  readonly total: number | undefined;
  /** The file itself, so that nobody writes results over it. */
  readonly file: Stats | undefined;
  readonly items: Iterable<unknown> | AsyncIterable<unknown>;
  /** Stop reading, a read that waits for more included. */
  close(): void;
}

const formatsByExtension: Readonly<Record<string, FileFormat>> = {
  '.ndjson': 'ndjson',
  '.jsonl': 'ndjson',
  '.csv': 'csv',
  '.txt': 'lines',
};

/** Opens the input; a file that cannot be read and a format that cannot be told are errors before anything starts. */
export async function openItemSource(
  input: string,
  format: InputFormat | undefined,
  terminal: Terminal,
): Promise<ItemSource> {
  const range = format === undefined || format === 'range' ? parseRange(input) : undefined;
  if (range !== undefined) {
    return { total: rangeLength(range), file: undefined, items: rangeItems(range), close: () => {} };
  }
  if (format === 'range') throw usageError(`--input ${input} is no range`, 'Write it as 1..100.');
  if (input === '-') {
    if (terminal.stdin.isTTY === true) {
      terminal.stderr.write('Reading items from the terminal, one JSON value a line; Ctrl-D ends them.\n');
    }
    return fromStream(terminal.stdin, 'stdin', format ?? 'ndjson', undefined);
  }
  const file = await stat(input).catch((error: unknown) => {
    if (format === undefined && isMeantAsRange(input)) {
      throw usageError(`--input ${input} is no range of whole numbers`, 'Write it as 1..100.');
    }
    throw new ShoalError('FILE_NOT_USABLE', { path: input, reason: systemReason(error) });
  });
  if (file.isDirectory()) {
    throw new ShoalError('FILE_NOT_USABLE', { path: input, reason: 'it is a folder' });
  }
  const known = format ?? formatsByExtension[extname(input).toLowerCase()];
  if (known === undefined) {
    throw usageError(
      `The format of ${input} cannot be told by its name`,
      'Pass --input-format ndjson, csv or lines.',
    );
  }
  if (!file.isFIFO()) return fromStream(createReadStream(input), input, known, file);
  const fifo = await openFifoToRead(input).catch((error: unknown) => {
    throw new ShoalError('FILE_NOT_USABLE', { path: input, reason: systemReason(error) });
  });
  return fromStream(fifo, input, known, file);
}

async function fromStream(
  stream: Readable,
  name: string,
  format: FileFormat,
  file: Stats | undefined,
): Promise<ItemSource> {
  // A reader that nobody needs is not loaded: csv-parse alone costs 15 ms of a start that should take 350.
  const read =
    format === 'ndjson'
      ? (await import('./ndjson.ts')).ndjsonItems
      : format === 'csv'
        ? (await import('./csv.ts')).csvItems
        : (await import('./lines.ts')).lineItems;
  return {
    total: undefined,
    file,
    items: read(utf8Only(readable(stream, name), name), name),
    close: () => void stream.destroy(),
  };
}

async function* readable(stream: Readable, path: string): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    for await (const chunk of stream) yield chunk;
  } catch (error) {
    throw new ShoalError('FILE_NOT_USABLE', { path, reason: systemReason(error) }, { cause: error });
  }
}
