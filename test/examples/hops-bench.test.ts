import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const bench = (file: string, ...args: readonly string[]): Promise<string> => run([], file, ...args);

async function run(flags: readonly string[], file: string, ...args: readonly string[]): Promise<string> {
  const path = fileURLToPath(new URL(`../bench/${file}`, import.meta.url));
  const child = spawn(process.execPath, ['--conditions=@shoal/source', ...flags, path, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  expect(child.exitCode, stdout + stderr).toBe(0);
  return stdout;
}

test.runIf(process.platform === 'linux')(
  'test/bench/hops.ts prints what each kind of process costs an item, test/bench/limits.ts what the parts cost, test/bench/above-limits.ts both',
  async () => {
    const [hops, limits, above] = await Promise.all([
      bench('hops.ts', '--only', 'single,local-increment', '--scale', '0.01'),
      bench('limits.ts', '--scale', '0.01'),
      bench('above-limits.ts', '--scale', '0.01', '--rounds', '1'),
    ]);
    const cell = ' [\\d.]+ ';
    expect(hops).toMatch(new RegExp(`\\| cluster, x \\+ 1, one item a chunk \\|(${cell}\\|){5}\\n`));
    expect(hops).toMatch(new RegExp(`\\| local, x \\+ 1 \\|${cell}\\| +\\| +\\|(${cell}\\|){2}\\n`));
    const [of, both] = ['\\| cluster, [^|]+', ' [\\d.]+ \\| [\\d.]+ - [\\d.]+ \\| \\d+ % \\| \\d+ % \\|'];
    expect(above.match(new RegExp(`${of}\\|(${cell}\\|){2}${both}`, 'g'))).toHaveLength(3);
    // Of the parts, and what they come to in each of the three workloads.
    expect(limits.match(/\| [\d.,]+ µs \|/g)).toHaveLength(13 + 3);
  },
);

test.runIf(process.platform === 'linux')(
  'test/bench/profile-shares.ts prints what client, coordinator, agents and children were busy with, out of the profiles of hops.ts',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'shoal-profiles-'));
    try {
      const profiling = ['--cpu-prof', `--cpu-prof-dir=${folder}`];
      await run(profiling, 'hops.ts', '--only', 'single,local-single', '--scale', '0.01');
      const rows = (await bench('profile-shares.ts', folder)).trim().split('\n').slice(2);
      const shares = (kind: string) => expect.stringMatching(new RegExp(`^\\| ${kind} \\|( \\d+ % \\|){8}$`));
      expect(rows).toEqual(['client', 'coordinator', 'agents', 'children'].map(shares));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
);
