/**
 * That each limit of docs/limits.md is tried one below it, at it and one beyond is judged at the end of a run of every test, by what
 * tests note that passed (tools/limit-edges-report.ts). Here: how that is judged.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type LimitName, limits } from '@shoal/protocol';
import { expect, test } from 'vitest';
import { missingEdges } from '../../tools/limit-edges-report.ts';
import { limitNames } from '../../tools/limits-document.ts';
import { triedLimit } from '../limit-edges.ts';

const ofCluster = fileURLToPath(new URL('../cluster/limits.test.ts', import.meta.url));

const edges = (limit: string, ...offs: number[]) => offs.map((off) => ({ limit, off }));

/** These are tried to the millisecond on a clock of the test, and in real time, where a timer may be late, before and after. */
const isTime = (name: string): boolean => limits[name as LimitName]?.unit === 'milliseconds';

test('a limit lacks the edges that no test has noted, and no others', () => {
  const tried = [...edges('jobs', -1, 0, 1), ...edges('itemBytes', 0, 1), ...edges('factChars', 5)];
  expect(missingEdges(['jobs'], edges('jobs', 1, -2, -1, 0))).toEqual([]);
  expect(missingEdges(['jobs', 'itemBytes', 'factChars', 'labelEntries'], tried)).toEqual([
    'No test that passed has tried the limit itemBytes at -1 from it.',
    'No test that passed has tried the limit factChars at -1, 0, 1 from it.',
    'No test that passed has tried the limit labelEntries at -1, 0, 1 from it.',
  ]);
});

test('the one check of two limits counts for both', () => {
  expect(missingEdges(['resultBytes', 'maxResultBytes'], edges('resultBytes', -1, 0, 1))).toEqual([]);
});

test('edges of a limit that there is not are found', () => {
  expect(missingEdges(['jobs'], [...edges('jobs', -1, 0, 1), ...edges('jbos', 0)])).toEqual([
    'A test has tried a limit jbos that there is not.',
  ]);
});

test('what a test notes is how far it was from the limit', ({ task }) => {
  for (const amount of [9, 10, 11]) triedLimit('jobs', amount, 10);
  expect(task.meta.limitEdges).toEqual(edges('jobs', -1, 0, 1));
  delete task.meta.limitEdges;
});

test('every limit of time is tried in real time, too', () => {
  const source = readFileSync(ofCluster, 'utf8');
  const times = limitNames().filter(isTime);
  expect(times.length).toBeGreaterThan(0);
  expect(times.filter((name) => !new RegExp(`['"\\s]${name}[':]`).test(source))).toEqual([]);
});
