/** Every pair of docs/from-python.md is run, and prints what the document says; so does its Python half. */
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FencedBlock, fencedBlocks } from '../readme/fenced-blocks.testkit.ts';
import { python } from './cpython.testkit.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
// Inside the repository, so that `import 'shoal'` is found.
const folder = join(root, '.build', 'from-python');
const limits = { timeout: 120_000, killSignal: 'SIGKILL' } as const;

interface Pair {
  readonly python: FencedBlock;
  readonly shoal: FencedBlock;
  readonly prints: string;
}

/** Python, TypeScript, output: always in this order. */
function pairsOf(blocks: readonly FencedBlock[]): Pair[] {
  const pairs: Pair[] = [];
  for (let at = 0; at < blocks.length; at += 3) {
    const [first, second, third] = blocks.slice(at, at + 3);
    if (first?.language !== 'python' || second?.language !== 'ts' || third?.language !== 'text') {
      throw new Error(`line ${first?.line}: no pair of a python block and a ts block with their output`);
    }
    pairs.push({ python: first, shoal: second, prints: third.text });
  }
  return pairs;
}

const pairs = pairsOf(fencedBlocks(readFileSync(join(root, 'docs', 'from-python.md'), 'utf8')));

async function output(program: string, args: readonly string[], file: FencedBlock): Promise<string> {
  const path = join(folder, file.title);
  writeFileSync(path, file.text);
  const { stdout, stderr } = await promisify(execFile)(program, [...args, path], limits);
  expect(stderr).toBe('');
  return stdout;
}

beforeAll(() => mkdirSync(folder, { recursive: true }));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('there are at least 8 pairs', () => expect(pairs.length).toBeGreaterThanOrEqual(8));

describe.each(pairs)('$shoal.title', (pair) => {
  test('Shoal prints what the document says', async () => {
    expect(await output(process.execPath, ['--conditions=@shoal/source'], pair.shoal)).toBe(pair.prints);
  });

  test.skipIf(python === undefined)('Python prints the same', async () => {
    expect(await output(python ?? '', [], pair.python)).toBe(pair.prints);
  });
});
