import fc from 'fast-check';
import { test } from 'vitest';
import { PoolSimulation } from './pool-simulation.testkit.ts';

test('whatever happens, every item has one fate, limits are exact, and nothing is left behind', () => {
  const choices = fc.array(fc.nat({ max: 1_000_000 }), { minLength: 20, maxLength: 300 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4 }), fc.boolean(), choices, (processes, isWarm, actions) => {
      const simulation = new PoolSimulation(processes, isWarm);
      for (const action of actions) simulation.act(action);
      simulation.finish();
    }),
    { numRuns: 1_000 },
  );
});
