import { expect, test } from 'vitest';
import { readFlags } from './flags.ts';

test.each([
  [['--agents', '3', '--bugs'], '--agents has no effect with --bugs. Leave one of them out.'],
  [['--bugs', '--storm'], '--storm has no effect with --bugs. Leave one of them out.'],
  [['--bug', 'x', '--seeds', '5'], '--seeds has no effect with --bug. Leave one of them out.'],
  [['--seeds', '5', '--faults', '100'], '--seeds has no effect with --faults. Leave one of them out.'],
  [['--agents', '99999999'], '--agents must be a whole number from 1 to 10000, not "99999999".'],
  [['--agents', '0'], '--agents must be a whole number from 1 to 10000, not "0".'],
  [['--seed=-1'], '--seed must be a whole number from 1 on, not "-1".'],
  [['--seeds', '1e3'], '--seeds must be a whole number from 1 on, not "1e3".'],
  [['--seed', '9007199254740992'], '--seed must be a whole number from 1 on, not "9007199254740992".'],
  [['--faults='], '--faults must be a whole number from 1 on, not "".'],
  [['--seed', '-1'], "Option '--seed' argument is ambiguous."],
  [['--sed', '1'], "Unknown option '--sed'"],
])('%j is refused', (words, message) => {
  expect(() => readFlags(words)).toThrow(message);
});

test('what plays together is read', () => {
  expect(readFlags(['--agents', '10000', '--seed', '5', '--storm'])).toEqual({
    agents: 10_000,
    bugs: false,
    lines: 120,
    quiet: false,
    seed: 5,
    storm: true,
  });
  expect(readFlags(['--bug', 'x', '--seed', '7', '--lines', '9'])).toMatchObject({
    bug: 'x',
    lines: 9,
    seed: 7,
  });
  expect(readFlags(['--bugs', '--quiet'])).toMatchObject({ bugs: true, quiet: true });
});
