import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { BroadcastStore } from './broadcast-store.ts';

let parent = '';
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'broadcast-store-'));
});
afterEach(() => rmSync(parent, { recursive: true }));

const bytes = (text: string): Uint8Array => Buffer.from(text);

test('a constant is a file that only this user can read', () => {
  const { file, hold } = new BroadcastStore(parent).put(bytes('abc'));
  expect(statSync(file.path).mode & 0o777).toBe(0o600);
  expect(statSync(dirname(file.path)).mode & 0o777).toBe(0o700);
  hold.letGo();
});

test('a file lives as long as somebody holds it, and the folder as long as there is a file', () => {
  const store = new BroadcastStore(parent);
  const gone: string[] = [];
  store.watch((sha256) => gone.push(sha256));
  const { file, hold } = store.put(bytes('abc'));
  const again = store.put(bytes('abc'));
  expect(again.file).toBe(file);
  const job = store.hold(file);
  hold.letGo();
  hold.letGo();
  again.hold.letGo();
  expect([existsSync(file.path), gone]).toEqual([true, []]);
  job.letGo();
  expect([existsSync(file.path), gone]).toEqual([false, [file.sha256]]);
  expect(readdirSync(parent)).toEqual([]);
  const next = store.put(bytes('abc'));
  expect(existsSync(next.file.path)).toBe(true);
  next.hold.letGo();
});

test('a folder that cannot be made is an error that names it', () => {
  const store = new BroadcastStore(join(parent, 'missing'));
  expect(() => store.put(bytes('abc'))).toThrow(
    expect.objectContaining({ code: 'FILE_NOT_USABLE' }) as Error,
  );
});
