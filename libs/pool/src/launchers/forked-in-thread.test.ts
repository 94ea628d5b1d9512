import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { forkAddon } from './fork-addon.ts';

const script = fileURLToPath(new URL('../fixtures/pool-in-thread.ts', import.meta.url));

test.skipIf(forkAddon().why !== undefined)(
  'a pool in a worker thread forks as any other, and Node has nothing to warn of',
  async () => {
    const run = promisify(execFile)(process.execPath, ['--conditions=@shoal/source', script]);
    expect(await run).toEqual({ stdout: 'forked\n', stderr: '' });
  },
);
