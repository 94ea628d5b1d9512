import { EventEmitter } from 'node:events';
import type { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { triedLimit } from '../../../../test/limit-edges.ts';
import { PipedLines } from './piped-lines.ts';

test.each([999, 1_000, 1_001])(
  'of %i bytes in a second what comes beyond 1,000 is dropped, and counted with the option',
  (bytes) => {
    triedLimit('printBytesPerSecond', bytes, 1_000);
    const pipe = new EventEmitter();
    const said: string[] = [];
    const lines = new PipedLines(pipe as unknown as Readable, (text) => said.push(text), 1_000);
    pipe.emit('data', Buffer.from(`${'x'.repeat(bytes - 1)}\n`));
    lines.finish();
    expect(said).toEqual([
      bytes <= 1_000
        ? 'x'.repeat(bytes - 1)
        : '… 1,001 more bytes were dropped: a process may print 1000 B a second (maxPrintBytesPerSecond)',
    ]);
  },
);
