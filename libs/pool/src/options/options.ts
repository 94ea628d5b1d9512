import type { PrintWriter } from '../child-pool/print-writer.ts';
import type { IsolationLevel } from '../launchers/isolation.ts';
import type { TaskFunction, TaskModule } from '../map-pool.ts';

/** Options of a pool. All have defaults; each is checked before anything starts. */
export interface PoolOptions {
  /**
   * How many child processes run at once.
   *
   * Default: the CPUs usable here (affinity and cgroup limits count). 1 to 1,024. On a cluster: the slots that this
   * connection's jobs use at once, over all agents; by default all there are.
   */
  readonly processes?: number | undefined;
  /**
   * Replace a child after it has run this many tasks.
   *
   * A task is one call of your function, whatever the chunk size (CPython counts chunks here). The last result is
   * delivered before the child leaves; a chunk continues on its successor.
   *
   * Default: never. From 1. 50 to 1,000 suits code that leaks; 1 gives each call a fresh process, at the price of a process
   * start (about 25 ms of CPU) per item.
   */
  readonly maxTasksPerChild?: number | undefined;
  /**
   * How many calls one child has in flight at once. More than 1 lets a child await many I/O-bound calls: 4 processes
   * x 25 fetch 100 pages at a time. When such a child dies, each call that had started is run again alone.
   *
   * Default: 1. 1 to 10,000.
   */
  readonly concurrentTasksPerChild?: number | undefined;
  /**
   * Replace a child whose resident memory is above this many bytes, between two items.
   *
   * An item that takes its child over twice this is killed with it, as one that kills its process (on Linux).
   *
   * Default: no limit. From 1,048,576 (1 MiB; a fresh child has about 42 MiB).
   */
  readonly maxRssBytes?: number | undefined;
  /**
   * Replace a child that is older than this many milliseconds, between two items.
   *
   * Default: no limit. 1 to 2,147,483,647.
   */
  readonly maxAgeMs?: number | undefined;
  /**
   * Runs once in every child before its first task, again in each replacement. Given in the forms that a task
   * function has; a promise that it returns is awaited.
   *
   * Whether the module of a task is loaded before it or after is not promised: what it sets, functions read when they are called.
   * If it throws, or is not done after `initializerTimeoutMs`, pending work rejects with `InitializerError`. Default: none.
   */
  readonly initializer?: TaskFunction<never, unknown> | TaskModule | undefined;
  /** The arguments of `initializer`. Default: none. */
  readonly initArgs?: readonly unknown[] | undefined;
  /**
   * How long `initializer` may take in a child, in milliseconds. Then its process is killed.
   *
   * Default: 60,000. 1 to 2,147,483,647.
   */
  readonly initializerTimeoutMs?: number | undefined;
  /**
   * The environment of the children: names of variables to take over from here, or a record of names and values.
   *
   * Default: this process's whole environment; on a cluster a few variables of the agent's own (PATH, HOME, LANG, TZ,
   * TMPDIR and the like). What is named here is all that there is: `[]` gives an empty one.
   */
  readonly env?: readonly string[] | Readonly<Record<string, string>> | undefined;
  /**
   * Arguments for `node` in the children, such as `--max-old-space-size=512`.
   *
   * Default: this process's own (`process.execArgv`) without those of the inspector.
   */
  readonly execArgv?: readonly string[] | undefined;
  /**
   * How children are started: `'spawn'` starts a Node process for each; `'fork'` copies one that has loaded what they need,
   * in a tenth of the time and memory; `'auto'` spawns until it has measured that children live so short that forking pays.
   *
   * A forked child collects garbage and compiles in its one thread, which costs code that allocates much a few percent:
   * fork where children live short (`maxTasksPerChild`), spawn where they live long. Where forking is not possible (on
   * Linux alone, and where the package was built with a C compiler) children are spawned, and `stats().starts.notForked`
   * says why. See docs/fork-server.md.
   *
   * Default: `'spawn'`, for forked children differ in a few ways, which are listed there; on a cluster what the agent was
   * told (`shoal agent --start-children`), which is the same unless somebody has asked for more.
   */
  readonly startChildren?: 'auto' | 'spawn' | 'fork' | undefined;
  /**
   * Forked children share the task module and its imports, loaded once before the first of them: a module that takes long
   * to load costs its time once and not in each child. What it draws by chance or notes while it is loaded, all have alike:
   * beware of libraries that draw ahead there for later (nanoid), whose names repeat then.
   *
   * Where loading it leaves a thread, a socket, a file, a timer or a process behind, nothing is shared, and
   * `stats().starts.notForked` says so. It has no meaning for children that are spawned: without `startChildren: 'fork'`
   * or `'auto'` it is a TypeError; on a cluster only with `startChildren: 'spawn'`, for an agent may fork by itself
   * (`shoal agent --start-children`).
   *
   * Default: false.
   */
  readonly preload?: boolean | undefined;
  /**
   * How children are kept away from this machine and from each other.
   *
   * `'process'`: a process like any other. `'permission'`: Node's permission model: no writing but into an empty folder of
   * its own, which it works in, no processes, threads or native addons. That is a seat belt and no boundary
   * (docs/isolation.md). `'user'` and `'container'` are for agents, whose option has the same name (`shoal agent
   * --isolation`); on a cluster the stricter of both holds, and an agent that cannot do as much refuses the job with
   * ISOLATION_NOT_AVAILABLE, as does a pool on one machine.
   *
   * Default: `'process'`; on a cluster what the agent does.
   */
  readonly isolation?: IsolationLevel | undefined;
  /**
   * What happens to the text that tasks print: `'forward'` shows it here, each line with who said it; `'ignore'` drops it.
   *
   * Default: `'forward'`.
   */
  readonly stdio?: 'forward' | 'ignore' | undefined;
  /**
   * Where the text that tasks print is shown: `new PrintWriter({ stdout: process.stderr })` keeps stdout for results.
   *
   * Default: what tasks print to stdout goes to this process's stdout, the rest to its stderr.
   */
  readonly printer?: PrintWriter | undefined;
  /**
   * How many bytes one item may print; what is more is dropped, and a line says how much it was.
   *
   * Default: 65,536 (64 KiB). 1,024 to 16,777,216.
   */
  readonly maxPrintBytesPerItem?: number | undefined;
  /**
   * How many bytes one child may print in a second, all its items together; what is more is dropped, and a line says how
   * much it was.
   *
   * Default: 1,048,576 (1 MiB). 1,024 to 1,073,741,824.
   */
  readonly maxPrintBytesPerSecond?: number | undefined;
  /**
   * How many characters the message of an error may have that a task throws, and how many its stack; what is more is cut,
   * and ends in `…`.
   *
   * Default: 16,384. 256 to 65,536.
   */
  readonly maxErrorChars?: number | undefined;
  /**
   * How many errors are followed in the chain of `cause` below the one that was thrown; the next one is told in words.
   *
   * Default: 8. 1 to 32.
   */
  readonly maxErrorDepth?: number | undefined;
  /**
   * How many own fields of an error are kept that a task throws; the others are left out.
   *
   * Default: 64. 1 to 1,024.
   */
  readonly maxErrorFields?: number | undefined;
  /**
   * How many bytes all of an error may take that a task throws, its causes included; beyond it own fields are left out, then
   * causes, and then message and stack are cut.
   *
   * Default: 262,144 (256 KiB). 16,384 to 1,048,576.
   */
  readonly maxErrorBytes?: number | undefined;
  /**
   * How many bytes one item may take when it is sent; beyond that it fails with code `ITEM_TOO_LARGE`.
   *
   * Default: 67,108,864 (64 MiB). 1,024 to 1,073,741,824.
   */
  readonly maxItemBytes?: number | undefined;
  /**
   * How many bytes one result may take when it is sent; beyond that its item fails with code `RESULT_TOO_LARGE`.
   *
   * Default: 67,108,864 (64 MiB). 1,024 to 1,073,741,824.
   */
  readonly maxResultBytes?: number | undefined;
  /**
   * How many bytes the values that were broadcast and not released may take, all together, when they are sent; beyond
   * that `broadcast` throws `BROADCAST_TOO_LARGE`.
   *
   * Default: 1,073,741,824 (1 GiB). 1,024 to 68,719,476,736. On a cluster each must also be within what the coordinator
   * takes as one bundle (`shoal coordinator --max-bundle-bytes`, 64 MiB).
   */
  readonly maxBroadcastBytes?: number | undefined;
  /**
   * What leaving an `await using` block does: `'terminate'` ends pending work, `'drain'` waits for it (though not for ever
   * for a stream of `imap` that nobody reads any more: `unreadStreamMs`).
   *
   * Default: `'terminate'`, as leaving Python's `with Pool()` does.
   */
  readonly onDispose?: 'terminate' | 'drain' | undefined;
  /**
   * With `onDispose: 'drain'`: how long a disposal waits for somebody to ask a stream of `imap` for a result that cannot go
   * on without that, in milliseconds. Then it ends the stream with `PoolTerminatedError`: its reader was in the block that
   * was left. Whoever has asked since the disposal began is a reader elsewhere, and is waited for.
   *
   * Default: 10,000. 1 to 2,147,483,647. Raise it where readers outside of the block pause for longer.
   */
  readonly unreadStreamMs?: number | undefined;
}

