/**
 * The coordinator never looks into an item, a result or a bundle: hostile bytes have nothing there that would read them.
 *
 * Nothing that it consists of imports what rebuilds values or runs code, and it reads JSON in the places listed here.
 */
import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** What the coordinator consists of: its own package and those that it may import. */
const sources = globSync('{apps/coordinator,libs/{credentials,errors,protocol,scheduler}}/src/**/*.ts', {
  cwd: root,
}).filter((file) => !/\.(test|testkit)\.ts$/.test(file));

/** What turns bytes into values or into code. */
const readers: readonly (readonly [RegExp, string])[] = [
  [/from 'node:(v8|vm|module|worker_threads|child_process)'/, 'imports what rebuilds values or runs code'],
  [/\bdeserialize\(|\bstructuredClone\(/, 'rebuilds a value'],
  [/\beval\(|\bnew Function\(|\brequire\(/, 'runs a text as code'],
  // A name that is written down is a part of the program.
  [/\bimport\((?!')/, 'loads a module that it was told the name of'],
  [/\bJSON\.parse\(/, 'reads JSON'],
];

/** JSON of its own making: the names of bundles in its own folder, and words inside of an error of its own. */
const ownJson = ['apps/coordinator/src/bundles/bundle-shelf.ts', 'libs/protocol/src/tls-failure.ts'];

function objections(source: string): string[] {
  const code = source.replaceAll(/^\s*(\*|\/\/|\/\*).*$/gm, '');
  return readers.filter(([pattern]) => pattern.test(code)).map(([, objection]) => objection);
}

test('nothing in the coordinator rebuilds values, runs what it is sent, or reads JSON of others', () => {
  expect(sources.length).toBeGreaterThan(80);
  const found = sources.flatMap((file) =>
    objections(readFileSync(`${root}${file}`, 'utf8')).map((objection) => `${file} ${objection}`),
  );
  expect(found.toSorted()).toEqual(ownJson.map((file) => `${file} reads JSON`));
});

test.each([
  ["import { deserialize } from 'node:v8';", 'imports what rebuilds values or runs code'],
  ['const value = v8.deserialize(bytes);', 'rebuilds a value'],
  ['const f = new Function(source);', 'runs a text as code'],
  ['const work = await import(url);', 'loads a module that it was told the name of'],
  ['const item = JSON.parse(text);', 'reads JSON'],
])('%s is objected to', (source, objection) => {
  expect(objections(source)).toEqual([objection]);
});

test.each(['// JSON.parse(text) would look into it', "const log = await import('./log.ts');"])(
  '%s is not',
  (source) => {
    expect(objections(source)).toEqual([]);
  },
);
