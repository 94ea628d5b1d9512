import { mkdtempSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { BlobFile } from '../child-pool/chunk-request.ts';
import { encodeValue } from '../values/block-codec.ts';
import { Broadcasts } from './broadcasts.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'broadcasts-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function fileOf(sha256: string, value: unknown): BlobFile {
  const path = join(folder, sha256);
  writeFileSync(path, encodeValue(value));
  return { sha256, path };
}

test('a file is read when its value is first asked for, and never again', () => {
  const broadcasts = new Broadcasts();
  const file = fileOf('aa', { big: [1] });
  broadcasts.learn([file]);
  const value = broadcasts.find('aa')?.value;
  expect(value).toEqual({ big: [1] });
  unlinkSync(file.path);
  broadcasts.learn([file]);
  expect(broadcasts.find('aa')?.value).toBe(value);
});

test('a file that is gone before it was read is an error that says so', () => {
  const broadcasts = new Broadcasts();
  broadcasts.learn([{ sha256: 'aa'.repeat(32), path: join(folder, 'none') }]);
  expect(() => broadcasts.find('aa'.repeat(32))?.value).toThrow(
    expect.objectContaining({ code: 'BROADCAST_RELEASED' }) as Error,
  );
});

test('beyond the limit the value used least recently is let go, and read again when it is needed', () => {
  const broadcasts = new Broadcasts(100);
  broadcasts.learn(['aa', 'bb', 'cc'].map((sha256) => fileOf(sha256, [sha256, 'x'.repeat(40)])));
  const read = (sha256: string): unknown => (broadcasts.find(sha256)?.value as unknown[] | undefined)?.[0];
  expect([read('aa'), read('bb'), read('aa'), read('cc')]).toEqual(['aa', 'bb', 'aa', 'cc']);
  for (const sha256 of ['aa', 'cc']) unlinkSync(join(folder, sha256));
  expect([read('aa'), read('cc'), read('bb')]).toEqual(['aa', 'cc', 'bb']);
});

test('what was let go is the same object as long as somebody has it', () => {
  const broadcasts = new Broadcasts(1);
  broadcasts.learn(['aa', 'bb'].map((sha256) => fileOf(sha256, [sha256])));
  const first = broadcasts.find('aa')?.value;
  expect(broadcasts.find('bb')?.value).toEqual(['bb']);
  expect(broadcasts.find('aa')?.value).toBe(first);
});

test('what is forgotten is not found', () => {
  const broadcasts = new Broadcasts();
  broadcasts.learn([fileOf('aa', 1)]);
  broadcasts.forget(['aa', 'never known']);
  expect(broadcasts.find('aa')).toBeUndefined();
});
