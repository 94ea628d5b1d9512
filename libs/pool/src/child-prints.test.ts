import { afterEach, expect, test } from 'vitest';
import { setupOf, TestPool, until } from './child-pool/child-pool.testkit.ts';

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

test('a character that is written in pieces is one character, and stays that of its item', async () => {
  const p = pool(1);
  const source = `async (text) => {
    for (const byte of Buffer.from(text + '\\n')) {
      process.stdout.write(Buffer.from([byte]));
      await null;
    }
    process.stdout.write('68690a', 'hex');
  }`;
  const items = ['grüße 🐟', 'ünï ✓'];
  await p.run({ kind: 'inline', name: 'bytes', source }, items, { concurrentTasksPerChild: 2 });
  const said = (index: number) =>
    p.prints
      .filter((print) => print.index === index)
      .map(({ text }) => text)
      .join('\n');
  expect([said(0), said(1)]).toEqual(items.map((item) => `${item}\nhi`));
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
  expect(performance.now() - startedAt).toBeLessThan(30_000);
  await until('the rest is counted', () =>
    p.prints.some(({ text }) =>
      /^… [\d,]+ more bytes were dropped: an item may print 64 KiB \(maxPrintBytesPerItem\)$/.test(text),
    ),
  );
  const bytes = p.prints.reduce((sum, { text }) => sum + text.length, 0);
  expect(bytes).toBeGreaterThan(60 * 1024);
  expect(bytes).toBeLessThan(66 * 1024);
});

test('an item is reported after all that it printed, and after the count of what was dropped', async () => {
  const p = pool(1);
  const source = "(how) => { console.log('y'.repeat(100_000)); if (how === 'throw') throw new Error(how); }";
  const task = { kind: 'inline', name: 'talk', source } as const;
  for (const how of ['return', 'throw']) {
    p.prints.length = 0;
    await p.run(task, [how, how, how]);
    const counted = p.prints.filter(({ text }) => text.includes('34,464 more bytes were dropped'));
    expect(counted.map(({ index }) => index)).toEqual([0, 1, 2]);
  }
});

test('what the last item printed is told before its result', async () => {
  const p = pool(1);
  const source = "() => { for (let i = 0; i < 100; i++) console.log(i); process.stdout.write('end'); }";
  await p.run({ kind: 'inline', name: 'talk', source }, [1]);
  expect(p.told.at(-1)).toBe('results');
  expect(p.prints.at(-1)?.text.endsWith('end')).toBe(true);
});

test('a flood outside items is counted within a second or so, and its oddest bytes kill no child', async () => {
  const p = pool(1);
  await p.run('floodOutside', [900_000]);
  await until('the rest is counted', () =>
    p.prints.some(({ text }) => text.includes('more bytes were dropped: ')),
  );
  expect(p.pool.stats().deaths).toBe(0);
});

test('what native code writes comes without an index, capped, and blocks nobody', async () => {
  const p = pool(1);
  const startedAtMs = performance.now();
  const { ending } = await p.run('nativeFlood', [20_000_000]);
  expect(ending).toEqual({ kind: 'finished' });
  await p.pool.close();
  const seconds = Math.ceil((performance.now() - startedAtMs) / 1_000);
  const bytes = p.prints.reduce((sum, { text }) => sum + text.length, 0);
  expect(bytes).toBeGreaterThan(500_000);
  // So much a second, begun ones included: a busy machine needs many.
  expect(bytes).toBeLessThan((seconds + 1) * 1_100_000);
  expect(p.prints.every(({ index }) => index === undefined)).toBe(true);
  expect(p.prints.some(({ text }) => text.includes('more bytes were dropped: '))).toBe(true);
});

test('an inline function that imports prints nothing that it did not print', async () => {
  const p = pool(1);
  const source = "async () => { process.emitWarning('its own'); return (await import('node:os')).EOL; }";
  const { values } = await p.run({ kind: 'inline', name: 'importer', source }, [1]);
  expect(values.get(0)).toBe('\n');
  await until('its own warning is there', () => p.prints.some(({ text }) => text.includes('its own')));
  await p.pool.close();
  expect(p.prints.filter(({ text }) => text.includes('Experimental'))).toEqual([]);
});

test('what native code lost is counted although nothing more comes', async () => {
  const p = pool(1);
  await p.run('nativeFlood', [3_000_000]);
  await until('the rest is counted', () =>
    p.prints.some(({ text }) =>
      text.includes('more bytes were dropped: a process may print 1 MiB a second (maxPrintBytesPerSecond)'),
    ),
  );
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
