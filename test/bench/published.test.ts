import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { publishedFiles } from './publication.ts';

const root = new URL('../../', import.meta.url);

test.each([...publishedFiles().keys()])('%s shows the published figures, byte for byte', (file) => {
  // After a change of how they are shown: node test/bench/publication.ts.
  expect(readFileSync(new URL(file, root), 'utf8')).toBe(publishedFiles().get(file));
});
