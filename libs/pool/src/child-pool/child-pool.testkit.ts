/** A ChildPool with a listener that keeps everything, and requests with defaults. */

import type { ChunkEnding, ChunkId } from '../core/chunk.ts';
import { decodeBlock, encodeBlock } from '../values/block-codec.ts';
import { decodeError } from '../values/remote-error.ts';
import { ChildPool, type ChildPoolOptions } from './child-pool.ts';
import type {
  Block,
  ChildSetup,
  ChunkEndingDetail,
  ChunkRequest,
  Encoding,
  ItemFailureReport,
  Print,
  RemoteErrorData,
  TaskRef,
} from './chunk-request.ts';

export interface Outcome {
  readonly values: Map<number, unknown>;
  readonly failures: Map<number, ItemFailureReport & { readonly data: RemoteErrorData }>;
  readonly pids: Map<number, number>;
  readonly ending: ChunkEnding;
  readonly detail: ChunkEndingDetail;
}

/** A task of fixtures/child-tasks.ts. */
export function fixture(name: string): TaskRef {
  return {
    kind: 'export',
    name,
    url: new URL('../fixtures/child-tasks.ts', import.meta.url).href,
    export: name,
  };
}

export function setupOf(overrides: Partial<ChildSetup> = {}): ChildSetup {
  const env = Object.fromEntries(
    Object.entries(process.env).filter((e): e is [string, string] => e[1] !== undefined),
  );
  return { key: 'k', env, execArgv: [], stdio: 'forward', ...overrides };
}

export function blockOf(values: readonly unknown[], first: number = 0, encoding: Encoding = 'v8'): Block {
  return { first, count: values.length, bytes: encodeBlock(encoding, values) };
}

export type RequestOptions = Partial<Omit<ChunkRequest, 'task' | 'blocks'>> & {
  readonly blocks?: readonly Block[];
};

/** A pool whose chunks are promises. */
export class TestPool {
  readonly pool: ChildPool;
  readonly prints: Print[] = [];
  /** What was told, in its order. */
  readonly told: ('print' | 'results')[] = [];
  readonly #open = new Map<
    ChunkId,
    { outcome: Omit<Outcome, 'ending' | 'detail'>; request: ChunkRequest; resolve: (o: Outcome) => void }
  >();
  #nextId = 1;

  constructor(processes: number, options: Partial<ChildPoolOptions> = {}) {
    this.pool = new ChildPool({
      processes,
      ...options,
      listener: {
        results: (id, { first, count, bytes, pid }) => {
          this.told.push('results');
          const open = this.#open.get(id);
          if (open === undefined) throw new Error(`Results of chunk ${id}, which is over.`);
          const values = decodeBlock(open.request.encoding, bytes, count);
          values.forEach((value, i) => {
            open.outcome.values.set(first + i, value);
            open.outcome.pids.set(first + i, pid);
          });
        },
        itemFailed: (id, failure) => {
          const open = this.#open.get(id);
          if (open === undefined) throw new Error(`A failure of chunk ${id}, which is over.`);
          const data = decodeError(open.request.encoding, failure.error);
          open.outcome.failures.set(failure.index, { ...failure, data });
        },
        ended: (id, ending, detail) => {
          const open = this.#open.get(id);
          if (open === undefined) throw new Error(`Chunk ${id} ended twice.`);
          this.#open.delete(id);
          open.resolve({ ...open.outcome, ending, detail });
        },
        print: (_, print) => {
          this.told.push('print');
          this.prints.push(print);
        },
      },
    });
  }

  /** Run items as one chunk; `lastId` is its number. */
  run(task: TaskRef | string, items: readonly unknown[], options: RequestOptions = {}): Promise<Outcome> {
    const first = options.first ?? 0;
    const request: ChunkRequest = {
      id: this.#nextId++,
      setup: setupOf(),
      job: 'job',
      encoding: 'v8',
      spread: false,
      count: items.length,
      marksStarts: false,
      tryNumber: 1,
      maxResultBytes: 64 * 1024 * 1024,
      blocks: [blockOf(items, first, options.encoding)],
      ...options,
      first,
      task: typeof task === 'string' ? fixture(task) : task,
    };
    return new Promise((resolve) => {
      const outcome = { values: new Map(), failures: new Map(), pids: new Map() };
      this.#open.set(request.id, { outcome, request, resolve });
      this.pool.run(request);
    });
  }

  get lastId(): ChunkId {
    return this.#nextId - 1;
  }
}

export { until } from '../../../../test/until.ts';
