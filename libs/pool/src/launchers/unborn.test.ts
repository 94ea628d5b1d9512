import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { until } from '../child-pool/child-pool.testkit.ts';
import { forkAddon } from './fork-addon.ts';

const script = fileURLToPath(new URL('../fixtures/parent-of-unborn.ts', import.meta.url));

/** The processes whose environment has this in it, whoever knows of them. */
function marked(mark: string): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && read(`/proc/${pid}/environ`).includes(mark));
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // It is gone, or a zombie.
    return '';
  }
}

test.skipIf(forkAddon().why !== undefined)(
  'a pool that is killed leaves no child that its server has not made yet',
  async () => {
    const mark = randomUUID();
    const pool: ChildProcess = spawn(process.execPath, ['--conditions=@shoal/source', script, mark], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let server = 0;
    for await (const line of createInterface({ input: pool.stdout as NodeJS.ReadableStream })) {
      if (line === 'ready') break;
      server = Number(line);
    }
    try {
      expect(marked(mark)).toContain(server);
    } finally {
      pool.kill('SIGKILL');
      process.kill(server, 'SIGCONT');
    }
    await until('all are gone', () => marked(mark).length === 0 || marked(mark));
  },
);
