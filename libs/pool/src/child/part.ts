import type { ItemSource } from './block-cache.ts';
import type { ItemContext, PartContext } from './current-item.ts';
import type { RunMessage } from './message.ts';
import type { ResultBatch } from './result-batch.ts';
import type { Task } from './task.ts';

/** Consecutive items that this child was given. Items start in the order of their indices. */
export class Part {
  readonly spec: RunMessage;
  readonly task: Task;
  readonly items: ItemSource;
  readonly results: ResultBatch;
  readonly context: PartContext;
  readonly end: number;
  /** The next item to start. */
  next: number;
  /** The item whose start was marked last. */
  marked = -1;
  hasBegun = false;
  /** Starts no further item. */
  isStopped = false;
  /** Items that await something. */
  readonly inFlight: Set<ItemContext> = new Set();

  constructor(spec: RunMessage, task: Task, items: ItemSource, results: ResultBatch) {
    this.spec = spec;
    this.task = task;
    this.items = items;
    this.results = results;
    this.next = spec.first;
    this.end = spec.first + spec.count;
    this.context = {
      chunk: spec.chunk,
      job: task.spec.job,
      agent: task.spec.agent,
      task: task.spec.ref.name,
      tryNumber: spec.tryNumber,
    };
  }

  /** Nothing of it is left to start. */
  get isExhausted(): boolean {
    return this.isStopped || this.next >= this.end;
  }
}
