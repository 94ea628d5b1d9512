import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { clusterSizeTable } from './cluster-size.testkit.ts';

test('G15: docs/cluster-size.md says how long the scheduler takes to notice, by the size of the cluster', () => {
  const document = readFileSync(new URL('../../../docs/cluster-size.md', import.meta.url), 'utf8');
  expect(document).toContain(clusterSizeTable());
}, 60_000);
