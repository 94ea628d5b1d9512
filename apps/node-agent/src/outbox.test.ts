import type { AttemptReport, DataRequest, FailedTry, ResultRun } from '@shoal/protocol';
import { expect, test } from 'vitest';
import { Outbox } from './outbox.ts';

const finished = { ending: { $case: 'finished' as const, value: {} } };
const run = (first: number, bytes: number): ResultRun => ({
  first,
  count: 1,
  payload: new Uint8Array(bytes).fill(first),
  payloadSkip: 0,
  more: false,
  totalBytes: 0,
  runMs: 1,
  pid: 7,
  agent: '',
});
const failure = (index: number): FailedTry => ({
  index,
  kind: 1,
  code: 'ITEM_THREW',
  retryable: false,
  error: new Uint8Array(),
  summary: '',
  stderrTail: '',
  facts: {},
});
const print = (text: string) => ({ stream: 1 as const, agent: '', pid: 7, index: 0, task: 'f', text });

interface World {
  readonly outbox: Outbox;
  readonly full: boolean[];
  readonly endings: number[];
}

function outboxWith(
  options: { messageBytes?: number; maxBytes?: number; maxPrintBytes?: number } = {},
): World {
  const full: boolean[] = [];
  const endings: number[] = [];
  const outbox = new Outbox({
    messageBytes: 100,
    maxBytes: 1000,
    maxPrintBytes: 1000,
    ...options,
    onNews: () => {},
    onFull: (isFull) => full.push(isFull),
    onEndingTaken: (attempt) => endings.push(attempt),
  });
  return { outbox, full, endings };
}

/** Reports in a few words: `3: 0 1 !2 end` is attempt 3 with values 0 and 1, a failure of 2, and its end. */
function inWords(batch: DataRequest | undefined): string[] {
  return (batch?.reports ?? []).map(({ attempt, runs, failures, ended }: AttemptReport) =>
    [
      `${attempt}:`,
      ...runs.map(({ first, more }) => `${first}${more ? '…' : ''}`),
      ...failures.map(({ index }) => `!${index}`),
      ...(ended === undefined ? [] : ['end']),
    ].join(' '),
  );
}

test('news leave in the order in which they came, several to a message', () => {
  const { outbox } = outboxWith();
  outbox.run(3, run(0, 10));
  outbox.run(3, run(1, 10));
  outbox.run(4, run(9, 10));
  outbox.ended(4, finished);
  const batch = outbox.take();
  expect(inWords(batch)).toEqual(['3: 0 1', '4: 9 end']);
  expect(batch?.sequence).toBe(1);
  expect(outbox.take()).toBeUndefined();
});

test('values that come after a failure stay behind it', () => {
  const { outbox } = outboxWith({ messageBytes: 10_000 });
  outbox.run(3, run(0, 10));
  outbox.failure(3, failure(1));
  outbox.run(3, run(2, 10));
  expect(inWords(outbox.take())).toEqual(['3: 0 !1', '3: 2']);
});

test('a message holds about what it should', () => {
  const { outbox } = outboxWith();
  for (let first = 0; first < 5; first += 1) outbox.run(3, run(first, 40));
  expect([inWords(outbox.take()), inWords(outbox.take()), inWords(outbox.take())]).toEqual([
    ['3: 0 1'],
    ['3: 2 3'],
    ['3: 4'],
  ]);
});

test('what was not taken is sent again under the new session, from its first sequence number', () => {
  const { outbox } = outboxWith();
  outbox.run(3, run(0, 90));
  outbox.run(3, run(1, 90));
  outbox.run(3, run(2, 90));
  outbox.take();
  outbox.take();
  outbox.taken(1);
  outbox.reopen(() => true);
  const again = outbox.take();
  expect([again?.sequence, inWords(again)]).toEqual([1, ['3: 1']]);
  expect(inWords(outbox.take())).toEqual(['3: 2']);
});

test('news of attempts that are somebody else’s by now are not sent again', () => {
  const { outbox } = outboxWith();
  outbox.run(3, run(0, 10));
  outbox.run(4, run(9, 10));
  outbox.take();
  outbox.reopen((attempt) => attempt === 4);
  expect(inWords(outbox.take())).toEqual(['4: 9']);
});

test('a big run travels in parts, and all of them are sent again if the last was not taken', () => {
  const { outbox } = outboxWith();
  outbox.run(3, run(0, 250));
  const parts = [outbox.take(), outbox.take(), outbox.take()].map((batch) => batch?.reports[0]?.runs[0]);
  expect(parts.map((part) => [part?.payload.byteLength, part?.more, part?.totalBytes])).toEqual([
    [100, true, 250],
    [100, true, 0],
    [50, false, 0],
  ]);
  outbox.taken(2);
  outbox.reopen(() => true);
  expect([inWords(outbox.take()), inWords(outbox.take()), inWords(outbox.take())]).toEqual([
    ['3: 0…'],
    ['3: 0…'],
    ['3: 0'],
  ]);
  outbox.taken(3);
  expect(outbox.empty).toBe(true);
});

test('an attempt is held until the batch with its ending was taken', () => {
  const { outbox, endings } = outboxWith();
  outbox.ended(3, finished);
  outbox.take();
  expect([outbox.empty, endings]).toEqual([false, []]);
  outbox.taken(1);
  expect([outbox.empty, endings]).toEqual([true, [3]]);
});

test('the children wait while too much is held, and go on well below that', () => {
  const { outbox, full } = outboxWith({ messageBytes: 400, maxBytes: 1000 });
  for (let first = 0; first < 4; first += 1) outbox.run(3, run(first, 300));
  expect(full).toEqual([true]);
  for (let sequence = 1; sequence <= 2; sequence += 1) {
    outbox.take();
    outbox.taken(sequence);
  }
  expect(full).toEqual([true]);
  outbox.take();
  outbox.taken(3);
  expect(full).toEqual([true, false]);
});

test('prints beyond the limit are dropped and counted', () => {
  const { outbox } = outboxWith({ maxPrintBytes: 200 });
  for (let at = 0; at < 5; at += 1) outbox.print('job-1', print('12345678'));
  const texts = outbox
    .take()
    ?.prints.flatMap(({ jobId, prints }) => prints.map(({ text }) => `${jobId} ${text}`));
  expect(texts).toEqual([
    'job-1 12345678',
    'job-1 12345678',
    'job-1 … 3 prints of 24 bytes were dropped: the connection is too slow for them',
  ]);
});

test('nobody hears of an attempt that was forgotten', () => {
  const { outbox } = outboxWith();
  outbox.run(3, run(0, 10));
  outbox.run(4, run(1, 10));
  outbox.forget(3);
  expect(inWords(outbox.take())).toEqual(['4: 1']);
});
