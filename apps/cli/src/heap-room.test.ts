import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const MiB = 2 ** 20;
const heapRoom = new URL('heap-room.ts', import.meta.url).href;
/** Half a gigabyte passes through, a MiB of it alive at a time. */
const passOn = `
  let most = 0;
  const alive = new Array(16);
  for (let passed = 0; passed < 8_000; passed += 1) {
    alive[passed % alive.length] = Buffer.allocUnsafeSlow(2 ** 16);
    most = Math.max(most, process.memoryUsage().arrayBuffers);
  }
  console.log(most);`;

/** The most that buffers held, those included that nobody needed any more. */
async function mostHeld(first: string): Promise<number> {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [
    '--input-type=module',
    '--eval',
    `${first};${passOn}`,
  ]);
  expect(stderr).toBe('');
  return Number(stdout) / MiB;
}

test('a process that passes bytes on lets fewer of them lie about than V8 would, and says nothing of its flags', async () => {
  const byItself = await mostHeld('');
  const withRoom = await mostHeld(`(await import('${heapRoom}')).giveHeapRoom()`);
  expect(withRoom).toBeLessThan(byItself * 0.85);
});
