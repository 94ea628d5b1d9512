import { TestRunner } from 'vitest';

declare module 'vitest' {
  interface TaskMeta {
    limitEdges?: readonly LimitEdge[];
  }
}

/** A limit of docs/limits.md that a test has tried with so much more than it allows: -1, 0 and 1 are its edges. */
export interface LimitEdge {
  readonly limit: string;
  readonly off: number;
}

/**
 * Notes in the running test that it has tried a limit with `amount`, where `most` is allowed. It counts if that test passes:
 * whoever runs every test (tools/test-report.ts) holds what was noted against the table of limits.
 */
export function triedLimit(limit: string, amount: number, most: number): void {
  const test = TestRunner.getCurrentTest();
  if (test === undefined) throw new Error(`The edges of ${limit} are tried outside of a test.`);
  test.meta.limitEdges = [...(test.meta.limitEdges ?? []), { limit, off: amount - most }];
}
