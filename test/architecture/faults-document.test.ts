import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const document = new URL('../../docs/faults.md', import.meta.url);
const links = [...readFileSync(document, 'utf8').matchAll(/\]\(([^)]+)\)/g)].map(([, link = '']) => link);
const tested = fileURLToPath(new URL('../chaos', import.meta.url));

test('every fault that the document names is shown by a file that exists', () => {
  expect(links.filter((link) => !existsSync(new URL(link, document)))).toEqual([]);
});

test('every file of scenarios is in the document', () => {
  // These two test the tests' own means.
  const means = ['chaos-cluster.test.ts', 'fault-proxy.test.ts'];
  const scenarios = readdirSync(tested).filter((name) => name.endsWith('.test.ts') && !means.includes(name));
  expect(scenarios.filter((name) => !links.includes(`../test/chaos/${name}`))).toEqual([]);
});
