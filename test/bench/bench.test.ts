import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { Table } from './figures.ts';
import { axes } from './growth/axis.ts';
import type { Growth } from './growth/growth.ts';
import { workloads } from './workloads.ts';

const main = fileURLToPath(new URL('main.ts', import.meta.url));

async function bench(
  ...args: readonly string[]
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [main, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: child.exitCode, stdout, stderr };
}

test('a small run measures everybody in every workload once, or says who is missing or failed and why', async () => {
  const out = mkdtempSync(join(tmpdir(), 'shoal-bench-'));
  try {
    const { code, stdout, stderr } = await bench('--small', '--out', out);
    expect(code, stderr).toBe(0);
    const { tables } = JSON.parse(readFileSync(join(out, 'bench.json'), 'utf8')) as { tables: Table[] };
    expect(tables.map(({ name }) => name)).toEqual(workloads.map(({ name }) => name));
    const rows = tables.flatMap(({ rows }, at) =>
      rows.map((row, line) => ({
        ...row,
        name: `${workloads[at]?.name}: ${row.contender}`,
        peer: workloads[at]?.contenders[line]?.peer.name,
      })),
    );
    const isMeasured = ({ median }: (typeof rows)[0]): boolean => median > 0;
    const unexplained = rows.filter((row) => !isMeasured(row) && (row.missing ?? row.failed) === undefined);
    expect(unexplained).toEqual([]);
    // A peer may have a bad day, but its script works: whoever is here was measured somewhere.
    const failed = rows.filter((row) => row.failed !== undefined);
    for (const row of failed) console.warn(`FAILED ${row.name} ${row.failed}`);
    const measured = new Set(rows.filter(isMeasured).map(({ peer }) => peer));
    expect(failed.filter(({ peer }) => !measured.has(peer))).toEqual([]);
    // What comes with the install is never missing.
    const missing = new Set(tables.flatMap(({ rows }) => rows.flatMap((row) => row.missing ?? [])));
    expect([...missing].filter((why) => why.startsWith('the package'))).toEqual([]);
    expect(stdout).toBe(readFileSync(join(out, 'bench.md'), 'utf8'));
    const chart = readFileSync(join(out, 'bench.svg'), 'utf8');
    expect(chart.match(/class="title"/g)).toHaveLength(workloads.length);
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
});

test('a small run of how cost grows measures every axis in every place', async () => {
  const out = mkdtempSync(join(tmpdir(), 'shoal-bench-'));
  try {
    const { code, stdout, stderr } = await bench('--growth', '--small', '--out', out);
    expect(code, stderr).toBe(0);
    const { growths } = JSON.parse(readFileSync(join(out, 'growth.json'), 'utf8')) as { growths: Growth[] };
    const measured = growths.flatMap(({ name, series }) =>
      series.map(({ place, points }) => `${name} ${place} ${points.every((each) => each.microseconds > 0)}`),
    );
    const wanted = axes.flatMap(({ name, places }) => places.map((place) => `${name} ${place} true`));
    expect(measured).toEqual(wanted);
    expect(stdout).toBe(readFileSync(join(out, 'growth.md'), 'utf8'));
    for (const { name } of axes) {
      expect(readFileSync(join(out, `growth-${name}.svg`), 'utf8')).toContain('<polyline');
    }
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
});

test.each([
  [['--only', 'no-such'], '--only no-such: there is local-increment'],
  [['--runs', '0'], '--runs 0: a whole number from 1'],
  [['--growth', '--only', 'local-echo'], '--only local-echo: there is items'],
  [['--publish', '--runs', '4'], '--publish goes without --runs 4: what is published has at least 5'],
  [
    ['--publish', '--growth', '--runs', '2'],
    '--publish goes without --runs 2: what is published has at least 3',
  ],
  [['--publish', '--only', 'local-echo'], '--publish goes without --only'],
  [['--minutes', '0.5'], '--minutes 0.5: a whole number from 1'],
  [['--fast'], "Unknown option '--fast'"],
])('%j is refused before anything is measured', async (args, reason) => {
  const { code, stderr } = await bench(...args);
  expect({ code, refused: stderr.includes(reason) }, stderr).toEqual({ code: 2, refused: true });
});
