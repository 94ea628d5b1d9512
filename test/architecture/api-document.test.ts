import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { apiDocument, omissions, optionDocs } from '../../tools/api-document.ts';
import type { ApiEntry } from '../../tools/public-api.ts';

test('docs/api.md says what the docstrings say', async () => {
  await expect(apiDocument(), 'run: node tools/api-document.ts').toMatchFileSnapshot('../../docs/api.md');
});

test('every public member has a docstring, every option its default, range and unit', () => {
  expect(omissions()).toEqual([]);
});

test('an option is missed whose docstring leaves out its default, range or unit, and a member without one', () => {
  const member = (signature: string, doc: string) => ({
    name: /\w+/.exec(signature)?.[0] ?? '',
    signatures: [signature],
    doc,
  });
  const members = [
    member('good?: number', 'How many. Default: 4. 1 to 10.'),
    member('mute?: boolean', ''),
    member('endless?: number', 'How many. Default: 4.'),
    member('forced?: boolean', 'Whether it is so.'),
    member('waitMs?: number', 'How long. Default: 4. From 1.'),
  ];
  const entry: ApiEntry = { name: 'BadOptions', kind: 'interface', doc: 'Options.', signature: '', members };
  expect(omissions(new Map([['BadOptions', entry]]))).toEqual([
    'BadOptions.mute has no docstring',
    'BadOptions.endless does not say its range',
    'BadOptions.forced does not say its default',
    'BadOptions.waitMs does not say its unit',
  ]);
});

test('the ranges that the docstrings tell are those that are checked', () => {
  const folder = fileURLToPath(new URL('../../libs/pool/src/options/', import.meta.url));
  const files = readdirSync(folder).filter((name) => /^option.*(?<!\.test)\.ts$/.test(name));
  const source = files.map((name) => readFileSync(join(folder, name), 'utf8')).join('\n');
  const docs = optionDocs();
  const tables = { poolChecks: 'PoolOptions', mapChecks: 'MapOptions', retryChecks: 'RetryOptions' };
  let checked = 0;
  for (const [table, owner] of Object.entries(tables)) {
    const body = new RegExp(`const ${table}: [^{]*\\{\\n(.*?)\\n\\};`, 's').exec(source)?.[1] ?? '';
    const plain = body
      .replaceAll('positiveMs', 'wholeNumber(1, 2_147_483_647)')
      .replaceAll('retryBudget', 'wholeNumber(0, 1_000)');
    for (const [, name, least = '', most] of plain.matchAll(
      /^ {2}(\w+): .*?wholeNumber\((-?[\d_]+)(?:, ([\d_]+))?\)/gm,
    )) {
      const doc = docs.get(`${owner}.${name}`) ?? '';
      if (doc.includes('As in {@link')) continue;
      const range = most === undefined ? `From ${grouped(least)}` : `${grouped(least)} to ${grouped(most)}`;
      expect(doc, `${owner}.${name}`).toContain(range);
      checked += 1;
    }
  }
  expect(checked).toBeGreaterThan(15);
});

const grouped = (digits: string): string => Number(digits.replaceAll('_', '')).toLocaleString('en-US');
