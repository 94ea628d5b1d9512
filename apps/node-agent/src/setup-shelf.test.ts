import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { JobSetup, type Block as WireBlock } from '@shoal/protocol';
import { afterEach, expect, test } from 'vitest';
import { BundleCache } from './bundle-cache.ts';
import { SetupShelf } from './setup-shelf.ts';

const contents = ['one constant', 'another'].map((text) => Buffer.from(text));
const [a, b] = contents.map((content) => createHash('sha256').update(content).digest('hex')) as [
  string,
  string,
];
const caches: BundleCache[] = [];
afterEach(async () => {
  for (const cache of caches.splice(0)) await cache.close();
});

interface World {
  readonly shelf: SetupShelf;
  readonly cache: BundleCache;
  readonly fetched: string[];
  /** What was told so far: `1 prepared`, `2 failed: why`. */
  readonly told: string[];
  /** Resolves when that has been told. */
  heard(what: string): Promise<void>;
}

async function shelfWithCache(): Promise<World> {
  const fetched: string[] = [];
  const told: string[] = [];
  const waiting = new Set<() => void>();
  const tell = (what: string): void => {
    told.push(what);
    for (const look of waiting) look();
  };
  const cache = await BundleCache.open({
    // Room for one: what is held goes over it, what is not held is thrown away.
    maxBytes: 1,
    fetch: async (sha256) => {
      fetched.push(sha256);
      const content = contents[[a, b].indexOf(sha256)];
      if (content === undefined) throw new Error('there is no such constant');
      return content;
    },
  });
  caches.push(cache);
  const shelf = new SetupShelf({
    bundles: cache,
    terms: {
      agent: 'here',
      env: {},
      encodings: ['v8', 'json', 'bytes'],
      maxRssBytes: undefined,
      startChildren: 'auto',
      maxTasksPerChild: undefined,
      isolation: {
        level: 'process',
        firstUid: 500,
        lastUid: 501,
        image: 'shoal:test',
        memoryBytes: 2 ** 30,
        cpus: 1,
      },
      bundleDir: '/bundles',
      workParentDir: '/work',
    },
    onPrepared: (setup) => tell(`${setup} prepared`),
    onFailed: (setup, error) => tell(`${setup} failed: ${(error as Error).message}`),
  });
  const heard = (what: string): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (told.includes(what)) resolve();
      };
      waiting.add(look);
      look();
    });
  return { shelf, cache, fetched, told, heard };
}

const job = (jobId: string): JobSetup =>
  JobSetup.fromPartial({ jobId, task: { name: 'f', function: { $case: 'inlineSource', value: 'x => x' } } });

const block = (first: number, ...broadcastSha256: string[]): WireBlock => ({
  first,
  count: 1,
  payload: Uint8Array.of(first),
  more: false,
  totalBytes: 0,
  broadcastSha256,
});

const work = (setup: number, attempt: number, first: number) =>
  ({ type: 'keepWork', setup, attempt, job: 'one', first, count: 1 }) as const;

test('a job that needs no file is ready at once', async () => {
  const { shelf, told } = await shelfWithCache();
  shelf.prepare(1, job('one'));
  expect(told).toEqual(['1 prepared']);
});

test('a constant is fetched once, however many items and jobs refer to it, and is there before they run', async () => {
  const { shelf, fetched, told, heard } = await shelfWithCache();
  shelf.prepare(1, job('one'));
  shelf.prepare(2, job('two'));
  told.length = 0;
  const needs = [block(0, a), block(1, a)].map((each) => shelf.addBlock('one', each));
  expect([...needs, shelf.addBlock('two', block(0, a))]).toEqual([true, false, true]);
  shelf.prepare(1, undefined);
  shelf.prepare(2, undefined);
  await Promise.all([heard('1 prepared'), heard('2 prepared')]);
  expect(fetched).toEqual([a]);
  shelf.keepWork(work(1, 7, 1));
  const path = shelf.takeWork(1, 7)?.blocks[0]?.broadcasts?.[0]?.path ?? '';
  expect(readFileSync(path, 'utf8')).toBe('one constant');
});

test('a job is prepared once everything is here that was needed meanwhile', async () => {
  const { shelf, told, fetched, heard } = await shelfWithCache();
  shelf.prepare(1, job('one'));
  told.length = 0;
  shelf.addBlock('one', block(0, a));
  shelf.prepare(1, undefined);
  expect(shelf.addBlock('one', block(1, b))).toBe(true);
  await heard('1 prepared');
  expect([fetched, told]).toEqual([[a, b], ['1 prepared']]);
});

test('files are let go of with the job that needed them', async () => {
  const { shelf, fetched, cache, told, heard } = await shelfWithCache();
  shelf.prepare(1, job('one'));
  told.length = 0;
  shelf.addBlock('one', block(0, a));
  shelf.prepare(1, undefined);
  await heard('1 prepared');
  shelf.release(1);
  // The cache is over its limit, so it throws away what nobody holds.
  await cache.hold(a);
  expect(fetched).toEqual([a, a]);
});

test('a job that is let go of while its files are on their way holds none of them', async () => {
  const { shelf, fetched, cache, told } = await shelfWithCache();
  shelf.prepare(1, job('one'));
  told.length = 0;
  shelf.addBlock('one', block(0, a));
  shelf.prepare(1, undefined);
  shelf.release(1);
  await cache.hold(a);
  cache.release(a);
  await cache.hold(a);
  expect([fetched, told]).toEqual([[a, a], []]);
});

test('a constant that cannot be had is told, and can be asked for again', async () => {
  const { shelf, told, heard } = await shelfWithCache();
  shelf.prepare(1, job('one'));
  told.length = 0;
  shelf.addBlock('one', block(0, 'ab'.repeat(32)));
  shelf.prepare(1, undefined);
  await heard('1 failed: there is no such constant');
  expect(shelf.failureOf(1)).toBeInstanceOf(Error);
  told.length = 0;
  shelf.prepare(1, undefined);
  await heard('1 failed: there is no such constant');
});

test('what an attempt runs on stays when its blocks are forgotten', async () => {
  const { shelf } = await shelfWithCache();
  shelf.prepare(1, job('one'));
  for (const first of [0, 1]) shelf.addBlock('one', block(first));
  shelf.keepWork(work(1, 7, 0));
  shelf.keepWork(work(1, 8, 1));
  shelf.forgetBlocks([{ jobId: 'one', before: 2 }]);
  shelf.dropWork(1, 8);
  expect(shelf.takeWork(1, 7)?.blocks).toMatchObject([{ first: 0 }]);
  expect(shelf.takeWork(1, 8)).toBeUndefined();
});

test('items that did not come are missed', async () => {
  const { shelf } = await shelfWithCache();
  shelf.prepare(1, job('one'));
  shelf.keepWork(work(1, 7, 5));
  expect(shelf.takeWork(1, 7)).toBeUndefined();
});

test('the newest open job of a group is the one whose client listens', async () => {
  const { shelf } = await shelfWithCache();
  for (const [at, id] of ['one', 'two'].entries()) {
    shelf.prepare(at, JobSetup.fromPartial({ ...job(id), options: { group: { id: 'group-1' } } }));
  }
  expect(shelf.newestOf('group-1')).toBe('two');
  shelf.close('two');
  expect(shelf.newestOf('group-1')).toBe('one');
  shelf.close();
  expect(shelf.newestOf('group-1')).toBeUndefined();
});
