import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** What is promised today. G21 to G24 are about jobs that outlive their coordinator: not promised yet. */
const guarantees = [...upTo(1, 20), ...upTo(25, 30)].map((number) => `G${number}`);
const promises = readFileSync(`${root}docs/reliability.md`, 'utf8');
const titlesByFile = new Map(['libs', 'apps', 'test'].flatMap((folder) => titlesBelow(folder)));
const titles = [...titlesByFile.values()].flat();

function upTo(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, at) => first + at);
}

/**
 * The names of the tests in each file below a folder, save the simulation, which is about all of them; a transcript's name
 * is what it says above its first step.
 */
function titlesBelow(folder: string): Array<[file: string, titles: readonly string[]]> {
  return readdirSync(`${root}${folder}`, { recursive: true, encoding: 'utf8' })
    .filter(
      (path) =>
        /\.(test|cases)\.ts$|transcripts\/.*\.txt$/.test(path) &&
        !/node_modules|dist\/|simulation\//.test(path),
    )
    .map((path) => {
      const text = readFileSync(`${root}${folder}/${path}`, 'utf8');
      const found = path.endsWith('.txt')
        ? [text.slice(0, text.search(/^[^#]/m))]
        : [...text.matchAll(/\b(?:test|describe|specify)[^(\n]*\(\s*(['"`])(.*?)\1/g)].map(
            ([, , title = '']) => title,
          );
      return [`${folder}/${path}`, found];
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
  const isNumbered = (title: string): boolean => new RegExp(`\\b${guarantee}\\b(?!-G)`).test(title);

  test('is stated in docs/reliability.md in the words of a user', () => {
    const rows = promises.split('\n').filter((line) => /^\| G[^|]+\| (?!`npx )/.test(line));
    expect(rows.filter((row) => names(row.split('|')[1] ?? '', guarantee))).toHaveLength(1);
  });

  test('has its number in the name of a test beside the simulation', () => {
    expect(titles.filter(isNumbered).length).toBeGreaterThan(0);
  });

  test('has a command in docs/reliability.md, and tests that are there and have its number in their names', () => {
    const rows = promises.split('\n').filter((line) => line.startsWith(`| ${guarantee} | \`npx vitest run `));
    expect(rows).toHaveLength(1);
    const [, command = '', links = ''] = (rows[0] as string).split(' | ');
    const files = [...links.matchAll(/\]\(\.\.\/([^)]+)\)/g)].map(([, file = '']) => file);
    expect(files.length).toBeGreaterThan(0);
    const run = [...command.matchAll(/\b(?:apps|libs|test)\/[\w./-]+/g)].map(([path]) => path);
    expect(run.filter((path) => !existsSync(`${root}${path}`))).toEqual([]);
    // What the command runs has the number too, but where cases are held for several suites.
    const numbered = [...files, ...run.filter((path) => !path.startsWith('test/conformance/'))];
    const without = numbered.filter((file) => !titlesByFile.get(file)?.some(isNumbered));
    expect(without).toEqual([]);
  });
});
