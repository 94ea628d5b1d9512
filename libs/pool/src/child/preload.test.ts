import { createHook } from 'node:async_hooks';
import { randomInt, randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { useUpCaches } from './preload.ts';

/** How often Node has asked for random bytes meanwhile. */
function askedBy(draw: () => unknown): number {
  let asked = 0;
  const hook = createHook({
    init(_, type) {
      if (type === 'RANDOMBYTESREQUEST') asked += 1;
    },
  }).enable();
  draw();
  hook.disable();
  return asked;
}

test('copies begin with UUIDs and integers that nobody has drawn ahead', () => {
  // Wherever in its stock Node is: also where nothing of it is left.
  for (const drawn of [0, 1, 77]) {
    for (let time = 0; time < drawn; time++) {
      randomUUID();
      randomInt(1_000);
    }
    expect(useUpCaches()).toBe(true);
    expect(askedBy(() => randomUUID())).toBe(1);
    expect(askedBy(() => randomInt(1_000))).toBe(1);
    expect(askedBy(() => [randomUUID(), randomInt(1_000)])).toBe(0);
  }
});
