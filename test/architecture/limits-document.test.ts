import { expect, test } from 'vitest';
import { constantIn, limitsDocument } from '../../tools/limits-document.ts';

test('docs/limits.md says what the sources say', async () => {
  await expect(
    limitsDocument(),
    'run: node --conditions=@shoal/source tools/limits-document.ts',
  ).toMatchFileSnapshot('../../docs/limits.md');
});

test('a limit whose constant has gone is missed', () => {
  expect(() => constantIn('libs/protocol/src/status.ts', 'nothing')).toThrow('has no constant nothing');
});
