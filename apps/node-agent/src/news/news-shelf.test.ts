import type { DataRequest, FailedTry, ResultRun } from '@shoal/protocol';
import { expect, test } from 'vitest';
import type { Piece } from '../core/agent-command.ts';
import { type News, NewsShelf } from './news-shelf.ts';

const finished = { ended: { ending: { $case: 'finished' as const, value: {} } } };
const run = (first: number, bytes = 10): { run: ResultRun } => ({
  run: {
    first,
    count: 1,
    payload: new Uint8Array(bytes).fill(first),
    payloadSkip: 0,
    more: false,
    totalBytes: 0,
    runMs: 1,
    pid: 7,
    agent: '',
  },
});
const failure = (index: number): { failure: FailedTry } => ({
  failure: {
    index,
    kind: 1,
    code: 'ITEM_THREW',
    retryable: false,
    error: new Uint8Array(),
    summary: '',
    stderrTail: '',
    facts: {},
  },
});

/** One message with all of these news, whole. */
function messageOf(...news: readonly (readonly [attempt: number, news: News])[]): DataRequest {
  const shelf = new NewsShelf();
  const pieces: Piece[] = news.map(([attempt, each], entry) => {
    shelf.keep(entry, each);
    return { entry, attempt, fromByte: 0, toByte: 'run' in each ? 10 : 0, more: false };
  });
  return shelf.message(1, pieces, []);
}

/** Reports in a few words: `3: 0 1 !2 end` is attempt 3 with values 0 and 1, a failure of 2, and its end. */
const inWords = ({ reports }: DataRequest): string[] =>
  reports.map(({ attempt, runs, failures, ended }) =>
    [
      `${attempt}:`,
      ...runs.map(({ first }) => first),
      ...failures.map(({ index }) => `!${index}`),
      ...(ended === undefined ? [] : ['end']),
    ].join(' '),
  );

test('news of one attempt in a row share a report', () => {
  const message = messageOf([3, run(0)], [3, run(1)], [4, run(9)], [4, finished]);
  expect(inWords(message)).toEqual(['3: 0 1', '4: 9 end']);
});

test('values that come after a failure stay behind it', () => {
  expect(inWords(messageOf([3, run(0)], [3, failure(1)], [3, run(2)]))).toEqual(['3: 0 !1', '3: 2']);
});

test('a part of a run has its bytes, and the first one says how many there are in all', () => {
  const shelf = new NewsShelf();
  shelf.keep(1, { run: { ...run(0).run, payload: Uint8Array.of(1, 2, 3, 4, 5) } });
  const part = (fromByte: number, toByte: number) =>
    shelf.message(1, [{ entry: 1, attempt: 3, fromByte, toByte, more: toByte < 5 }], []).reports[0]?.runs[0];
  expect([part(0, 2), part(2, 4), part(4, 5)]).toMatchObject([
    { payload: Uint8Array.of(1, 2), more: true, totalBytes: 5 },
    { payload: Uint8Array.of(3, 4), more: true, totalBytes: 0 },
    { payload: Uint8Array.of(5), more: false, totalBytes: 0 },
  ]);
});

test('what was dropped is gone', () => {
  const shelf = new NewsShelf();
  shelf.keep(1, run(0));
  shelf.drop([1]);
  const piece = { entry: 1, attempt: 3, fromByte: 0, toByte: 10, more: false };
  expect(() => shelf.message(1, [piece], [])).toThrow('Entry 1 is not known');
});
