import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const script = fileURLToPath(new URL('../../tools/test-counts.mjs', import.meta.url));

const began = { kind: 'began', file: 'unit > a.test.ts' };
const ended = (...errors: string[]) => ({ kind: 'ended', file: 'unit > a.test.ts', errors });
const ran = (state: string, more: object = {}) => ({
  kind: 'test',
  file: 'unit > a.test.ts',
  name: 'it holds',
  state,
  tries: 1,
  errors: [],
  ...more,
});
const failed = (error = 'Error: no') => ran('failed', { errors: [error] });
const flaky = ran('passed', { tries: 2, errors: ['Error: too late\nat a.test.ts:1:2\n- 2\n+ 3'] });

function counted(report: readonly object[] | string | undefined, exitCode: number) {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-counts-'));
  const file = join(folder, 'report.ndjson');
  const text = typeof report === 'string' ? report : report?.map((line) => JSON.stringify(line)).join('\n');
  if (text !== undefined) writeFileSync(file, text);
  const { stdout, status } = spawnSync(process.execPath, [script, file, String(exitCode)], {
    encoding: 'utf8',
  });
  rmSync(folder, { recursive: true });
  const lines = stdout.trimEnd().split('\n');
  return { told: lines.slice(0, -1), counts: lines.at(-1), status };
}

test.each([
  ['all pass', [began, ran('passed'), ran('passed'), ended()], 0, '2 passed, 0 failed', 0],
  ['one fails', [began, ran('passed'), failed(), ran('passed'), ended()], 1, '2 passed, 1 failed', 1],
  [
    'some are skipped',
    [ran('passed'), ran('skipped'), ran('skipped')],
    0,
    '1 passed, 0 failed, 2 skipped',
    0,
  ],
  ['a file does not load', [began, ended('Error: not found')], 1, '0 passed, 1 failed', 1],
  ['a hook fails and a test too', [failed(), ended('Error: hook')], 1, '0 passed, 1 failed', 1],
  ['every test passes and the run fails', [ran('passed')], 1, '1 passed, 1 failed', 1],
  [
    'an error belongs to no test',
    [ran('passed'), { kind: 'unhandled', error: 'no' }],
    0,
    '1 passed, 1 failed',
    1,
  ],
  ['a test needed a second try', [flaky, ran('passed')], 0, '2 passed, 0 failed', 0],
  ['five did', Array(5).fill(flaky), 0, '5 passed, 0 failed', 0],
  ['six did', Array(6).fill(flaky), 0, '6 passed, 1 failed', 1],
  ['nothing ran', [], 0, '0 passed, 1 failed', 1],
  ['there is no report', undefined, 2, '0 passed, 1 failed', 1],
])('the counts when %s', (_case, report, exitCode, counts, status) => {
  expect(counted(report, exitCode)).toMatchObject({ counts, status });
});

test('nothing but the counts is said when all is well', () => {
  expect(counted([began, ran('passed'), ran('skipped'), ended()], 0).told).toEqual([]);
});

test('every failure is named with its message, whatever it is of, and those that needed a second try', () => {
  const report = [
    began,
    flaky,
    failed('AssertionError: expected 1 to be 2\nat a.test.ts:7:8'),
    ended('Error: the hook fails'),
    { kind: 'unhandled', error: 'Error: left behind' },
  ];
  expect(counted(report, 1).told).toEqual([
    'flaky, passed on the second try:',
    '  unit > a.test.ts > it holds',
    '    Error: too late',
    '    at a.test.ts:1:2',
    '    - 2',
    'failed:',
    '  unit > a.test.ts > it holds',
    '    AssertionError: expected 1 to be 2',
    '    at a.test.ts:7:8',
    '  unit > a.test.ts',
    '    Error: the hook fails',
    '  an error outside of any test',
    '    Error: left behind',
  ]);
});

test('what ran when the run was killed is named, and a torn line of the report is no obstacle', () => {
  const { told, counts } = counted(
    `${JSON.stringify(began)}\n${JSON.stringify(ran('passed'))}\n{"kind":"te`,
    124,
  );
  expect(told).toEqual(['failed:', '  unit > a.test.ts', '    It had not ended when the run did.']);
  expect(counts).toBe('1 passed, 1 failed');
});

test.each([
  [1, 16],
  [6, 60],
  [200, 400],
])('%i failures are all named, in few lines', (count, linesMax) => {
  const message = Array.from({ length: 100 }, (_, line) => `line ${line} ${'x'.repeat(1_000)}`).join('\n');
  const { told } = counted(Array(count).fill(failed(message)), 1);
  expect(told.filter((line) => line.includes('it holds'))).toHaveLength(count);
  expect(told.length).toBeLessThanOrEqual(linesMax + 1);
  expect(Math.max(...told.map(({ length }) => length))).toBeLessThan(210);
});
