import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
}

const versions = globSync('{libs,apps}/*/package.json', { cwd: root }).flatMap((file) => {
  const { dependencies = {} } = JSON.parse(readFileSync(join(root, file), 'utf8')) as Manifest;
  return Object.entries(dependencies).filter(([name]) => !name.startsWith('@shoal/') && name !== 'shoal');
});

test('every direct dependency has a line that says why, and every line a dependency', () => {
  const rows = readFileSync(join(root, 'docs/dependencies.md'), 'utf8').matchAll(/^\| (`.*?`) \| .+ \|$/gm);
  const explained = [...rows].flatMap(([, names = '']) => names.replaceAll('`', '').split(', '));
  expect(explained.toSorted()).toEqual([...new Set(versions.map(([name]) => name))].toSorted());
});

test('they are pinned, and at most 25', () => {
  expect(versions.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
  expect(new Set(versions.map(([name]) => name)).size).toBeLessThanOrEqual(25);
});
