import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { triedLimit } from '../../../test/limit-edges.ts';
import { BundleCache } from './bundle-cache.ts';

const texts = ['export const a = 1;', 'export const b = 2;', 'export const c = 3;'];
const [a, b, c] = texts.map((text) => createHash('sha256').update(text).digest('hex')) as [
  string,
  string,
  string,
];
const source = new Map([a, b, c].map((sha256, i) => [sha256, Buffer.from(texts[i] ?? '')]));

const caches: BundleCache[] = [];
afterEach(async () => {
  for (const cache of caches.splice(0)) await cache.close();
});

async function cacheOf(
  maxBytes: number,
  serve: (sha256: string) => Uint8Array | undefined = (sha256) => source.get(sha256),
): Promise<{ cache: BundleCache; fetched: string[] }> {
  const fetched: string[] = [];
  const fetch = async (sha256: string): Promise<Uint8Array> => {
    fetched.push(sha256);
    const content = serve(sha256);
    if (content === undefined) throw new Error('gone');
    return content;
  };
  const cache = await BundleCache.open({ maxBytes, fetch });
  caches.push(cache);
  return { cache, fetched };
}

test('a bundle is fetched once, however many ask for it at the same time', async () => {
  const { cache, fetched } = await cacheOf(1000);
  const paths = await Promise.all([cache.hold(a), cache.hold(a), cache.hold(a)]);
  expect(new Set(paths).size).toBe(1);
  expect(readFileSync(paths[0] ?? '', 'utf8')).toBe(texts[0]);
  await cache.hold(a);
  expect(fetched).toEqual([a]);
});

test('only this user can read what lies in the cache', async () => {
  const { cache } = await cacheOf(1000);
  const path = await cache.hold(a);
  expect(statSync(dirname(path)).mode & 0o777).toBe(0o700);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test('other content than asked for is refused and never written', async () => {
  const { cache } = await cacheOf(1000, () => source.get(b));
  await expect(cache.hold(a)).rejects.toMatchObject({ code: 'BUNDLE_CORRUPT' });
});

test('a fetch that failed is tried again by the next who asks', async () => {
  let broken = true;
  const { cache, fetched } = await cacheOf(1000, (sha256) => (broken ? undefined : source.get(sha256)));
  await expect(cache.hold(a)).rejects.toThrow('gone');
  broken = false;
  expect(existsSync(await cache.hold(a))).toBe(true);
  expect(fetched).toEqual([a, a]);
});

test('a full cache drops the least recently used bundle that nobody needs', async () => {
  const { cache, fetched } = await cacheOf(40);
  const first = await cache.hold(a);
  const second = await cache.hold(b);
  cache.release(b);
  const third = await cache.hold(c);
  expect([first, second, third].map((path) => existsSync(path))).toEqual([true, false, true]);
  await cache.hold(b);
  expect(fetched).toEqual([a, b, c, b]);
});

test('what jobs need stays, even over the limit, and goes when it is released', async () => {
  const { cache } = await cacheOf(20);
  const first = await cache.hold(a);
  const second = await cache.hold(b);
  expect([existsSync(first), existsSync(second)]).toEqual([true, true]);
  cache.release(a);
  expect([existsSync(first), existsSync(second)]).toEqual([false, true]);
});

test('closing removes the folder', async () => {
  const { cache } = await cacheOf(1000);
  const path = await cache.hold(a);
  await cache.close();
  expect(existsSync(dirname(path))).toBe(false);
});

/** A disk with room for some files; a write beyond them leaves half a file, as a real one does. */
async function cacheOnDisk(files: number) {
  const disk = { files, told: [] as (string | undefined)[] };
  const cache = await BundleCache.open({
    maxBytes: 1000,
    fetch: async (sha256) => source.get(sha256) ?? Buffer.alloc(0),
    onStored: (error) => disk.told.push(error?.code),
    write: async (path, content) => {
      const used = readdirSync(dirname(path)).length;
      await writeFile(path, content.subarray(0, used < disk.files ? content.byteLength : 1));
      if (used >= disk.files) throw new Error('ENOSPC: no space left on device, write');
    },
  });
  caches.push(cache);
  return { cache, disk };
}

test('a disk that is full is told, nothing is left of the try, and what is there still serves', async () => {
  const { cache, disk } = await cacheOnDisk(1);
  const path = await cache.hold(a);
  await expect(cache.hold(b)).rejects.toMatchObject({
    code: 'BUNDLE_NOT_STORED',
    retryable: true,
    message: expect.stringMatching(
      /cannot be stored in .*: ENOSPC: no space left on device\. Free some room/,
    ),
  });
  expect(readdirSync(dirname(path))).toEqual([`${a}.mjs`]);
  expect([await cache.hold(a), disk.told]).toEqual([path, [undefined, 'BUNDLE_NOT_STORED']]);
});

test('bundles are stored again as soon as there is room', async () => {
  const { cache, disk } = await cacheOnDisk(0);
  await expect(cache.hold(a)).rejects.toThrow('ENOSPC');
  disk.files = 1;
  expect(readFileSync(await cache.hold(a), 'utf8')).toBe(texts[0]);
  expect(disk.told).toEqual(['BUNDLE_NOT_STORED', undefined]);
});

test('a bundle that nobody needs makes room for one that somebody does', async () => {
  const { cache, disk } = await cacheOnDisk(1);
  const path = await cache.hold(a);
  cache.release(a);
  await cache.hold(b);
  expect([existsSync(path), disk.told]).toEqual([false, [undefined, undefined]]);
});

test('a folder that is missing is made, for this user alone', async () => {
  const above = mkdtempSync(join(tmpdir(), 'shoal-test-'));
  const parentDir = join(above, 'bundles', 'of-agents');
  const cache = await BundleCache.open({ maxBytes: 1000, fetch: async () => new Uint8Array(), parentDir });
  caches.push(cache);
  expect(statSync(parentDir).mode & 0o777).toBe(0o700);
  expect(dirname(cache.dir)).toBe(parentDir);
  await cache.close();
  rmSync(above, { recursive: true });
});

test.each([
  [1, true],
  [0, true],
  [-1, false],
])(
  'with room for two bundles and %i bytes, one that nobody needs stays beside another: %s',
  async (room, stays) => {
    const both = [a, b].reduce((sum, sha256) => sum + (source.get(sha256)?.byteLength ?? 0), 0);
    const { cache } = await cacheOf(both + room);
    triedLimit('bundleCacheBytes', both, both + room);
    const first = await cache.hold(a);
    cache.release(a);
    await cache.hold(b);
    expect(existsSync(first)).toBe(stays);
  },
);
