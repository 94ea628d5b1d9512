/** The program around a pool may be busy, or stopped, for longer than an item may run. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { poolsOfTests } from './test-pools.testkit.ts';

const pool = poolsOfTests();
const waitMsMax = 30_000;
let folder: string | undefined;

afterEach(() => {
  vi.useRealTimers();
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

/**
 * Says that it runs, goes on when it is told to, and lets know when its result has left for sure: nobody hears of that in the child,
 * so it waits for many times as long as a result is held back. The time in a child is real, whatever it is here.
 */
const source = `async ({ goOn, hasLeft }) => {
  const { existsSync, writeFileSync } = process.getBuiltinModule('node:fs');
  console.log('runs');
  while (!existsSync(goOn)) await new Promise((resolve) => setTimeout(resolve, 5));
  setTimeout(() => writeFileSync(hasLeft, ''), 50);
  return 'in time';
}`;

test('G8: no item is said to have run too long that ended while its pool had no turn', async () => {
  folder = mkdtempSync(join(tmpdir(), 'shoal-unread-'));
  const goOn = join(folder, 'go-on');
  const hasLeft = join(folder, 'has-left');
  const busy = pool(1);
  await busy.run('addOne', [1]);
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  const task = { kind: 'inline', name: 'waits', source } as const;
  const outcome = busy.run(task, [{ goOn, hasLeft }], { marksStarts: true, timeoutMs: 60_000 });
  const giveUpAt = Date.now() + waitMsMax;
  // What it prints comes behind the word that it has started.
  while (busy.prints.length === 0 && Date.now() < giveUpAt) await new Promise(setImmediate);
  expect(busy.prints).toMatchObject([{ text: 'runs' }]);
  writeFileSync(goOn, '');
  const nothing = new Int32Array(new SharedArrayBuffer(4));
  while (!existsSync(hasLeft) && Date.now() < giveUpAt) Atomics.wait(nothing, 0, 0, 5);
  expect(existsSync(hasLeft)).toBe(true);
  vi.advanceTimersByTime(60_000);
  const { ending, values } = await outcome;
  expect({ ending, value: values.get(0) }).toEqual({ ending: { kind: 'finished' }, value: 'in time' });
});
