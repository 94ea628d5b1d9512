import { expect, test } from 'vitest';
import { chapters } from './chapters.ts';

test('the suite that all pools are held to has at least 120 cases, each named once', () => {
  const sentences = chapters.flatMap(({ subject, cases }) =>
    cases.map(({ sentence }) => `${subject}: ${sentence}`),
  );
  expect(sentences.length).toBeGreaterThanOrEqual(120);
  expect(sentences.length).toBe(new Set(sentences).size);
});
