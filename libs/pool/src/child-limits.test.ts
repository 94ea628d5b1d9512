import { once } from 'node:events';
import { afterEach, expect, test } from 'vitest';
import { blockOf, fixture, setupOf, TestPool, until } from './child-pool/child-pool.testkit.ts';

const pools: TestPool[] = [];
afterEach(async () => {
  await Promise.all(pools.splice(0).map((p) => p.pool.terminate()));
});

function pool(...args: ConstructorParameters<typeof TestPool>): TestPool {
  const p = new TestPool(...args);
  pools.push(p);
  return p;
}

test.each(['signal11', 'segfault'])(
  'a segmentation fault (%s) is a death with its signal and suspect',
  async (how) => {
    const p = pool(1);
    const setup = setupOf({ execArgv: ['--stack-size=65500'] });
    const { ending, values } = await p.run('misbehave', [{ how: 'ok' }, { how }, { how: 'ok' }], {
      marksStarts: true,
      setup,
    });
    expect(ending).toMatchObject({
      kind: 'childDied',
      exit: { signal: 'SIGSEGV' },
      suspects: [{ first: 1, count: 1 }],
      unstarted: [{ first: 2, count: 1 }],
    });
    expect([...values.keys()]).toEqual([0]);
    expect((await p.run('addOne', [1], { setup })).values.get(0)).toBe(2);
  },
);

test('an item that takes its child over twice maxRssBytes is killed and named, with the reason', async () => {
  const setup = setupOf({ maxRssBytes: 150 * 1024 * 1024 });
  const p = pool(1);
  const { ending, detail } = await p.run('hogMemory', [16, 4_096], { setup, marksStarts: true });
  expect(ending).toMatchObject({
    kind: 'childDied',
    exit: { signal: 'SIGKILL' },
    suspects: [{ first: 1, count: 1 }],
  });
  expect(detail.stderrTail).toMatch(/MiB, over 2 times maxRssBytes \(150 MiB\), and was killed\.$/);
});

test('an initializer that hangs ends what waits for it, and costs one process', async () => {
  const initializer = { task: fixture('initialize'), args: blockOf(['hang']).bytes };
  const p = pool(1, { limits: { initializerMs: 300 } });
  const { ending, detail } = await p.run('addOne', [1], { setup: setupOf({ key: 'hang', initializer }) });
  expect(ending).toEqual({ kind: 'initializerFailed' });
  expect(detail.error?.message).toMatch(/^it was not done after \d+ s \(initializerTimeoutMs\)$/);
  expect((await p.run('addOne', [1])).values.get(0)).toBe(2);
});

test('children that hang before their first word are killed, and what waits for them ends with the reason', async () => {
  const hang = 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)';
  const setup = setupOf({ key: 'hang', execArgv: ['--import', `data:text/javascript,${hang}`] });
  const p = pool(1, { limits: { startMs: 300 } });
  const { ending, detail } = await p.run('addOne', [1], { setup });
  expect(p.pool.stats().deaths).toBe(3);
  expect(ending).toEqual({ kind: 'taskFailed' });
  expect(detail.failure).toEqual({
    code: 'CHILD_START_FAILED',
    facts: {
      reason: expect.stringMatching(
        /^it said nothing for \d+ s, which is over the limit \(startMs\): Node may have/,
      ),
    },
  });
});

test('a child that waits for its debugger is waited for', async () => {
  const setup = setupOf({ key: 'debugged', execArgv: ['--inspect-wait=127.0.0.1:0'] });
  // Any other child is killed before Node itself has begun.
  const p = pool(1, { limits: { startMs: 1 } });
  const ran = p.run('addOne', [1], { setup });
  const address = (): string | undefined =>
    /Debugger listening on (\S+)/.exec(p.prints.map(({ text }) => text).join(' '))?.[1];
  await until('its debugger can be attached', () => address() !== undefined || p.prints.length);
  await attach(address() ?? '');
  expect((await ran).values.get(0)).toBe(2);
  expect(p.pool.stats().deaths).toBe(0);
});

/** Lets a process go on that waits for its debugger, and leaves it. */
async function attach(address: string): Promise<void> {
  const debug = new WebSocket(address);
  await once(debug, 'open');
  debug.send(JSON.stringify({ id: 1, method: 'Runtime.runIfWaitingForDebugger' }));
  await once(debug, 'message');
  debug.close();
}

test('side by side: values keep their places, and no child starts more than its limit', async () => {
  const p = pool(2);
  const items = Array.from({ length: 40 }, (_, i) => i);
  const chunks = [0, 10, 20, 30].map((first) =>
    p.run('whoRan', items.slice(first, first + 10), {
      first,
      concurrentTasksPerChild: 4,
      maxTasksPerChild: 3,
    }),
  );
  const outcomes = await Promise.all(chunks);
  const counts = new Map<number, number>();
  for (const { values, ending } of outcomes) {
    expect(ending).toEqual({ kind: 'finished' });
    for (const [index, value] of values) {
      const { x, pid } = value as { x: number; pid: number };
      expect(x).toBe(index);
      counts.set(pid, (counts.get(pid) ?? 0) + 1);
    }
  }
  expect(outcomes.reduce((sum, { values }) => sum + values.size, 0)).toBe(40);
  expect(Math.max(...counts.values())).toBe(3);
}, 60_000);

test('side by side: the item that runs too long is named, its neighbours go back free', async () => {
  const items = [{ how: 'sleep', ms: 10 }, { how: 'never' }, { how: 'sleep', ms: 20 }];
  const { ending, values } = await pool(1).run('misbehave', items, {
    concurrentTasksPerChild: 3,
    timeoutMs: 400,
  });
  expect(ending).toMatchObject({ kind: 'timedOut', index: 1, unstarted: [] });
  expect([...values.keys()].sort()).toEqual([0, 2]);
});

test('side by side: an abort ends all that run, within the grace time', async () => {
  const p = pool(1);
  const items = Array.from({ length: 5 }, () => ({ name: 'it', ms: 600_000 }));
  const outcome = p.run('printAndWait', items, { concurrentTasksPerChild: 5 });
  await until('all five run', () => p.prints.length === 5 || p.prints);
  const abortedAt = performance.now();
  p.pool.abort(p.lastId, 200);
  // All five had begun, and nobody hears what became of them.
  expect((await outcome).ending).toEqual({ kind: 'aborted', started: [{ first: 0, count: 5 }] });
  expect(performance.now() - abortedAt).toBeLessThan(10_000);
});
