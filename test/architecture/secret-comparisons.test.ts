/**
 * Nobody compares secrets letter by letter: that would take the longer the more of them is right.
 *
 * How a token is compared is watched in apps/coordinator/src/access/token-comparison.test.ts; here nothing else compares. A token
 * to join with is looked up by its SHA-256, of which nobody can choose the first letters.
 */
import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** What sees tokens of others: who keeps them and who lets callers in. */
const sources = globSync('{apps/coordinator,libs/{credentials,protocol}}/src/**/*.ts', { cwd: root }).filter(
  (file) => !/\.(test|testkit)\.ts$/.test(file),
);

const secret = String.raw`\b(?:\w+\.)*(?:\w*[sS]ecret|\w*[dD]igest(?:Of|Text)?|authorization|bearer|token)(?:\(\w+\))?`;
// Whether there is any, or of what type, tells nothing of it.
const nothing = `(?:undefined|null|true|false|''|""|'[a-z]+'|0)`;
const comparisons = [
  new RegExp(`${secret} [!=]==? (?!${nothing})`),
  new RegExp(`(?<!${nothing}) [!=]==? ${secret}(?![\\w.(])`),
  new RegExp(
    `${secret}\\.(?:equals|compare|localeCompare|startsWith|endsWith|includes|indexOf|match|search)\\(`,
  ),
  new RegExp(`\\.(?:equals|compare|localeCompare|includes|indexOf)\\(${secret}\\b`),
];

/** The lines that compare a secret. */
function comparing(source: string): string[] {
  const code = source.replaceAll(/^\s*(\*|\/\/|\/\*).*$/gm, '');
  return code
    .split('\n')
    .filter((line) => comparisons.some((comparison) => comparison.test(line)))
    .map((line) => line.trim());
}

/** Of the name of a token, which stands in errors and in `status`: what the first 64 bits of a digest are, and opens nothing. */
const ofNames = ['if (token === undefined || this.#tokens.some(({ identity }) => identity.token === token))'];

test('no secret is compared but by sameDigest, which takes as long wherever the difference is', () => {
  expect(sources.length).toBeGreaterThan(80);
  const found = sources.flatMap((file) => comparing(readFileSync(`${root}${file}`, 'utf8')));
  expect(found).toEqual(ofNames);
});

test.each([
  'if (known.secret === secret) return identity;',
  'return tokens.find((known) => known === token);',
  'if (authorization !== expected) throw refused();',
  'if (known.digest.equals(digest)) return known;',
  "if (digestOf(text) == digest.toString('hex')) return known;",
  'return secrets.includes(token);',
  'if (Buffer.compare(digest, other) === 0 && first.compare(digest) === 0) return;',
  'if (token.startsWith(known)) return true;',
])('%s is objected to', (line) => {
  expect(comparing(line)).toEqual([line]);
});

test.each([
  'if (token === undefined) return unknown();',
  "if (typeof secret === 'string') return secret;",
  '// known.secret === secret would tell',
  'sameDigest(known.digest, digest)',
])('%s is not', (line) => {
  expect(comparing(line)).toEqual([]);
});
