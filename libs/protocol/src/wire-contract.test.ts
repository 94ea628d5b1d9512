/**
 * The .proto files are a contract with clients that nobody can recompile.
 *
 * `baseline/shoal.v1.binpb` is that contract as it was released last. What is only added passes; what changes the
 * meaning of bytes that are out there does not. After a release, and only then, `npm run baseline -w @shoal/protocol`
 * writes it anew; a change that fails here before a release is repaired in the .proto file, not in the baseline.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';

const home = fileURLToPath(new URL('..', import.meta.url));
const bin = fileURLToPath(new URL('../../../node_modules/.bin', import.meta.url));
const env = { ...process.env, PATH: `${bin}:${process.env['PATH']}` };

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-wire-'));
  folders.push(folder);
  return folder;
}

/** What buf says; empty where it has nothing to complain about. */
function buf(args: readonly string[], cwd: string = home): string {
  try {
    return execFileSync('buf', args, { cwd, env, encoding: 'utf8' });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    return `${stdout}${stderr}`;
  }
}

/** A copy of the .proto files with one of them changed. */
function changed(file: string, from: string, to: string): string {
  const copy = temporaryFolder();
  for (const name of ['proto', 'buf.yaml', 'baseline'])
    cpSync(join(home, name), join(copy, name), { recursive: true });
  const path = join(copy, 'proto/shoal/v1', file);
  const text = readFileSync(path, 'utf8');
  expect(text).toContain(from);
  writeFileSync(path, text.replace(from, to));
  return copy;
}

const breaking = ['breaking', '--against', 'baseline/shoal.v1.binpb'];

describe('the .proto files', () => {
  test('pass the STANDARD rules of buf, with a comment for everything', () => {
    expect(buf(['lint'])).toBe('');
  });

  test('are formatted', () => {
    expect(buf(['format', '--diff'])).toBe('');
  });

  test('break nothing that was released', () => {
    expect(buf(breaking)).toBe('');
  });

  test('may get new fields', () => {
    const copy = changed(
      'common.proto',
      'message ErrorNames {',
      'message ErrorNames {\n  // New.\n  bool all = 9;\n',
    );
    expect(buf(breaking, copy)).toBe('');
  });

  test.each([
    ['a field that changes its number', 'uint64 up_to = 1;', 'uint64 up_to = 2;', 'up_to'],
    ['a field that changes its type', 'uint64 up_to = 1;', 'string up_to = 1;', 'changed type'],
    ['a method that goes', 'rpc GetJob(GetJobRequest) returns (GetJobResponse);', '', '"GetJob" on service'],
  ])('would be caught at %s', (_, from, to, complaint) => {
    expect(buf(breaking, changed('job.proto', from, to))).toContain(complaint);
  });

  test('would be caught without a comment', () => {
    const copy = changed(
      'job.proto',
      '  // How to run it.\n  JobOptions options = 4;',
      '  JobOptions options = 4;',
    );
    expect(buf(['lint'], copy)).toContain('Field "options" should have a non-empty comment');
  });
});

test('the generated code is that of the .proto files', () => {
  const target = temporaryFolder();
  execFileSync('node', ['generate.mjs', target], { cwd: home, env });
  const names = (root: string): string[] =>
    readdirSync(join(root, 'src/gen'), { recursive: true, encoding: 'utf8' }).sort();
  expect(names(home)).toEqual(names(target));
  for (const name of names(target).filter((one) => one.endsWith('.ts'))) {
    const committed = readFileSync(join(home, 'src/gen', name), 'utf8');
    expect(
      committed === readFileSync(join(target, 'src/gen', name), 'utf8'),
      `${name}: npm run generate`,
    ).toBe(true);
  }
});
