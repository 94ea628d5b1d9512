import { expect, test } from 'vitest';
import { describe as describeError } from './error-text.ts';

test('a fact that brings its own full stop does not double it', () => {
  expect(describeError('USAGE', { reason: 'Unknown command.' })).toBe('Unknown command.');
});

test('a message speaks of one in the singular', () => {
  const waits = (items: string): string => describeError('NO_AGENTS', { items, address: '10.0.0.5:7300' });
  expect(waits('1')).toMatch(/^1 item waits and 0 agents are connected\./);
  expect(waits('0')).toMatch(/^0 items wait and/);
  expect(waits('10,000')).toMatch(/^10,000 items wait and/);
  expect(describeError('AGENT_LOST', { agent: 'a', silence: '10 s', items: 1 })).toContain(
    'Its 1 unfinished item was given to others;',
  );
});
