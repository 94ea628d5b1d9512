import { afterEach, expect, test } from 'vitest';
import { setupOf, TestPool, until } from './child-pool.testkit.ts';

const pools: TestPool[] = [];
function pool(processes: number): TestPool {
  const made = new TestPool(processes);
  pools.push(made);
  return made;
}
afterEach(async () => {
  await Promise.all(pools.splice(0).map(({ pool }) => pool.terminate()));
});

test('what an item prints comes as whole lines with its index, process and function', async () => {
  const p = pool(1);
  const { pids } = await p.run('printLines', [2, 1], { first: 5 });
  const pid = pids.get(5);
  const text = (index: number, stream: string): string =>
    p.prints
      .filter((print) => print.index === index && print.stream === stream)
      .map((print) => print.text)
      .join('\n');
  expect(text(5, 'stdout')).toBe('line 0\nline 1');
  expect(text(6, 'stdout')).toBe('line 0');
  expect(text(6, 'stderr')).toBe('to stderr');
  expect(p.prints.every((print) => print.pid === pid && print.task === 'printLines')).toBe(true);
});

test('items that wait side by side keep their prints apart', async () => {
  const p = pool(1);
  const items = [
    { name: 'a', ms: 30 },
    { name: 'b', ms: 10 },
    { name: 'c', ms: 20 },
  ];
  await p.run('printAndWait', items, { concurrentTasksPerChild: 3 });
  const said = (index: number) =>
    p.prints.filter((print) => print.index === index).map((print) => print.text);
  expect([said(0), said(1), said(2)]).toEqual([
    ['start a', 'end a'],
    ['start b', 'end b'],
    ['start c', 'end c'],
  ]);
});

test('a print is seen while its item still runs', async () => {
  const p = pool(1);
  const chunk = p.run('printAndWait', [{ name: 'a', ms: 1_000 }]);
  await until('the first line is there', () => p.prints.some((print) => print.text === 'start a'));
  expect(p.pool.stats().runningItems).toBe(1);
  await chunk;
});

test('the last line of an item may lack its end', async () => {
  const p = pool(1);
  const source = "() => { process.stdout.write('no '); process.stdout.write('end'); }";
  await p.run({ kind: 'inline', name: 'noEnd', source }, [1]);
  expect(p.prints).toMatchObject([{ stream: 'stdout', text: 'no end', index: 0, task: 'noEnd' }]);
});

test('a flood costs its item 64 KiB of prints, is counted, and blocks nobody', async () => {
  const p = pool(1);
  const startedAt = performance.now();
  const { ending } = await p.run('flood', [100_000_000]);
  expect(ending).toEqual({ kind: 'finished' });
  expect(performance.now() - startedAt).toBeLessThan(5_000);
  await until('the rest is counted', () =>
    p.prints.some(({ text }) => /^… [\d,]+ more bytes were dropped$/.test(text)),
  );
  const bytes = p.prints.reduce((sum, { text }) => sum + text.length, 0);
  expect(bytes).toBeGreaterThan(60 * 1024);
  expect(bytes).toBeLessThan(66 * 1024);
});

test('what native code writes comes without an index, capped, and blocks nobody', async () => {
  const p = pool(1);
  const { ending } = await p.run('nativeFlood', [20_000_000]);
  expect(ending).toEqual({ kind: 'finished' });
  await p.pool.close();
  const bytes = p.prints.reduce((sum, { text }) => sum + text.length, 0);
  expect(bytes).toBeGreaterThan(500_000);
  expect(bytes).toBeLessThan(6_000_000);
  expect(p.prints.every(({ index }) => index === undefined)).toBe(true);
  expect(p.prints.some(({ text }) => text.endsWith('more bytes were dropped'))).toBe(true);
});

test('nothing is forwarded with stdio: ignore, and the last words are still there', async () => {
  const p = pool(1);
  const setup = setupOf({ key: 'silent', stdio: 'ignore' });
  await p.run('printLines', [2], { setup });
  const source =
    "async () => { setTimeout(() => { throw new Error('last words'); }); await new Promise(() => {}); }";
  const { detail } = await p.run({ kind: 'inline', name: 'dies', source }, [1], { setup });
  expect(p.prints).toEqual([]);
  expect(detail.stderrTail).toContain('last words');
});
