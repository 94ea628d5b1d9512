import { ShoalError } from '@shoal/errors';
import { childSetupOf, initArgsOf, localIsolation } from './child-pool/child-setup.ts';
import type { ChildSetup, Print, TaskRef } from './child-pool/chunk-request.ts';
import { PrintWriter } from './child-pool/print-writer.ts';
import { LocalBackend } from './local-backend.ts';
import type { MapPool } from './map-pool.ts';
import { checkPoolOptions } from './options/option-table.ts';
import type { PoolOptions } from './options/options.ts';
import { usableCpus } from './options/usable-cpus.ts';
import { PoolSurface } from './surface/surface.ts';
import { resolveTask } from './task/task-function.ts';

/** A pool of child processes on this machine. See {@link MapPool} for what it does. */
export interface Pool extends MapPool {}

let poolsMade = 0;
const defaultResultBytesMax = 64 * 1024 * 1024;

/**
 * A pool of child processes on this machine: `await using pool = new Pool({ processes: 4 })`.
 *
 * Its children start at once, in the background, and whoever dies is replaced, with and without work. An idle pool does
 * not keep its process from exiting; children never outlive it. In a worker thread they end with the thread; terminate the
 * pool before it all the same: Node hears no more of processes whose thread has ended, and each stays in the system's
 * list as a zombie, for which `process.kill(pid, 0)` succeeds, until the program ends.
 *
 * Throws a TypeError or RangeError that names a bad option, VALUE_NOT_PORTABLE for `initArgs` that cannot be sent,
 * ISOLATION_NOT_AVAILABLE for an isolation of agents, and POOL_IN_TASK_MODULE in a child that is loading its task module,
 * where every child would start children of its own.
 */
export const Pool: new (options?: PoolOptions) => Pool = class Pool extends PoolSurface {
  constructor(given: PoolOptions = {}) {
    const options = checkPoolOptions(given);
    refuseInTaskModule();
    const { initializer, maxResultBytes = defaultResultBytesMax } = options;
    const processes = options.processes ?? usableCpus();
    const initArgs = initArgsOf(options);
    // They are alike and serve this pool alone, so any name of its own will do.
    const key = `pool-${++poolsMade}`;
    const apart = localIsolation(options.isolation, childSetupOf(options, undefined));
    const setupWith = (task: TaskRef | undefined): ChildSetup => ({
      key,
      ...childSetupOf(options, task && initArgs && { task, ...initArgs }),
      ...apart,
    });
    const resolved =
      initializer === undefined ? undefined : resolveTask(initializer, undefined, 'initializer');
    // An inline initializer takes a moment to be looked at; jobs wait for that, and reject if it cannot be sent.
    const setup = resolved instanceof Promise ? resolved.then(setupWith) : setupWith(resolved);
    const printer = options.printer ?? new PrintWriter();
    const print = (text: Print): void => {
      if (options.stdio !== 'ignore') printer.write(text, undefined);
    };
    const backend = new LocalBackend({ processes, setup, maxResultBytes, print });
    super(backend, { ...options, processes, printer }, initArgs?.broadcasts);
  }
};

/** What a child says of itself, under a name that every copy of this package knows. */
interface ChildState {
  readonly loading: boolean;
  readonly module?: string;
}

function refuseInTaskModule(): void {
  const child = Reflect.get(globalThis, Symbol.for('shoal.child')) as ChildState | undefined;
  if (child?.loading) throw new ShoalError('POOL_IN_TASK_MODULE', { module: child.module ?? 'unknown' });
}
