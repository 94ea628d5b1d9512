import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { commitOf, publishedPaths } from './commit.ts';
import { publishedFiles } from './publication.ts';

const source = 'test/bench/main.ts';
let folder = '';
let commit = '';

function git(...args: readonly string[]): string {
  const author = ['-c', 'user.name=Somebody', '-c', 'user.email=somebody@example.com'];
  const env = { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' };
  return execFileSync('git', [...author, ...args], { cwd: folder, encoding: 'utf8', env }).trim();
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'shoal-commit-'));
  git('init', '--quiet');
  for (const file of [source, ...publishedFiles().keys()]) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), 'as committed\n');
  }
  git('add', '.');
  git('commit', '--quiet', '--message', 'Everything');
  commit = git('rev-parse', '--short', 'HEAD');
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

test('what the first half of a publication has written does not make the sources of the second half others', () => {
  for (const file of publishedFiles().keys()) appendFileSync(join(folder, file), 'new figures\n');
  for (const name of ['bench.json', 'growth.json', 'a-new-plot.svg']) {
    writeFileSync(join(folder, 'docs/bench', name), 'new figures\n');
  }
  expect(commitOf(folder)).toBe(commit);
  expect(commitOf(join(folder, 'test/bench'))).toBe(commit);
  expect(publishedPaths.filter((path) => git('status', '--porcelain', '--', path) === '')).toEqual([]);
});

test('a changed source is no longer that of its commit', () => {
  appendFileSync(join(folder, source), 'changed\n');
  expect(commitOf(folder)).toBe(`${commit}-dirty`);
  expect(commitOf(join(folder, 'test/bench'))).toBe(`${commit}-dirty`);
});

test('where there is no repository the commit is unknown', () => {
  vi.stubEnv('GIT_DIR', join(folder, 'no-repository'));
  expect(commitOf(folder)).toBe('unknown');
});