/** How often an item is tried again after each kind of ending. */
export interface RetryOptions {
  /** The function threw. Default 0. 0 to 1,000. */
  readonly thrown?: number | undefined;
  /**
   * Its process died while it ran. Default 2. 0 to 1,000. With 0 it is run at most once: then all calls that one process
   * had in flight (`concurrentTasksPerChild`) fail with it, for any of them may have ended it.
   */
  readonly crash?: number | undefined;
  /** It ran longer than `timeoutMs`. Default 0. 0 to 1,000. */
  readonly timeout?: number | undefined;
  /**
   * What ran it was lost: its agent, or, the first time, the fork server that its process was a copy of. Default 10. 0 to 1,000.
   * On one machine it has a meaning with `startChildren` `'fork'` or `'auto'` alone.
   */
  readonly lost?: number | undefined;
}

/** Where a job stands, as `onProgress` is told. */
export interface MapProgress {
  /** How many items there are; undefined while the length of the input is unknown. */
  readonly total: number | undefined;
  /** Items that gave a result. */
  readonly done: number;
  /** Items that failed for good. */
  readonly failed: number;
  /** Items that are running. */
  readonly running: number;
  /** Tries beyond the first, of all items together. */
  readonly retried: number;
  /** Items of a `pure` job that were given to a second process to beat a straggler; absent while there are none. */
  readonly speculated?: number;
  /** Those of them whose second attempt was first: they would have come later without it. */
  readonly speculationWins?: number;
  /** Why it waits, in words (no agents, all slots busy, paused by its consumer); absent while it comes on. */
  readonly waitingFor?: string;
}

