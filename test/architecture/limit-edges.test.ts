/**
 * Each limit of docs/limits.md has a test that tries one below it, the limit, and one beyond: its title ends with
 * `(edges of NAME)`, or it is a row of the table in test/cluster/limits.test.ts.
 */
import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type LimitName, limits } from '@shoal/protocol';
import { expect, test } from 'vitest';
import { limitNames } from '../../tools/limits-document.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (file: string): string => readFileSync(`${root}${file}`, 'utf8');
const ofCluster = 'test/cluster/limits.test.ts';

/** Held by the very same check: a child that is told the smaller of both. */
const sameAs: Readonly<Record<string, string>> = { maxResultBytes: 'resultBytes' };

/** These are tried to the millisecond on a clock of the test, and in real time, where a timer may be late, before and after. */
const isTime = (name: string): boolean => limits[name as LimitName]?.unit === 'milliseconds';

/** Names in the titles of a file. */
function titledIn(source: string): string[] {
  return [...source.matchAll(/\(edges of ([\w, ]+)\)['`]/g)].flatMap(([, names = '']) => names.split(', '));
}

/** The rows of the table of limits that refuse what is beyond. */
function tabled(): string[] {
  const [, table = ''] = /^const refusing: .*?\{\n(.*?)^\};/ms.exec(read(ofCluster)) ?? [];
  return [...table.matchAll(/^ {2}(\w+): \{$/gm)].map(([, name = '']) => name);
}

function tried(): Set<string> {
  const files = globSync('{apps,libs}/*/src/**/*.test.ts', { cwd: root });
  const titled = [...files, ofCluster, 'test/cluster/output-limits.test.ts'];
  return new Set([...titled.flatMap((file) => titledIn(read(file))), ...tabled()]);
}

test('every limit is tried at one below it, at it and one beyond', () => {
  const names = tried();
  expect(limitNames().filter((name) => !names.has(sameAs[name] ?? name))).toEqual([]);
});

test('every limit of time is tried in real time, too', () => {
  const source = read(ofCluster);
  const times = limitNames().filter(isTime);
  expect(times.length).toBeGreaterThan(0);
  expect(times.filter((name) => !new RegExp(`['"\\s]${name}[':]`).test(source))).toEqual([]);
});

test('no test claims the edges of a limit that there is not', () => {
  const known = new Set(limitNames());
  expect([...tried()].filter((name) => !known.has(name))).toEqual([]);
});
