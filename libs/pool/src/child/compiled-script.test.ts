import { spawnSync } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';

const program = fileURLToPath(new URL('../fixtures/compiles.ts', import.meta.url));
const text = '(function () { const twice = (x) => 2 * x; return twice(21); })';
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'shoal-compiled-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Runs this in a process of its own, and says where the code is kept then. */
function run(
  script: string,
  env: NodeJS.ProcessEnv = { NODE_COMPILE_CACHE: folder },
  prelude: string = '',
): readonly string[] {
  const command = [process.execPath, '--conditions=@shoal/source', program, script, 'script.bin'];
  const { stdout, stderr } = spawnSync('sh', ['-c', `${prelude} exec "$@"`, 'sh', ...command], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], ...env },
  });
  expect(stdout, stderr).toBe('42\n');
  return globSync(join(folder, '*/shoal/*'));
}

const twice = (data: Uint8Array): Uint8Array => Buffer.concat([data, data]);

/** Told apart by its number: what is written anew is another file. */
const numberOf = (file: string): number => statSync(file).ino;

test('what one process has compiled, the next one starts with', () => {
  const [kept = '', ...others] = run(text);
  expect(others).toEqual([]);
  const number = numberOf(kept);
  expect(run(text)).toEqual([kept]);
  expect(numberOf(kept)).toBe(number);
});

test.each<[string, (data: Buffer) => Uint8Array]>([
  ['with a broken byte', (data) => data.fill(0xff, 100, 101)],
  ['with a block of zeros', (data) => data.fill(0, data.length / 2)],
  ['cut short', (data) => data.subarray(0, 300)],
  ['of another version of V8', (data) => twice(data.subarray(0, data.length / 2).fill(0xff, 4, 8))],
  ['empty', () => Buffer.of()],
])('where it is %s, it is compiled and kept anew', (_, harm) => {
  const [kept = ''] = run(text);
  const [number, intact] = [numberOf(kept), readFileSync(kept)];
  writeFileSync(kept, harm(readFileSync(kept)));
  run(text);
  expect(numberOf(kept)).not.toBe(number);
  expect(readFileSync(kept).length).toBe(intact.length);
});

test('where Node keeps nothing, nothing is kept', () => {
  expect(run(text, { NODE_COMPILE_CACHE: folder, NODE_DISABLE_COMPILE_CACHE: '1' })).toEqual([]);
});

test('what a task has put in the place of a built-in method ends no process here: nothing is kept', () => {
  const spoils = "process.getBuiltinModule('node:buffer').Buffer.concat = null; return 42;";
  expect(run(`(function () { ${spoils} })`)).toEqual([]);
});

test('where the disk is full nothing of it is left there, and what an ended writer has left hinders nobody for long', () => {
  // Files of more than half a KiB or a whole one cannot be written.
  expect(run(text, undefined, 'ulimit -f 1;')).toEqual([]);
  const [kept = ''] = run(text);
  rmSync(kept);
  const part = `${kept}.part`;
  writeFileSync(part, 'half');
  expect(run(text)).toEqual([part]);
  utimesSync(part, 1, 1);
  // The first one finds it, the next one writes.
  expect(run(text)).toEqual([]);
  expect(run(text)).toEqual([kept]);
});
