import { expect, test } from 'vitest';
import { judge, type Row } from './flatness.ts';

const small: Row = { agents: 10, jobs: 1, steps: 300, instructions: 14_000, time: 2, control: 2 };
const large: Row = { agents: 5_000, jobs: 1, steps: 330, instructions: 15_000, time: 5, control: 4 };

test('cost is flat while steps and instructions grow by a tenth at most', () => {
  expect(judge([small, large])).toEqual({
    isFlat: true,
    text:
      'Flat: steps at most 10 % above the first row, at 5,000 agents and 1 job (allowed: 10 %); instructions at most ' +
      '7 % above the first row, at 5,000 agents and 1 job (allowed: 10 %).',
  });
});

test.each([[{ steps: 331 }], [{ instructions: 15_401 }]])('cost with %j is not flat', (change) => {
  const { isFlat, text } = judge([small, { ...large, ...change }]);
  expect(isFlat, text).toBe(false);
  expect(text).toMatch(/^NOT FLAT: /);
});

test('many agents with many jobs at once are not judged', () => {
  expect(judge([small, large, { agents: 5_000, jobs: 1_000, steps: 999 }])).toMatchObject({ isFlat: true });
  expect(judge([small, large, { agents: 100, jobs: 1_000, steps: 999 }])).toMatchObject({ isFlat: false });
});

test('what was not measured is not judged, and nothing measured is not flat', () => {
  const [{ steps: _, ...first }, { instructions: __, ...second }] = [small, large];
  expect(judge([first, { ...second, steps: 9_999 }])).toMatchObject({ isFlat: true });
  expect(judge([{ agents: 10, jobs: 1 }])).toMatchObject({ isFlat: false });
});
