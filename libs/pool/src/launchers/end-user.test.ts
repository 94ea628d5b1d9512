import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { endUser } from './end-user.ts';

describe.skipIf(process.platform === 'win32')('a user', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout'] }));
  afterEach(() => void vi.useRealTimers());

  /** Ends a user with shells that kill nobody, and that end like this, one after the other. */
  function ending(scripts: readonly string[]): {
    readonly shells: ChildProcess[];
    readonly done: () => void;
  } {
    const shells: ChildProcess[] = [];
    const done = vi.fn<() => void>();
    endUser(1_800_000_300, done, () => {
      const shell = spawn('/bin/sh', ['-c', scripts[shells.length] ?? 'exit 1'], { stdio: 'ignore' });
      shells.push(shell);
      return shell;
    });
    return { shells, done };
  }

  test.each(['exit 0', 'exit 1'])('is free when all was ended, or nothing was there: %s', async (script) => {
    const { shells, done } = ending([script]);
    await once(shells[0] as ChildProcess, 'exit');
    expect(done).toHaveBeenCalledOnce();
  });

  test('stays taken while whatever runs as it ends the shell that should end it', async () => {
    const { shells, done } = ending(['kill -s KILL $$', 'kill -s KILL $$', 'exit 0']);
    for (const killed of [1, 2]) {
      await once(shells[killed - 1] as ChildProcess, 'exit');
      expect(done, `killed ${killed} times`).not.toHaveBeenCalled();
      vi.advanceTimersByTime(1_000);
      expect(shells).toHaveLength(killed + 1);
    }
    await once(shells[2] as ChildProcess, 'exit');
    expect(done).toHaveBeenCalledOnce();
  });

  test('stays taken while no shell can be started', async () => {
    const done = vi.fn<() => void>();
    let tries = 0;
    const failing = spawn('/nowhere/sh', { stdio: 'ignore' });
    endUser(1_800_000_300, done, () => {
      tries += 1;
      return tries === 1 ? failing : spawn('/bin/sh', ['-c', 'sleep 0'], { stdio: 'ignore' });
    });
    await new Promise<void>((resolve) => failing.once('error', () => resolve()));
    expect(done).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1_000);
    expect(tries).toBe(2);
  });
});
