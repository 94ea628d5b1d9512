import type { Reporter, TestCase, TestModule, Vitest } from 'vitest/node';
import type { LimitEdge } from '../test/limit-edges.ts';

/**
 * A reporter that holds docs/limits.md against what was tried: each limit one below it, at it and one beyond, in tests that ran
 * and passed. A run of some of the files says nothing of it.
 */
export class LimitEdgesReport implements Reporter {
  #files = 0;
  #isFiltered = false;

  async onInit(vitest: Vitest): Promise<void> {
    const all = await vitest.globTestSpecifications();
    this.#files = all.length;
    const { project, testNamePattern } = vitest.config;
    this.#isFiltered = testNamePattern !== undefined || project.length > 0;
  }

  async onTestRunEnd(modules: readonly TestModule[]): Promise<void> {
    if (this.#isFiltered || modules.length < this.#files) return;
    // What is built: the main process of Vitest resolves no sources.
    const { limitNames } = await import('./limits-document.ts');
    const tried = modules.flatMap((module) => [...module.children.allTests('passed')].flatMap(notedBy));
    const missing = missingEdges(limitNames(), tried);
    if (missing.length === 0) return;
    process.exitCode = 1;
    console.error(`\nlimits of docs/limits.md, see test/limit-edges.ts:\n  ${missing.join('\n  ')}`);
  }
}

const notedBy = (test: TestCase): readonly LimitEdge[] => test.meta().limitEdges ?? [];

/** Held by the very same check: a child that is told the smaller of both. */
const sameAs: Readonly<Record<string, string>> = { maxResultBytes: 'resultBytes' };

/** What is wanting, a sentence each, where these are all that was tried of all limits that there are. */
export function missingEdges(limits: readonly string[], tried: readonly LimitEdge[]): string[] {
  const missing = limits.flatMap((limit) => {
    const offs = tried.filter((edge) => edge.limit === (sameAs[limit] ?? limit)).map(({ off }) => off);
    const wanting = [-1, 0, 1].filter((off) => !offs.includes(off));
    return wanting.length === 0
      ? []
      : [`No test that passed has tried the limit ${limit} at ${wanting.join(', ')} from it.`];
  });
  const unknown = new Set(tried.map(({ limit }) => limit).filter((limit) => !limits.includes(limit)));
  return [...missing, ...[...unknown].map((limit) => `A test has tried a limit ${limit} that there is not.`)];
}
