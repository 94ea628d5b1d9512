import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = new URL('../../', import.meta.url);
const filesOf = (folder: string): string[] =>
  readdirSync(fileURLToPath(new URL(folder, root)))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `${folder}${name}`);
const documents = [...filesOf('./'), ...filesOf('docs/'), ...filesOf('docs/decisions/')];

/** Where a document points to in this tree: no addresses of others, no places within itself. */
function linksOf(document: string): string[] {
  const text = readFileSync(new URL(document, root), 'utf8');
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = '']) => link.replace(/#.*$/, ''))
    .filter((link) => link !== '' && !/^[a-z]+:/.test(link));
}

test.each(documents)('every link of %s leads somewhere', (document) => {
  const broken = linksOf(document).filter((link) => !existsSync(new URL(link, new URL(document, root))));
  expect(broken).toEqual([]);
});

test('decisions are numbered one after another, in their names and in their titles', () => {
  const numbers = filesOf('docs/decisions/').map((document) => {
    const named = Number(/(\d{4})-/.exec(document)?.[1]);
    const titled = Number(/^# (\d+)\. /.exec(readFileSync(new URL(document, root), 'utf8'))?.[1]);
    return [named, titled];
  });
  expect(numbers).toEqual(numbers.map((_, at) => [at + 1, at + 1]));
});
