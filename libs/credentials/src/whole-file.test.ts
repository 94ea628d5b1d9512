import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { replaceFile } from './whole-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'shoal-whole-file-'));
afterEach(() => {
  for (const name of readdirSync(folder)) rmSync(join(folder, name));
});

const path = join(folder, 'client.key');

test('a file is replaced whole, with its mode from the beginning, and leaves nothing beside it', async () => {
  await replaceFile(path, 'one', 0o600);
  await replaceFile(path, 'two', 0o600);
  expect(readFileSync(path, 'utf8')).toBe('two');
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder)).toEqual(['client.key']);
});

test('what a killed process has left of its try is removed, and nothing that somebody may be writing', async () => {
  const hourAgo = new Date(Date.now() - 3_600_000);
  const write = (name: string, isOld: boolean): void => {
    writeFileSync(join(folder, name), 'secret');
    if (isOld) utimesSync(join(folder, name), hourAgo, hourAgo);
  };
  write('client.key.0123456789ab.new', true);
  write('client.key.ba9876543210.new', false);
  write('client.key.next', true);
  write('client.key.old.new', true);
  write('ca.crt.0123456789ab.new', true);
  await replaceFile(path, 'new', 0o600);
  expect(readdirSync(folder).sort()).toEqual([
    'ca.crt.0123456789ab.new',
    'client.key',
    'client.key.ba9876543210.new',
    'client.key.next',
    'client.key.old.new',
  ]);
});
