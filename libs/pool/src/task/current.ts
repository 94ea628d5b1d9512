/** What a task function can know of its own call. */
export interface TaskContext {
  /** The item's position in the input, from 0. */
  readonly index: number;
  /** Which try at this item it is, from 1. */
  readonly attempt: number;
  /** Aborts when the job is cancelled, when its deadline or the item's `timeoutMs` has passed: the process is killed soon after. */
  readonly signal: AbortSignal;
  /** The job's id. */
  readonly job: string;
  /** The agent that this runs on; undefined in a local pool. */
  readonly agent: string | undefined;
}

/**
 * What the running task function can know of its call: `current()?.index`.
 *
 * Undefined where no pool called the function. Holds across `await`.
 */
export function current(): TaskContext | undefined {
  // Set by the child under a name, so that every copy of this package in a bundle finds it.
  const look: unknown = Reflect.get(globalThis, Symbol.for('shoal.current'));
  return typeof look === 'function' ? (look() as TaskContext | undefined) : undefined;
}
