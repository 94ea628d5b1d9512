import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { startCoordinator } from '@shoal/coordinator';
import { startAgent } from '@shoal/node-agent';
import { pino } from 'pino';
import { expect, test } from 'vitest';

const main = fileURLToPath(new URL('../../examples/scraper/main.ts', import.meta.url));

/** Runs the example with all its pages; of those that are fetched one at a time, so many that it takes seconds. */
async function scraper(address: string): Promise<{ readonly exitCode: number; readonly output: string }> {
  const child = spawn(process.execPath, ['--conditions=@shoal/source', main, '--share', '160'], {
    env: { ...process.env, NO_COLOR: '1', SHOAL_ADDRESS: address },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { exitCode: child.exitCode ?? 1, output: stdout + stderr };
}

const speedOf = (output: string, how: string): number =>
  Number(new RegExp(`${how} at a time: .* ([\\d,]+) pages/s`).exec(output)?.[1]?.replaceAll(',', ''));

function expectEveryPage({ exitCode, output }: Awaited<ReturnType<typeof scraper>>): void {
  expect(exitCode, output).toBe(0);
  expect(output).toMatch(/^page 5000: ITEM_TIMED_OUT: Item 5000 ran longer than 5 s/m);
  expect(output).toMatch(/^page 6666: ITEM_THREW: Item 6666 failed: HttpError: .* answered 500/m);
  expect(output).toContain('ok  the other 9,998 are there, each once, in order');
  // Whoever asks for 100 at once gets them, and no more.
  expect(output).toContain('ok  at most 100 pages were under way at once');
  // It is about 18 times as fast; a machine that is busy otherwise leaves less of it.
  expect(speedOf(output, '4 x 25')).toBeGreaterThan(2 * speedOf(output, '4 x 1'));
}

test('10,000 pages are fetched 100 at a time on four processes; the two that fail cost no other', async () => {
  expectEveryPage(await scraper(''));
});

test('the same on a cluster', async () => {
  const log = pino({ level: 'silent' });
  const coordinator = await startCoordinator({ listen: '127.0.0.1:0', log });
  const agents = await Promise.all(
    ['agent-1', 'agent-2'].map((name) => startAgent({ join: coordinator.address, name, processes: 2, log })),
  );
  try {
    await Promise.all(agents.map(({ joined }) => joined));
    expectEveryPage(await scraper(coordinator.address));
  } finally {
    await Promise.all(agents.map((agent) => agent.close({ drain: false })));
    await coordinator.close({ drain: false });
  }
});
