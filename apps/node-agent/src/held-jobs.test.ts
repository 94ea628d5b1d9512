import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { JobSetup, type Block as WireBlock } from '@shoal/protocol';
import { afterEach, expect, test } from 'vitest';
import { BundleCache } from './bundle-cache.ts';
import { HeldJobs } from './held-jobs.ts';

const contents = ['one constant', 'another'].map((text) => Buffer.from(text));
const [a, b] = contents.map((content) => createHash('sha256').update(content).digest('hex')) as [
  string,
  string,
];
const caches: BundleCache[] = [];
afterEach(async () => {
  for (const cache of caches.splice(0)) await cache.close();
});

async function jobsWithCache(): Promise<{ jobs: HeldJobs; fetched: string[]; cache: BundleCache }> {
  const fetched: string[] = [];
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
  return {
    jobs: new HeldJobs(cache, { agent: 'here', env: {}, maxTasksPerChild: undefined }),
    fetched,
    cache,
  };
}

const setup = (jobId: string): JobSetup =>
  JobSetup.fromPartial({ jobId, task: { name: 'f', function: { $case: 'inlineSource', value: 'x => x' } } });

const block = (first: number, ...broadcastSha256: string[]): WireBlock => ({
  first,
  count: 1,
  payload: Uint8Array.of(first),
  more: false,
  totalBytes: 0,
  broadcastSha256,
});

const blocksOf = (jobId: string, ...blocks: WireBlock[]): Parameters<HeldJobs['learn']>[0] => ({
  setups: [],
  blocks: [{ jobId, blocks }],
});

test('a constant is fetched once, however many items and jobs refer to it, and is there before they run', async () => {
  const { jobs, fetched } = await jobsWithCache();
  jobs.learn({ setups: [setup('one'), setup('two')], blocks: [] });
  jobs.learn(blocksOf('one', block(0, a), block(1, a)));
  jobs.learn(blocksOf('two', block(0, a)));
  expect(jobs.get('one')?.template).toBeUndefined();
  await Promise.all([jobs.get('one')?.ready, jobs.get('two')?.ready]);
  expect(fetched).toEqual([a]);
  const path = jobs.get('one')?.held.blocksFor(1, 1)?.[0]?.broadcasts?.[0]?.path ?? '';
  expect(readFileSync(path, 'utf8')).toBe('one constant');
});

test('a job that is ready waits again when later items need another constant', async () => {
  const { jobs, fetched } = await jobsWithCache();
  jobs.learn({ setups: [setup('one')], blocks: [] });
  jobs.learn(blocksOf('one', block(0, a)));
  await jobs.get('one')?.ready;
  expect(jobs.get('one')?.template).toBeDefined();
  jobs.learn(blocksOf('one', block(1, a, b)));
  expect(jobs.get('one')?.template).toBeUndefined();
  await jobs.get('one')?.ready;
  expect(jobs.get('one')?.template).toBeDefined();
  expect(fetched).toEqual([a, b]);
});

test('constants are released with the job that needed them', async () => {
  const { jobs, fetched, cache } = await jobsWithCache();
  jobs.learn({ setups: [setup('one')], blocks: [] });
  jobs.learn(blocksOf('one', block(0, a)));
  await jobs.get('one')?.ready;
  jobs.forget(['one']);
  jobs.release(() => new Set());
  // Released in the next turn; the cache is over its limit, so it throws away what nobody holds.
  await new Promise((resolve) => setImmediate(resolve));
  await cache.hold(a);
  expect(fetched).toEqual([a, a]);
});

test('a constant that cannot be had is told to whoever waits for it', async () => {
  const { jobs } = await jobsWithCache();
  jobs.learn({ setups: [setup('one')], blocks: [] });
  jobs.learn(blocksOf('one', block(0, 'ab'.repeat(32))));
  await expect(jobs.get('one')?.ready).rejects.toThrow('no such constant');
});
