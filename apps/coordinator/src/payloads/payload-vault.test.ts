import { ItemFailure } from '@shoal/protocol';
import { PayloadStore } from '@shoal/scheduler';
import { expect, test } from 'vitest';
import { triedLimit } from '../../../../test/limit-edges.ts';
import { StorageError, StoredBlock, StoredFailure, type StoredRun } from './payload.ts';
import { PayloadVault } from './payload-vault.ts';
import type { SpillShelf } from './spill-folder.ts';

/** A shelf in memory. */
class FakeShelf implements SpillShelf {
  bytes = 0;
  maxBytes: number;
  broken: string | undefined;
  readonly written: string[] = [];

  constructor(maxBytes = 1_000) {
    this.maxBytes = maxBytes;
  }

  write(job: string, bytes: Uint8Array) {
    if (this.broken !== undefined) throw new StorageError(job, this.broken);
    if (this.bytes + bytes.byteLength > this.maxBytes) throw new StorageError(job, 'the shelf is full');
    const kept = bytes.slice();
    this.bytes += kept.byteLength;
    this.written.push(`${job} ${kept[0]}`);
    return {
      read: (from: number, to: number) => kept.slice(from, to),
      free: () => {
        this.bytes -= kept.byteLength;
      },
    };
  }

  close(): void {}
}

function world(maxPayloadBytes: number, maxSpillBytes?: number) {
  const shelf = new FakeShelf(maxSpillBytes);
  const said: string[] = [];
  const vault = new PayloadVault({
    maxPayloadBytes,
    shelf,
    onTight: (isTight) => said.push(isTight ? 'tight' : 'easy'),
    onFull: (job, reason) => said.push(`${job}: ${reason}`),
  });
  /** A block of `bytes` bytes that all are `value`. */
  const hold = (job: string, value: number, bytes: number): StoredBlock => {
    const block = new StoredBlock(value, 1, vault.payload(new Uint8Array(bytes).fill(value)));
    vault.held(job, block);
    return block;
  };
  return { hold, said, shelf, vault };
}

test('within the limit everything stays in memory', () => {
  const { hold, shelf, vault } = world(300);
  for (const value of [1, 2, 3]) hold('a', value, 100);
  expect([vault.memoryBytes, vault.spilledBytes, shelf.written]).toEqual([300, 0, []]);
});

test('beyond it the bytes that came last go to the disk, and read the same from there', () => {
  const { hold, shelf, vault } = world(250);
  const blocks = [1, 2, 3].map((value) => hold('a', value, 100));
  expect([vault.memoryBytes, vault.spilledBytes, shelf.written]).toEqual([200, 100, ['a 3']]);
  expect(blocks.map(({ bytes }) => [bytes.byteLength, bytes[0], bytes[99]])).toEqual([
    [100, 1, 1],
    [100, 2, 2],
    [100, 3, 3],
  ]);
  expect([...(blocks[2]?.payload.part(98, 100) ?? [])]).toEqual([3, 3]);
});

test('a job that has been quiet makes room for one that is at work', () => {
  const { hold, shelf } = world(300);
  hold('quiet', 1, 100);
  hold('quiet', 2, 100);
  hold('busy', 3, 100);
  hold('busy', 4, 100);
  hold('busy', 5, 100);
  expect(shelf.written).toEqual(['quiet 2', 'quiet 1']);
});

test('what is gone takes no room, wherever it was', () => {
  const { hold, shelf, vault } = world(150);
  const [first, second] = [hold('a', 1, 100), hold('a', 2, 100)];
  vault.gone('a', second);
  vault.gone('a', first);
  expect([vault.memoryBytes, shelf.bytes]).toEqual([0, 0]);
});

test('bytes that are held twice go when both are done with them', () => {
  const { hold, vault } = world(1_000);
  const block = hold('a', 1, 100);
  vault.held('a', block);
  vault.gone('a', block);
  expect([vault.memoryBytes, block.bytes[0]]).toEqual([100, 1]);
  vault.gone('a', block);
  expect(vault.memoryBytes).toBe(0);
  expect(() => block.bytes).toThrow('given up');
});

