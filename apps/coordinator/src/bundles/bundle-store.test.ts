import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FolderShelf } from './bundle-shelf.ts';
import { BundleStore } from './bundle-store.ts';

const content = (text: string): { sha256: string; bytes: Uint8Array } => {
  const bytes = Buffer.from(text);
  return { sha256: createHash('sha256').update(bytes).digest('hex'), bytes };
};
const one = content('export const one = 1;');
const two = content('export const two = 2;');
const three = content('export const three = 3;');
const limits = { maxBundleBytes: 1000, maxStoreBytes: 1000 };

test('a bundle is found under the hash of its content', async () => {
  const store = await BundleStore.open(limits);
  await store.put(one.sha256, one.bytes);
  expect(store.has(one.sha256)).toBe(true);
  expect(await store.get(one.sha256)).toEqual(one.bytes);
});

test('content under the hash of another is refused', async () => {
  const store = await BundleStore.open(limits);
  await expect(store.put(one.sha256, two.bytes)).rejects.toMatchObject({ code: 'BUNDLE_CORRUPT' });
  expect(store.has(one.sha256)).toBe(false);
});

test('a bundle over the limit is refused by the limit’s name', async () => {
  const store = await BundleStore.open({ ...limits, maxBundleBytes: 10 });
  await expect(store.put(one.sha256, one.bytes)).rejects.toMatchObject({
    code: 'LIMIT_REACHED',
    facts: { limit: 10, option: 'shoal coordinator --max-bundle-bytes' },
  });
});

test('a bundle that nobody pushed is not found', async () => {
  const store = await BundleStore.open(limits);
  await expect(store.get(one.sha256)).rejects.toMatchObject({ code: 'BUNDLE_NOT_FOUND' });
  expect(() => store.pin(one.sha256)).toThrow(expect.objectContaining({ code: 'BUNDLE_NOT_FOUND' }));
});

test('a name without a version means the highest version', async () => {
  const store = await BundleStore.open(limits);
  for (const each of [one, two, three]) await store.put(each.sha256, each.bytes);
  await store.name('imaging', 1, one.sha256);
  await store.name('imaging', 10, two.sha256);
  await store.name('imaging', 9, three.sha256);
  expect(store.resolve('imaging')).toMatchObject({ version: 10, sha256: two.sha256 });
  expect(store.resolve('imaging@1')).toMatchObject({ version: 1, sha256: one.sha256 });
  expect(() => store.resolve('imaging@2')).toThrow(expect.objectContaining({ code: 'BUNDLE_NOT_FOUND' }));
  expect(() => store.resolve('other')).toThrow(expect.objectContaining({ code: 'BUNDLE_NOT_FOUND' }));
});

test('a version never changes, and naming the same content again changes nothing', async () => {
  const store = await BundleStore.open(limits);
  await store.put(one.sha256, one.bytes);
  await store.put(two.sha256, two.bytes);
  await store.name('imaging', 1, one.sha256);
  await store.name('imaging', 1, one.sha256);
  await expect(store.name('imaging', 1, two.sha256)).rejects.toMatchObject({ code: 'BUNDLE_EXISTS' });
  expect(store.list()).toEqual([
    { sha256: one.sha256, size: one.bytes.byteLength, names: ['imaging@1'] },
    { sha256: two.sha256, size: two.bytes.byteLength, names: [] },
  ]);
});

test('a full store forgets the least recently used bundle that is neither named nor needed', async () => {
  const store = await BundleStore.open({ maxBundleBytes: 30, maxStoreBytes: 50 });
  await store.put(one.sha256, one.bytes);
  await store.put(two.sha256, two.bytes);
  await store.get(one.sha256);
  await store.put(three.sha256, three.bytes);
  expect([one, two, three].map(({ sha256 }) => store.has(sha256))).toEqual([true, false, true]);

  store.pin(one.sha256);
  await store.name('three', 1, three.sha256);
  await expect(store.put(two.sha256, two.bytes)).rejects.toMatchObject({ code: 'LIMIT_REACHED' });
  store.unpin(one.sha256);
  await store.put(two.sha256, two.bytes);
  expect([one, two, three].map(({ sha256 }) => store.has(sha256))).toEqual([false, true, true]);
});

test('a folder keeps bundles and their names for the next life', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'shoal-bundles-'));
  try {
    const first = await BundleStore.open({ ...limits, shelf: new FolderShelf(dir) });
    await first.put(one.sha256, one.bytes);
    await first.name('imaging', 3, one.sha256);

    const second = await BundleStore.open({ ...limits, shelf: new FolderShelf(dir) });
    expect(second.resolve('imaging').sha256).toBe(one.sha256);
    expect(Buffer.from(await second.get(one.sha256)).toString()).toBe('export const one = 1;');
  } finally {
    await rm(dir, { recursive: true });
  }
});

test.runIf(existsSync('/proc/self'))('a folder that can never be made is refused at once', async () => {
  await expect(new FolderShelf('/proc/shoal').load()).rejects.toMatchObject({ code: 'FILE_NOT_USABLE' });
});
