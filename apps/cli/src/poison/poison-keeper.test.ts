import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ItemError, type ItemErrorCode } from '@shoal/errors';
import type { Settled } from '@shoal/pool';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readPoison } from './poison-file.ts';
import { PoisonKeeper } from './poison-keeper.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'shoal-poison-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const failed = (index: number, code: ItemErrorCode): Settled<unknown> => {
  const error = new ItemError({ code, index, task: 'f', attempts: [{ pid: 7 }], facts: {} });
  return { status: 'rejected', index, error };
};
const value = (index: number): Settled<unknown> => ({ status: 'fulfilled', index, value: `value ${index}` });

/** Pulls items a, b, c, … and takes the outcomes; tells what came of each and what was said. */
async function run(outcomes: readonly Settled<unknown>[]) {
  const said: string[] = [];
  const task = { url: pathToFileURL('/gone/work.ts'), export: 'f' };
  const keeper = new PoisonKeeper({ folder, task, timeoutMs: undefined, say: (text) => said.push(text) });
  const items = outcomes.map((_, index) => String.fromCharCode(97 + index));
  expect(await Array.fromAsync(keeper.remember(items))).toEqual(items);
  expect(keeper.size).toBe(outcomes.length);
  async function* stream(): AsyncGenerator<Settled<unknown>, undefined> {
    yield* outcomes;
    return undefined;
  }
  const watched = keeper.watch(stream());
  const came: unknown[] = [];
  for (;;) {
    try {
      const next = await watched.next();
      if (next.done === true) return { came, said, keeper };
      came.push(next.value);
    } catch (error) {
      came.push(error instanceof ItemError ? `${error.index} ${error.code}` : error);
    }
  }
}

test('the item of an outcome is found by its index, in whatever order outcomes come', async () => {
  const { came, said } = await run([value(2), failed(1, 'ITEM_KILLED_CHILD'), value(0)]);
  expect(came).toEqual(['value 2', '1 ITEM_KILLED_CHILD', 'value 0']);
  const [file = ''] = readdirSync(folder);
  expect(said).toEqual([`shoal: item 1 is saved: shoal replay ${join(folder, file)}`]);
  expect(await readPoison(join(folder, file))).toMatchObject({
    index: 1,
    item: 'b',
    moduleSha256: undefined,
  });
});

test('only what killed its process or ran too long is saved', async () => {
  await run([failed(0, 'ITEM_THREW'), failed(1, 'ITEM_LOST'), failed(2, 'ITEM_TIMED_OUT')]);
  expect(readdirSync(folder)).toEqual([expect.stringMatching(/^poison-2-/)]);
});

test('nothing is remembered of an item that has its outcome', async () => {
  const { keeper } = await run([value(0), failed(1, 'ITEM_THREW'), value(2)]);
  expect(keeper.size).toBe(0);
});

test('a file that cannot be written is said, and the job goes on', async () => {
  rmSync(folder, { recursive: true });
  const { came, said } = await run([failed(0, 'ITEM_TIMED_OUT'), value(1)]);
  expect(came).toEqual(['0 ITEM_TIMED_OUT', 'value 1']);
  expect(said).toEqual([expect.stringMatching(/^shoal: item 0 was not saved: .*there is no such file/)]);
});
