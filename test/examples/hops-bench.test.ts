import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

async function bench(file: string, ...args: readonly string[]): Promise<string> {
  const path = fileURLToPath(new URL(`../bench/${file}`, import.meta.url));
  const child = spawn(process.execPath, ['--conditions=@shoal/source', path, ...args], {
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
