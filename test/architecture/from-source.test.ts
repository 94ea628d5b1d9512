import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';

const source = new URL('../../libs/errors/src/index.ts', import.meta.url).href;

test('a workspace package resolves to its source in a test', () => {
  expect(import.meta.resolve('@shoal/errors')).toBe(source);
});

test("a process started with the test's own execArgv runs from source too", () => {
  const script = "process.stdout.write(import.meta.resolve('@shoal/errors'))";
  const args = [...process.execArgv, '--input-type=module', '--eval', script];
  expect(execFileSync(process.execPath, args, { cwd: import.meta.dirname, encoding: 'utf8' })).toBe(source);
});

test('tests run on the Node that the packages ask for', () => {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  expect(major > 24 || (major === 24 && minor >= 2)).toBe(true);
});
