import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { processHome, startOf } from '@shoal/folders';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ClaimFile } from './claim-file.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'shoal-claims-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** Claims and says what came of it. */
const claimed = (first: number, last: number): string => {
  const claim = ClaimFile.take(dir, first, last);
  return claim instanceof ClaimFile ? 'claimed' : String(claim);
};

/** A claim as another process would have written it. */
const written = (
  first: number,
  last: number,
  { pid = process.pid, start = startOf(process.pid), home = processHome() },
) => writeFileSync(join(dir, `users-${first}-${last}-${home}-${pid}-${start}-9`), '');

test.each([
  [100, 109, 'taken'],
  [91, 100, 'taken'],
  [109, 120, 'taken'],
  [0, 999, 'taken'],
  [104, 105, 'taken'],
  [90, 99, 'claimed'],
  [110, 119, 'claimed'],
])('where a living process has 100 to 109, %s to %s is %s', (first, last, outcome) => {
  written(100, 109, {});
  expect(claimed(first, last)).toBe(outcome);
  expect(readdirSync(dir)).toHaveLength(outcome === 'taken' ? 1 : 2);
});

test('what a process had that is no more is free, whoever has its number now', () => {
  written(100, 109, { start: '1' });
  expect(claimed(100, 109)).toBe('claimed');
  expect(readdirSync(dir)).toHaveLength(1);
});

test('a process of another container is not in the way, and its file is left alone', () => {
  written(100, 109, { home: '00000000' });
  expect(claimed(100, 109)).toBe('claimed');
  expect(readdirSync(dir)).toHaveLength(2);
});

test('what was released is free', () => {
  const claim = ClaimFile.take(dir, 100, 109);
  expect(claimed(100, 109)).toBe('taken');
  if (claim instanceof ClaimFile) claim.release();
  expect(claimed(100, 109)).toBe('claimed');
});

test('where there can be no folder there is no file', () => {
  writeFileSync(join(dir, 'file'), '');
  expect(ClaimFile.take(join(dir, 'file'), 100, 109)).toBeUndefined();
});
