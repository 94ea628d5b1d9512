import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const heapRoom = new URL('heap-room.ts', import.meta.url).href;

test('a process that is given other bounds for garbage works on, and V8 says nothing of flags that it does not know', async () => {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [
    '--input-type=module',
    '--eval',
    `(await import('${heapRoom}')).giveHeapRoom();
     for (let passed = 0; passed < 1_000; passed += 1) Buffer.allocUnsafeSlow(2 ** 16);
     console.log('done');`,
  ]);
  expect(stderr).toBe('');
  expect(stdout).toBe('done\n');
});
