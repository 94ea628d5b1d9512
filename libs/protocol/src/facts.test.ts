import fc from 'fast-check';
import { expect, test } from 'vitest';
import { triedLimit } from '../../../test/limit-edges.ts';
import { readFacts, writeFacts } from './facts.ts';

test('numbers and booleans are numbers and booleans again', () => {
  const facts = { index: 137, ms: 0.25, size: 1e21, below: -3, alone: true, retried: false, name: 'square' };
  expect(readFacts(writeFacts(facts))).toEqual(facts);
});

test('what only looks like a number stays the text that it was', () => {
  const facts = {
    version: '1.10',
    padded: '007',
    big: '12345678901234567890',
    none: '',
    hex: '0x10',
    e: '1e3',
  };
  expect(readFacts(writeFacts(facts))).toEqual(facts);
});

test('whatever the facts are, a message made of them reads the same', () => {
  const fact = fc.oneof(fc.string({ maxLength: 50 }), fc.double(), fc.boolean());
  fc.assert(
    fc.property(fc.dictionary(fc.string({ maxLength: 8 }), fact), (facts) => {
      const read = readFacts(writeFacts(facts));
      expect(Object.keys(read)).toEqual(Object.keys(facts));
      for (const name of Object.keys(facts)) expect(String(read[name])).toBe(String(facts[name]));
    }),
  );
});

test('a fact that is undefined does not travel, and a very long one is cut', () => {
  const written = writeFacts({ hint: undefined, reason: 'x'.repeat(100_000) });
  expect(Object.keys(written)).toEqual(['reason']);
  expect(written['reason']).toHaveLength(1000);
  expect(written['reason']).toMatch(/x…$/);
});

test.each([999, 1_000, 1_001])('a fact of %i characters is cut beyond 1,000', (chars) => {
  const fact = 'x'.repeat(chars);
  triedLimit('factChars', fact.length, 1_000);
  expect(writeFacts({ fact })['fact']).toBe(chars <= 1_000 ? fact : `${'x'.repeat(999)}…`);
});
