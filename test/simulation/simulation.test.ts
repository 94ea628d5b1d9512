import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Ran, sim } from './command.testkit.ts';
import { plantedBugs } from './planted-bugs.ts';
import { guarantees } from './violation.ts';

/** One line of `npm run sim -- --bugs`. */
interface Verdict {
  readonly bug: string;
  readonly seed: number;
  readonly caughtBy?: string;
  readonly says?: string;
  readonly soundCore: string;
}

/** What the title claims is what the oracle watches, no more and no less. */
const claimed = guarantees.filter((each) => each.startsWith('G')).join(', ');

/** Both use one core of the machine each, so they run beside each other. */
let seeds: Ran;
let bugs: Ran;

beforeAll(async () => {
  [seeds, bugs] = await Promise.all([sim('--seeds', '1000', '--quiet'), sim('--bugs')]);
});

test(`${claimed} hold in 1,000 worlds, and in every world that once broke one`, () => {
  expect(seeds.code, seeds.output).toBe(0);
  expect(seeds.output).toMatch(/^worlds +1,\d{3}$/m);
});

test('there are at least 30 planted bugs, each under a name of its own', () => {
  expect(plantedBugs.length).toBeGreaterThanOrEqual(30);
  expect(new Set(plantedBugs.map(({ name }) => name)).size).toBe(plantedBugs.length);
});

test('a table tells what the oracle watches of each guarantee, and a planted bug breaks it', () => {
  const table = readFileSync(new URL('oracle/README.md', import.meta.url), 'utf8');
  const told = [...table.matchAll(/^\| (G\d+|priority|structure) \|/gm)].map(([, guarantee]) => guarantee);
  expect(told).toEqual([...guarantees]);
  const broken = new Set([...bugs.output.matchAll(/"caughtBy":"(\w+)"/g)].map(([, guarantee]) => guarantee));
  const unseen = guarantees.filter((each) => !broken.has(each));
  expect(unseen, bugs.output).toEqual([]);
});

describe('the oracle catches', () => {
  test.each(plantedBugs)('$name: $breaks', ({ name }) => {
    const line = bugs.output.split('\n').find((each) => each.startsWith(`{"bug":"${name}"`));
    const verdict = JSON.parse(line ?? '{}') as Partial<Verdict>;
    // Where a core has changed since, another seed than the one in the list may be the one that shows it.
    expect(verdict, bugs.output).toMatchObject({ caughtBy: expect.any(String), soundCore: 'passes' });
  });
});

test('the same seed is the same world, to the last event, in another process too', async () => {
  const runs = await Promise.all([sim('--seed', '42'), sim('--seed', '42'), sim('--seed', '43')]);
  const [first, second, other] = runs.map(({ output }) => /^hash ([0-9a-f]{16})$/m.exec(output)?.[1]);
  expect(first, runs[0]?.output).toBeDefined();
  expect(second).toBe(first);
  expect(other).not.toBe(first);
});

test('a failure is told with its seed, its commit, what was broken, and a story that a person can read', async () => {
  const { code, output } = await sim('--bug', 'results-of-anybody', '--lines', '200');
  expect(code).toBe(0);
  expect(output).toMatch(
    /^FAILED seed \d+ at commit \S+.*; again: npm run sim -- --seed \d+ --bug results-of-anybody$/m,
  );
  expect(output).toMatch(/^G3: job-\d+\[\d+\] is accepted twice/m);
  expect(output).toMatch(/^shrunk from \d+ agents, .* to \d+ agents?, /m);
  expect(output).toMatch(/coordinator +-> dispatch session=\d+ agent=agent-\d+ attempt=\d+ job=job-\d+@/);
});
