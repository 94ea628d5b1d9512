import { afterEach, expect, test } from 'vitest';
import { setupOf, TestPool } from '../child-pool/child-pool.testkit.ts';
import type { ChildSetup } from '../child-pool/chunk-request.ts';
import { youngHeap } from './young-heap.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0)) await clean();
});

/** What a child was told, in truth (on Linux) and by its own account, and how a thread ends that is told the same. */
async function ask(overrides: Partial<ChildSetup>, ended: string = 'undefined'): Promise<unknown> {
  const source = `async () => {
    const line = process.getBuiltinModule('node:fs').readFileSync('/proc/self/cmdline', 'latin1');
    const told = line.split('\\0').slice(1, -2);
    return { told, execArgv: process.execArgv, ended: await ${ended} };
  }`;
  const p = new TestPool(1);
  cleanups.push(() => p.pool.terminate());
  const { values } = await p.run({ kind: 'inline', name: 'ask', source }, [1], { setup: setupOf(overrides) });
  return values.get(0);
}

/** Node refuses a thread that is told what is for a whole process. */
const thread = `new Promise((resolve, reject) => {
  const { Worker } = process.getBuiltinModule('node:worker_threads');
  new Worker('0', { eval: true, execArgv: process.execArgv }).on('exit', resolve).on('error', reject);
})`;

test.skipIf(process.platform !== 'linux')(
  'a child has room for young objects, of which neither it nor its threads are told',
  async () => {
    expect(await ask({}, thread)).toEqual({ told: youngHeap([], {}), execArgv: [], ended: 0 });
  },
);

test.skipIf(process.platform !== 'linux')(
  'what the user says of young objects is all that a child is told of them',
  async () => {
    const execArgv = ['--max-semi-space-size=1'];
    expect(await ask({ execArgv })).toMatchObject({ told: execArgv, execArgv });
  },
);

test('options of other kinds leave a child its room', () => {
  expect(youngHeap(['--max-old-space-size=40'], { NODE_OPTIONS: '--enable-source-maps' })).toHaveLength(1);
  expect(youngHeap(['--min_semi_space_size=4'], {})).toEqual([]);
  expect(youngHeap([], { NODE_OPTIONS: '--enable-source-maps --max-semi-space-size=64' })).toEqual([]);
});
