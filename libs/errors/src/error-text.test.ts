import { expect, test } from 'vitest';
import { describe as describeError } from './error-text.ts';

test('a fact that brings its own full stop does not double it', () => {
  expect(describeError('USAGE', { reason: 'Unknown command.' })).toBe('Unknown command.');
});
