import { expect, test } from 'vitest';
import { errorsDocument } from './errors-document.testkit.ts';

test('docs/errors.md says what the catalogue says', async () => {
  await expect(errorsDocument()).toMatchFileSnapshot('../../../docs/errors.md');
});