/** Options of one job. */
export interface MapOptions {
  /**
   * How many items a process is handed at once.
   *
   * Default: `'auto'`: one to begin with, then as many as take 20 to 80 ms. 1 to 1,000,000. The size changes speed and
   * nothing else: every item keeps its own result, error and retries. With `concurrentTasksPerChild` a process is handed
   * as many chunks together as it takes to have that many calls in flight.
   */
  readonly chunkSize?: number | 'auto' | undefined;
  /**
   * How long one item may run, from its start, in milliseconds. Then its process is killed and replaced, and the item
   * fails with code `ITEM_TIMED_OUT`. No item runs while a process loads the module of the function: of one that never
   * gets done with that, such as by an `await` at its top, only `deadlineMs` ends the job.
   *
   * Default: no limit. 1 to 2,147,483,647.
   */
  readonly timeoutMs?: number | undefined;
  /**
   * How long the whole job may take, in milliseconds. Then it is cancelled and rejects with code `JOB_DEADLINE`, on a
   * cluster also where the coordinator cannot be reached, or says nothing for half a second after that time.
   *
   * Default: no limit. 1 to 2,147,483,647.
   */
  readonly deadlineMs?: number | undefined;
  /**
   * How often an item is tried again: a number for `thrown`, `crash` and `timeout` alike, or one for each kind.
   *
   * Default: `{ thrown: 0, crash: 2, timeout: 0, lost: 10 }`. Each 0 to 1,000. Tries are 250 ms apart at first, then twice as long each
   * time up to 30 s, less a random part; other items do not wait for that.
   */
  readonly retries?: number | RetryOptions | undefined;
  /**
   * Which thrown errors are worth another try: names or codes of errors (`['ECONNRESET', 'HttpError']`), or an inline
   * function `(error) => boolean`, which runs in the child. Counts against `retries.thrown`. One that throws
   * retries nothing, and says so on stderr.
   *
   * Default: every error.
   */
  readonly retryOn?: readonly string[] | ((error: Error) => boolean) | undefined;
  /** As in {@link PoolOptions}, for the children that serve this job. Default: the pool's. */
  readonly maxTasksPerChild?: number | undefined;
  /** As in {@link PoolOptions}, for this job. Default: the pool's. */
  readonly concurrentTasksPerChild?: number | undefined;
  /** Cancels the job when it aborts; the job then rejects with the signal's reason. Default: none. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Told where the job stands, at most ten times a second and once at its end, when `done + failed === total`.
   *
   * What it throws is reported as a process warning and harms nothing. Default: none.
   */
  readonly onProgress?: ((progress: MapProgress) => void) | undefined;
  /**
   * The first item that fails for good ends the job: the others are cancelled. `mapSettled` then resolves to what was known
   * by that time, so to fewer outcomes than there were items. A stream hands out first what had finished
   * before it in the order of the items; for that it may end 50 ms later.
   *
   * Default: false.
   */
  readonly failFast?: boolean | undefined;
  /**
   * How many items may be taken from the input and not yet taken by the consumer, at most.
   *
   * Default: starts at 64 or more and grows while the consumer keeps up, to 65,536 items; 262,144 where every result is
   * collected (`map`). Bounded in bytes, too: `bufferBytes`. 1 to 1,000,000.
   */
  readonly bufferSize?: number | undefined;
  /**
   * How many bytes of items may be taken from the input and not yet be done, at most; a single bigger item always fits. On
   * a cluster the coordinator bounds what it holds of a job besides (`windowBytes`).
   *
   * Default: 16,777,216 (16 MiB). 65,536 to 1,073,741,824.
   */
  readonly bufferBytes?: number | undefined;
  /** Jobs of a higher priority go first; equal ones share the pool fairly. Default: 0. -100 to 100. */
  readonly priority?: number | undefined;
  /**
   * The function has no side effects: an item may run twice at once, to beat a straggler.
   *
   * Once nothing is left to hand out and processes are free, items that take three times as long as the others did (and a
   * second at least) run on another agent too, in a pool on one machine in another process. The first result counts, the
   * other run is stopped. An item runs one time more at most than its `retries` allow, and once at most where they allow
   * no further try after a crash or a loss. Progress says how many items ran twice (`speculated`), and how many results
   * came earlier for it (`speculationWins`).
   *
   * Default: false.
   */
  readonly pure?: boolean | undefined;
  /**
   * A name for this call, so that it can be made again safely: the same id with the same function, items and options is
   * the same job, and both calls have its results. With anything else the call rejects with code `JOB_EXISTS`.
   *
   * Known in its pool or connection, while the job runs and a minute longer. Items that can be read only once (generators)
   * are not compared. A stream has one reader: a second `imap` with the same id is refused.
   *
   * Default: none, every call is a job. 1 to 200 characters.
   */
  readonly requestId?: string | undefined;
  /**
   * Runs the job only on agents that have all of these labels, each with this value, such as `{ gpu: 'a100' }`.
   *
   * Agents get theirs with `shoal agent --labels`. A job that no agent fits waits, and says so (`onProgress`). A pool on one
   * machine has nothing to choose from: there labels are checked and every job runs here.
   *
   * Default: any agent. At most 64 labels. A name has 1 to 100 letters, digits, `.`, `_`, `-` and `/`, and starts with a
   * letter or a digit; a value has 1 to 100 characters, none of them a control character.
   */
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

/** Further options of `imap` and `imapUnordered`. */
export interface StreamOptions {
  /** Yield outcomes as `mapSettled` has them; then nothing rejects for an item. Default: false. */
  readonly settled?: boolean | undefined;
}

/** The export that a task module is asked for. */
export interface ModuleOptions {
  /** The name of the export. Default: the name after `#`, else `default`. */
  readonly export?: string | undefined;
}

/** Options of `submit`. */
export interface SubmitOptions<R> extends MapOptions {
  /**
   * Called once with the results, if every item gave one. What it throws is reported as a process warning.
   *
   * Default: none.
   */
  readonly onSuccess?: ((results: R) => void) | undefined;
  /**
   * Called once with the error, if the job rejects. What it throws is reported as a process warning.
   *
   * Default: none.
   */
  readonly onError?: ((error: unknown) => void) | undefined;
}