test('producers are held back when three quarters of all room are used, and go on at a half', () => {
  const { hold, said, vault } = world(100, 300);
  const blocks = [1, 2, 3].map((value) => hold('a', value, 100));
  expect(said).toEqual([]);
  blocks.push(hold('a', 4, 1));
  expect(said).toEqual(['tight']);
  for (const block of blocks.splice(0, 1)) vault.gone('a', block);
  expect(said).toEqual(['tight']);
  for (const block of blocks) vault.gone('a', block);
  expect(said).toEqual(['tight', 'easy']);
});

test('without any room the job that holds most has to go, once, and nothing is lost of the others', () => {
  const { hold, said, vault } = world(100, 200);
  const small = hold('small', 4, 90);
  const big = [1, 2, 3].map((value) => hold('big', value, 90));
  hold('small', 5, 5);
  hold('small', 6, 5);
  expect(said.filter((text) => text.includes(':'))).toEqual(['big: the shelf is full']);
  for (const block of big) vault.gone('big', block);
  expect([small.bytes.byteLength, small.bytes[89]]).toEqual([90, 4]);
  hold('small', 7, 50);
  expect(vault.memoryBytes).toBeLessThanOrEqual(150);
  expect(said.filter((text) => text.includes(':'))).toHaveLength(1);
});

test('a disk that fails is said to whom it hits', () => {
  const { hold, said, shelf, vault } = world(100);
  shelf.broken = 'the disk is broken';
  const block = hold('a', 1, 200);
  expect(said).toEqual(['a: the disk is broken']);
  expect([vault.memoryBytes, block.bytes.byteLength]).toEqual([200, 200]);
});

test('a hundred thousand payloads that come and go leave nothing', () => {
  const { hold, vault } = world(10_000);
  let blocks: StoredBlock[] = [];
  for (let at = 0; at < 100_000; at += 1) {
    blocks.push(hold('a', at % 200, 1));
    if (blocks.length < 100) continue;
    for (const block of blocks.reverse()) vault.gone('a', block);
    blocks = [];
  }
  expect(vault.memoryBytes).toBe(0);
});

test('a hundred thousand failures stay within the limit as values do, and read the same from the disk', () => {
  const limit = 1_000_000;
  const { vault } = world(limit, 1e9);
  const store = new PayloadStore<StoredRun, StoredFailure, StoredBlock>(vault);
  const failed = ItemFailure.fromPartial({ code: 'ITEM_THREW', error: new Uint8Array(1_000).fill(7) });
  let most = 0;
  for (let index = 0; index < 100_000; index += 1) {
    const bytes = ItemFailure.encode({ ...failed, index }).finish();
    store.keepFailure('a', index, new StoredFailure(vault.payload(bytes)), bytes.byteLength);
    most = Math.max(most, vault.memoryBytes);
  }
  expect(most).toBeLessThanOrEqual(limit);
  expect(vault.memoryBytes + vault.spilledBytes).toBe(store.resultBytes);
  expect(store.resultBytes).toBeGreaterThan(100_000 * 1_000);
  store.deliver('a', 0, 100_000);
  const last = store.outcomeAt('a', 99_999);
  expect(last?.kind === 'failure' && last.failure.told).toEqual({ ...failed, index: 99_999 });
  store.releaseResults('a', 100_000);
  expect([vault.memoryBytes, vault.spilledBytes, store.resultBytes]).toEqual([0, 0, 0]);
});

test.each([
  [99, 0],
  [100, 0],
  [101, 101],
])('after 200 of 300 bytes, of %i more %i go to the disk', (bytes, spilled) => {
  const { hold, vault } = world(300, 1_000);
  hold('a', 1, 200);
  hold('a', 2, bytes);
  expect(vault.spilledBytes).toBe(spilled);
  triedLimit('payloadBytes', 200 + bytes, 300);
});
