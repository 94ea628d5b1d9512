import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { plantedBugs } from '../simulation/planted-bugs.ts';
import { planted } from '../simulation/planting.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

test.each(plantedBugs)('the core has the line that $name changes, once', (bug) => {
  const source = readFileSync(`${root}${bug.file}`, 'utf8');
  expect(planted(source, bug)).not.toBe(source);
});
