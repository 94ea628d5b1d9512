import { expect, test } from 'vitest';
import { labelCharsMax, labelFault } from './label-rule.ts';

test.each([
  ['gpu', 'a100'],
  ['topology.example.org/rack', 'rack 2'],
  ['7', '='],
  ['a_b-c', 'é'],
  ['constructor', 'x'],
  ['n'.repeat(labelCharsMax), 'v'.repeat(labelCharsMax)],
])('%j with %j is a label', (name, value) => {
  expect(labelFault(name, value)).toBeUndefined();
});

test.each(['', '__proto__', '.hidden', '-x', '/x', 'a b', 'a\0', 'a\n', 'a=b', 'gpü'])(
  '%j is no name of a label',
  (name) => {
    expect(labelFault(name, 'x')).toContain(
      `${JSON.stringify(name)} is no name of a label: it may have letters`,
    );
  },
);

test.each([
  ['', 'gpu is empty'],
  ['a\0', 'gpu has a control character'],
  ['a\nb', 'gpu has a control character'],
  ['v'.repeat(labelCharsMax + 1), 'gpu is longer than 100 characters'],
])('a label cannot be %j', (value, fault) => {
  expect(labelFault('gpu', value)).toBe(fault);
});

test('a name that is too long is cut where it is told', () => {
  expect(labelFault('n'.repeat(5000), 'x')).toBe(
    `${'n'.repeat(labelCharsMax)} is longer than 100 characters`,
  );
});
