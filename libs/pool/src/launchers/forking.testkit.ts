/** Pools whose children are forked. */
import { type RequestOptions, setupOf, TestPool } from '../child-pool/child-pool.testkit.ts';
import type { ChildSetup, TaskRef } from '../child-pool/chunk-request.ts';

/** A task of a fixture. */
export function taskOf(file: string, name: string): TaskRef {
  const { href: url } = new URL(`../fixtures/${file}.ts`, import.meta.url);
  return { kind: 'export', name, url, export: name };
}

/** A pool whose children are forked, with a task of fork-tasks.ts. */
export class Forking {
  readonly #setup: ChildSetup;
  readonly test: TestPool;

  constructor(processes: number, setup: Partial<ChildSetup> = {}) {
    this.test = new TestPool(processes);
    this.#setup = setupOf({ startChildren: 'fork', stdio: 'ignore', ...setup });
  }

  run(
    task: string | TaskRef,
    items: readonly unknown[],
    options: RequestOptions = {},
  ): ReturnType<TestPool['run']> {
    const ref = typeof task === 'string' ? taskOf('fork-tasks', task) : task;
    return this.test.run(ref, items, { setup: this.#setup, ...options });
  }

  get starts(): ReturnType<TestPool['pool']['stats']>['starts'] {
    return this.test.pool.stats().starts;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.test.pool.terminate();
  }
}

/** Options for Node that run this in each process before anything else. */
export const importing = (script: string): string[] => [
  '--import',
  `data:text/javascript,${encodeURIComponent(script)}`,
];

/** Items for so many children, one each. */
export const children = (count: number): undefined[] => Array<undefined>(count).fill(undefined);
