import { expect, test } from 'vitest';
import { Pool } from './pool.ts';

/** The input of the test: numbers, with a word of how many were taken and whether it was returned. */
function numbers(total: number): { items: Generator<number>; pulled: () => number; returned: () => boolean } {
  let pulled = 0;
  let returned = false;
  function* generate(): Generator<number> {
    try {
      while (pulled < total) yield pulled++;
    } finally {
      returned = true;
    }
  }
  return { items: generate(), pulled: () => pulled, returned: () => returned };
}

test('a million items stream in order, at most a window ahead and in flat memory', async () => {
  await using pool = new Pool({ processes: 2 });
  const input = numbers(1_000_000);
  let seen = 0;
  let aheadMax = 0;
  let heapAtStart = 0;
  let heapMax = 0;
  for await (const value of pool.imap((x: number) => x + 1, input.items)) {
    seen += 1;
    if (value !== seen) throw new Error(`result ${seen} was ${value}`);
    aheadMax = Math.max(aheadMax, input.pulled() - seen);
    if (seen % 50_000 !== 0) continue;
    const heap = process.memoryUsage().heapUsed;
    // The window has its full size by then.
    if (seen === 200_000) heapAtStart = heap;
    if (seen > 200_000) heapMax = Math.max(heapMax, heap);
  }
  expect({ seen, returned: input.returned() }).toEqual({ seen: 1_000_000, returned: true });
  expect(aheadMax).toBeLessThanOrEqual(65_536);
  // Held results would be 8 bytes and more for each of 800,000 items, and their blocks as much again, on top of garbage.
  expect(heapMax - heapAtStart).toBeLessThan(100 * 1024 * 1024);
});

test('a window is bounded in bytes too, and leaving the loop returns the input', async () => {
  await using pool = new Pool({ processes: 1 });
  const mebibyte = 'x'.repeat(1024 * 1024);
  let pulled = 0;
  let returned = false;
  function* big(): Generator<string> {
    try {
      for (;;) {
        pulled += 1;
        yield mebibyte;
      }
    } finally {
      returned = true;
    }
  }
  for await (const length of pool.imap((text: string) => text.length, big())) {
    expect(length).toBe(mebibyte.length);
    // The consumer stops here: what is in flight settles. Nothing but time tells that no more is pulled.
    const deadlineMs = performance.now() + 30_000;
    for (let before = -1; before !== pulled; ) {
      if (performance.now() > deadlineMs) throw new Error(`After 30 s it still pulls: ${pulled} items.`);
      before = pulled;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    break;
  }
  expect(pulled).toBeLessThanOrEqual(20);
  expect(returned).toBe(true);
});
