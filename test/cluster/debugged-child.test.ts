/** A child of an agent that waits for its debugger, which is waited for as in a pool on one machine. */
import { once } from 'node:events';
import { Writable } from 'node:stream';
import { connect, PrintWriter } from 'shoal';
import { afterEach, expect, test, vi } from 'vitest';
import { TestCluster, until } from './test-cluster.ts';

// Any other child is killed before Node itself has begun.
vi.mock('../../libs/pool/src/core/pool-limits.ts', async (original) => {
  const { defaultLimits } = await original<typeof import('../../libs/pool/src/core/pool-limits.ts')>();
  return { defaultLimits: { ...defaultLimits, startMs: 1 } };
});

const cluster = new TestCluster();
afterEach(() => cluster.stop());

/** Lets a process go on that waits for its debugger, and leaves it. */
async function attach(address: string): Promise<void> {
  const debug = new WebSocket(address);
  await once(debug, 'open');
  debug.send(JSON.stringify({ id: 1, method: 'Runtime.runIfWaitingForDebugger' }));
  await once(debug, 'message');
  debug.close();
}

test('a child of an agent that waits for its debugger is waited for, and tells its client where that is attached', async () => {
  await cluster.listen();
  await cluster.agent({ processes: 1 });
  const { address } = cluster.coordinator;

  const said: string[] = [];
  const stderr = new Writable({
    write: (text, _, done) => {
      said.push(String(text));
      done();
    },
  });
  const printer = new PrintWriter({ stdout: stderr, stderr });
  {
    await using pool = await connect(address, { execArgv: ['--inspect-wait=127.0.0.1:0'], printer });
    const ran = pool.map((x: number) => x + 1, [1]);
    const debuggerAt = await until(
      'its debugger can be attached',
      () => /Debugger listening on (\S+)/.exec(said.join(''))?.[1],
    );
    await attach(debuggerAt);
    expect(await ran).toEqual([2]);
    expect(pool.stats().deaths).toBe(0);
  }

  await using pool = await connect(address);
  await expect(pool.map((x: number) => x + 1, [1])).rejects.toMatchObject({
    code: 'CHILD_START_FAILED',
    message: expect.stringContaining('which is over the limit (startMs)'),
  });
});
