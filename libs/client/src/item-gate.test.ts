import type { Block } from '@shoal/pool';
import { expect, test } from 'vitest';
import { ItemGate } from './item-gate.ts';

const block = (first: number, ...hashes: string[]): Block => ({
  first,
  count: 1,
  bytes: Uint8Array.of(first),
  ...(hashes.length === 0 ? {} : { broadcasts: hashes.map((sha256) => ({ sha256, path: sha256 })) }),
});

interface World {
  readonly gate: ItemGate;
  readonly passed: (number | string)[];
  /** Constants on their way, and how each journey ends. */
  readonly journeys: Map<string, PromiseWithResolvers<void>>;
}

function world(): World {
  const passed: (number | string)[] = [];
  const journeys = new Map<string, PromiseWithResolvers<void>>();
  const gate = new ItemGate({
    push: ({ first }) => passed.push(first),
    endInput: () => passed.push('end'),
    ship: ({ sha256 }) => {
      const journey = Promise.withResolvers<void>();
      journeys.set(sha256, journey);
      return journey.promise;
    },
    failed: (error) => passed.push(String(error)),
  });
  return { gate, passed, journeys };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('items that refer to nothing pass at once', () => {
  const { gate, passed } = world();
  gate.push(block(0));
  gate.endInput();
  expect(passed).toEqual([0, 'end']);
});

test('items wait for their constants, and all that follows keeps its place', async () => {
  const { gate, passed, journeys } = world();
  gate.push(block(0));
  gate.push(block(1, 'aa'));
  gate.push(block(2));
  gate.push(block(3, 'aa', 'bb'));
  gate.endInput();
  expect([...journeys.keys()]).toEqual(['aa', 'bb']);
  journeys.get('bb')?.resolve();
  await turn();
  expect(passed).toEqual([0]);
  journeys.get('aa')?.resolve();
  await turn();
  expect(passed).toEqual([0, 1, 2, 3, 'end']);
  gate.push(block(4, 'bb'));
  expect(passed.at(-1)).toBe(4);
});

test('a constant that cannot be sent is told, and nothing passes any more', async () => {
  const { gate, passed, journeys } = world();
  gate.push(block(0, 'aa'));
  gate.push(block(1));
  journeys.get('aa')?.reject(new Error('too big'));
  await turn();
  expect(new Set(passed)).toEqual(new Set(['Error: too big']));
});
