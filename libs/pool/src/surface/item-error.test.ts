import { expect, test } from 'vitest';
import type { FailedOutcome } from '../job-backend.ts';
import { CallSite } from './call-site.ts';
import { itemErrorOf } from './item-error.ts';

const setting = {
  site: new CallSite(() => {}),
  task: { name: 'square', kind: 'inline', source: '' },
  timeoutMs: 30_000,
  retries: { thrown: 0, crash: 2, timeout: 0, lost: 10 },
} as const;

const textOf = (outcome: Partial<FailedOutcome>, others?: string): string =>
  itemErrorOf({ index: 137, code: 'ITEM_THREW', attempts: [], facts: {}, ...outcome }, setting, { others })
    .message;

test('a thrown error is told with its place, its process and how the others fared', () => {
  const error = {
    name: 'TypeError',
    message: 'bad record',
    stack:
      'TypeError: bad record\n    at JSON.parse (<anonymous>)\n    at square (file:///home/me/work.ts:4:9)\n    at run (node:internal/x:1:1)',
  };
  expect(textOf({ attempts: [{ agent: 'agent-2', pid: 4720 }], error }, '4,209 others succeeded.')).toBe(
    'Item 137 failed: TypeError: bad record (square at work.ts:4:9, agent-2 pid 4720, attempt 1 of 1). 4,209 others succeeded.',
  );
});

test('what the input threw after the item stands at the end, whatever it is', () => {
  const proxy = new Proxy(
    {},
    {
      get: () => {
        throw new Error('no');
      },
    },
  );
  for (const [error, text] of [
    [new RangeError('gone\u001b[2J'), 'RangeError: gone\\u001b[2J'],
    ['a text', 'a text'],
    [undefined, 'undefined'],
    [proxy, 'it has no text'],
  ] as const) {
    const outcome = { index: 137, code: 'ITEM_TIMED_OUT', attempts: [{ pid: 1 }], facts: {} } as const;
    const item = itemErrorOf(outcome, setting, { inputFailure: { error } });
    expect(item.message).toBe(
      `Item 137 ran longer than 30 s on pid 1 and its process was replaced. Raise timeoutMs or split the item. The input ended after item 137 with an error of its own (${text}).`,
    );
    expect(Object.is(item.inputError, error)).toBe(true);
  }
});

test('frames of a bundle, without a name, and of our own are told apart', () => {
  const at = (frame: string): string =>
    textOf({
      attempts: [{ pid: 1 }],
      error: { name: 'Error', message: 'no', stack: `Error: no\n    at ${frame}` },
    });
  expect(at('file:///home/me/work.ts?v=1:4:9')).toContain('square at work.ts:4:9');
  expect(at('async Promise.all (index 0)')).toContain('(square, pid 1');
  expect(at(`#run (${new URL('../child/item-runner.ts', import.meta.url).href}:1:2)`)).toContain(
    '(square, pid 1',
  );
});

test('an item that killed its processes is told with the signals and every process', () => {
  expect(
    textOf({
      code: 'ITEM_KILLED_CHILD',
      attempts: [
        { agent: 'agent-1', pid: 4711, signal: 'SIGSEGV' },
        { agent: 'agent-2', pid: 4720, signal: 'SIGSEGV' },
        { agent: 'agent-2', pid: 4733, signal: 'SIGSEGV' },
      ],
    }),
  ).toMatch(
    /^Item 137 killed its process 3 times \(SIGSEGV; agent-1 pid 4711, agent-2 pid 4720, 4733\)\. It was set aside/,
  );
});

test('of a process that died with its fork server the error says so', () => {
  const attempts = [{ pid: 7, signal: 'SIGKILL', withItsServer: true }] as const;
  expect(textOf({ code: 'ITEM_KILLED_CHILD', attempts })).toMatch(
    /^Item 137 killed its process once \(SIGKILL with its fork server; pid 7\)\./,
  );
  expect(textOf({ code: 'ITEM_LOST', attempts })).toMatch(
    /^Item 137 was lost once with what ran it: .* \(pid 7, with its fork server\)\./,
  );
});

test('an item that ran too long is told with its limit', () => {
  expect(textOf({ code: 'ITEM_TIMED_OUT', attempts: [{ agent: 'agent-2', pid: 4720 }] })).toBe(
    'Item 137 ran longer than 30 s on agent-2 pid 4720 and its process was replaced. Raise timeoutMs or split the item.',
  );
});

test('an item that was killed for its memory is told with the limit', () => {
  const stderrTail = 'of its own\nIt had 411 MiB, over 2 times maxRssBytes (191 MiB), and was killed.';
  const attempts = [{ pid: 7, signal: 'SIGKILL' }];
  expect(textOf({ code: 'ITEM_KILLED_CHILD', attempts, stderrTail })).toMatch(
    /^Item 137 killed its process once \(SIGKILL, for its memory: 411 MiB, over 2 times maxRssBytes \(191 MiB\); pid 7\)\./,
  );
});

test('an item that was lost with its agents is told with them', () => {
  expect(textOf({ code: 'ITEM_LOST', attempts: [{ agent: 'a' }, { agent: 'b' }] })).toMatch(
    /^Item 137 was lost twice with what ran it: .* \(a, b\)\./,
  );
});

test('what a child says of a result that cannot be sent fills the message, and is no cause', () => {
  const error = {
    name: 'ShoalError',
    message: '',
    fields: { size: '71 MiB', limit: '64 MiB', option: 'maxResultBytes', odd: {} },
  };
  const itemError = itemErrorOf(
    { index: 137, code: 'RESULT_TOO_LARGE', attempts: [{ pid: 1 }], facts: {}, error },
    setting,
  );
  expect(itemError.message).toMatch(
    /^Result of item 137 is 71 MiB; the limit is 64 MiB \(maxResultBytes\)\./,
  );
  expect('cause' in itemError).toBe(false);
});

test('the facts that a backend gives count more than those that are worked out', () => {
  expect(textOf({ facts: { reason: 'given' } })).toContain('failed: given (');
});
