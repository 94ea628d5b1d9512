import { expect, test } from 'vitest';
import { catalogue, isErrorCode } from './catalogue.ts';
import type { ErrorCode } from './error-code.ts';
import { describe as describeError } from './error-text.ts';

const rows = Object.entries(catalogue) as [ErrorCode, (typeof catalogue)[ErrorCode]][];

test.each(rows)('%s is a sentence whose facts leave no gap', (code, row) => {
  const names = [...`${row.message} ${row.remedy}`.matchAll(/\{(\w+)\}/g)].map(([, name]) => name as string);
  const text = describeError(code, Object.fromEntries(names.map((name) => [name, `<${name}>`])));
  expect(text).not.toMatch(/[{}]/);
  for (const name of names) expect(text).toContain(`<${name}>`);
  expect(row.message).toMatch(/\.$/);
});

test('a code is a key of the catalogue and nothing inherited', () => {
  expect(isErrorCode('ITEM_THREW')).toBe(true);
  expect(isErrorCode('toString')).toBe(false);
});
