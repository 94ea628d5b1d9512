import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** What is promised today. G21 to G24 are about jobs that outlive their coordinator: not promised yet. */
const guarantees = [...upTo(1, 20), ...upTo(25, 30)].map((number) => `G${number}`);
const promises = readFileSync(`${root}docs/reliability.md`, 'utf8');
const titles = ['libs', 'apps', 'test'].flatMap((folder) => titlesBelow(folder));

function upTo(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, at) => first + at);
}

/** The names of the tests below a folder, save the simulation, which is about all of them; a transcript's name is what it says above its first step. */
function titlesBelow(folder: string): string[] {
  return readdirSync(`${root}${folder}`, { recursive: true, encoding: 'utf8' })
    .filter(
      (path) =>
        /\.(test|cases)\.ts$|transcripts\/.*\.txt$/.test(path) &&
        !/node_modules|dist\/|simulation\//.test(path),
    )
    .flatMap((path) => {
      const text = readFileSync(`${root}${folder}/${path}`, 'utf8');
      if (path.endsWith('.txt')) return [text.slice(0, text.search(/^[^#]/m))];
      return [...text.matchAll(/\b(?:test|describe|specify)[^(\n]*\(\s*(['"`])(.*?)\1/g)].map(
        ([, , title = '']) => title,
      );
    });
}

/** `G4` in `G3-G6: ...`, as in a list of several. */
function names(text: string, guarantee: string): boolean {
  const number = Number(guarantee.slice(1));
  return [...text.matchAll(/\bG(\d+)(?:-G(\d+))?\b/g)].some(
    ([, first = '', last = first]) => Number(first) <= number && number <= Number(last),
  );
}

describe.each(guarantees)('%s', (guarantee) => {
  test('is stated in docs/reliability.md in the words of a user', () => {
    const rows = promises.split('\n').filter((line) => line.startsWith('| G'));
    expect(rows.filter((row) => names(row.split('|')[1] ?? '', guarantee))).toHaveLength(1);
  });

  test('has its number in the name of a test beside the simulation', () => {
    expect(
      titles.filter((title) => new RegExp(`\\b${guarantee}\\b(?!-G)`).test(title)).length,
    ).toBeGreaterThan(0);
  });
});
