import type { ConnectOptions } from '@shoal/client';
import { countedText, countText, ItemError } from '@shoal/errors';
import type { MapOptions, MapPool, ModuleOptions, PoolOptions } from '@shoal/pool';
import { complaint } from '../complaint.ts';
import { withConnectingNotice } from '../connecting-notice.ts';
import { exitCode } from '../exit-code.ts';
import type { FlagNames } from '../flag-names.ts';
import { exitCodeOfSignal, Interruption } from '../interruption.ts';
import { preparePoisonFolder } from '../poison/poison-file.ts';
import { PoisonKeeper } from '../poison/poison-keeper.ts';
import type { Terminal } from '../terminal.ts';
import { type InputFormat, openItemSource } from './item-source.ts';
import { JobDeadline } from './job-deadline.ts';
import { errorLine, resultLine } from './output-line.ts';
import { type Count, type Progress, startProgress } from './progress.ts';
import { openResultWriter, type ResultWriter } from './result-writer.ts';
import { StderrReader } from './stderr-reader.ts';
import { parseTaskSpec, type TaskSpec } from './task-spec.ts';
import { WaitingNotice } from './waiting-notice.ts';

/** A job as the command line asks for it. Every value is checked. */
export interface MapRequest {
  readonly task: string;
  readonly input: string;
  readonly inputFormat?: InputFormat;
  readonly output: string;
  readonly unordered?: boolean;
  readonly chunkSize?: number | 'auto';
  readonly retries?: number;
  /** Per item, in milliseconds. */
  readonly timeout?: number;
  /** Of the whole job, in milliseconds. */
  readonly deadline?: number;
  readonly priority?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly pure?: boolean;
  readonly processes?: number;
  readonly maxTasksPerChild?: number;
  readonly startChildren?: 'auto' | 'spawn' | 'fork';
  readonly preload?: boolean;
  readonly maxItemBytes?: number;
  readonly maxResultBytes?: number;
  readonly onError: 'stop' | 'keep';
  /** The folder where items that killed their process or ran too long are saved. */
  readonly savePoison?: string;
  /** The coordinator; without it the job runs on this machine. */
  readonly address?: string;
  /** How the coordinator is reached. */
  readonly security?: Pick<ConnectOptions, 'tls' | 'token' | 'insecure'>;
}

/** So long is a coordinator tried, in milliseconds; less where the deadline is sooner. */
const connectTimeoutMs = 10_000;

/** What a job says that has run all that came in. */
const inputWait = 'waits for its input';

/** Runs one job from its input to its output and resolves to the exit code. */
export async function runMapJob(request: MapRequest, terminal: Terminal, flags: FlagNames): Promise<number> {
  const deadline = new JobDeadline(request.deadline);
  const task = parseTaskSpec(request.task);
  if (request.savePoison !== undefined) await preparePoisonFolder(request.savePoison);
  const source = await openItemSource(request.input, request.inputFormat, terminal);

  let pool: MapPool | undefined;
  let writer: ResultWriter | undefined;
  const reader = new StderrReader(terminal.stderr, deadline);
  /** Ends what is waited for before the job begins. */
  const opening = new AbortController();
  using interruption = new Interruption(() => {
    terminal.stderr.write('shoal: stopping; once more to kill.\n');
    source.close();
    opening.abort();
    const stopped = new Error('it was stopped');
    writer?.hurry(stopped);
    reader.hurry(stopped);
    void pool?.terminate();
  });

  const count: Outlet['count'] & Count = {
    done: 0,
    failed: 0,
    total: source.total,
    waitingFor: undefined,
  };
  const progress = startProgress(
    terminal,
    () => count,
    request.output === '-' && terminal.stdout.isTTY === true,
  );
  const isStdin = request.input === '-';
  const notice = new WaitingNotice((text) => progress.line(text));
  try {
    const late = (error: Error): void => opening.abort(error);
    const output = await deadline.during(
      openResultWriter(request.output, source.file, terminal, opening.signal),
      late,
    );
    writer = output;
    // A coordinator that is not there says so within the deadline; that this has passed would say less.
    pool = await openPool(request, progress, opening.signal, deadline.leftMs);
    // We look again after the await: a signal that came while it was being opened has found no pool to end.
    if (interruption.signal !== undefined) return exitCodeOfSignal(interruption.signal);
    using _alarm = deadline.alarm((error) => output.hurry(error));
    const options: MapOptions & { export: string } = {
      export: task.export,
      chunkSize: request.chunkSize,
      retries: request.retries,
      timeoutMs: request.timeout,
      deadlineMs: deadline.leftMs,
      priority: request.priority,
      labels: request.labels,
      pure: request.pure,
      onProgress: ({ waitingFor }) => {
        count.waitingFor = isStdin && waitingFor === inputWait ? `${inputWait} (stdin)` : waitingFor;
        notice.waiting(count.waitingFor);
      },
    };
    const results = resultsOf(pool, { request, task, items: source.items, options, progress });
    await writeResults(results, request.onError, { writer: output, reader, progress, count, flags });
    await output.close();
    if (output.failure !== undefined) throw output.failure;
    if (count.failed > 0)
      progress.line(
        `${countText(count.failed)} of ${countedText(count.done + count.failed, 'item')} failed.`,
      );
    return count.failed > 0 ? exitCode.failed : exitCode.done;
  } catch (error) {
    if (interruption.signal !== undefined) return exitCodeOfSignal(interruption.signal);
    // What came before the error is good; it is written before the error is told.
    await writer?.close();
    throw deadline.told(error);
  } finally {
    notice.waiting(undefined);
    progress.stop();
    source.close();
    await pool?.terminate();
  }
}

async function openPool(
  request: MapRequest,
  progress: Progress,
  signal: AbortSignal,
  leftMs: number = connectTimeoutMs,
): Promise<MapPool> {
  const { Pool, PrintWriter } = await import('@shoal/pool');
  // Results go to stdout, so what tasks print there goes to stderr, above the bar.
  const prints = {
    write: (text: string): boolean => {
      progress.line(text.trimEnd());
      return true;
    },
  };
  const options: PoolOptions = {
    processes: request.processes,
    maxTasksPerChild: request.maxTasksPerChild,
    startChildren: request.startChildren,
    preload: request.preload,
    maxItemBytes: request.maxItemBytes,
    maxResultBytes: request.maxResultBytes,
    printer: new PrintWriter({ stdout: prints, stderr: prints }),
  };
  // A job on this machine loads nothing of the network: it should be on its way within a blink.
  if (request.address === undefined) return new Pool(options);
  const { connect } = await import('@shoal/client');
  return withConnectingNotice(
    request.address,
    connect(request.address, {
      ...options,
      ...request.security,
      signal,
      connectTimeoutMs: Math.min(connectTimeoutMs, leftMs),
    }),
    progress.line,
  );
}

interface Run {
  readonly request: MapRequest;
  readonly task: TaskSpec;
  readonly items: Iterable<unknown> | AsyncIterable<unknown>;
  readonly options: MapOptions & ModuleOptions;
  readonly progress: Progress;
}

/** The results in the order that was asked for; `next()` rejects with the error of an item that failed. */
function resultsOf(
  pool: MapPool,
  { request, task, items, options, progress }: Run,
): AsyncIterator<unknown, undefined> {
  const { savePoison: folder, timeout: timeoutMs, unordered } = request;
  if (folder === undefined) {
    return unordered ? pool.imapUnordered(task.url, items, options) : pool.imap(task.url, items, options);
  }
  const keeper = new PoisonKeeper({ folder, task, timeoutMs, say: (text) => progress.line(text) });
  // Only settled outcomes tell which item they belong to when they come unordered.
  const settled = { ...options, settled: true } as const;
  const remembered = keeper.remember(items);
  return keeper.watch(
    unordered ? pool.imapUnordered(task.url, remembered, settled) : pool.imap(task.url, remembered, settled),
  );
}

interface Outlet {
  readonly writer: ResultWriter;
  readonly reader: StderrReader;
  readonly progress: Progress;
  readonly flags: FlagNames;
  readonly count: { done: number; failed: number; waitingFor: string | undefined };
}

/** Takes outcomes one by one and writes each, at the pace of whoever reads the output and what is said beside it. */
async function writeResults(
  results: AsyncIterator<unknown, undefined>,
  onError: 'stop' | 'keep',
  { writer, reader, progress, count, flags }: Outlet,
): Promise<void> {
  for (;;) {
    let failed: ItemError | undefined;
    await reader.caughtUp();
    try {
      const next = await results.next();
      if (next.done === true) return;
      const line = resultLine(next.value, count.done + count.failed);
      if (line instanceof ItemError) failed = line;
      else {
        count.done++;
        await writer.line(line);
      }
    } catch (error) {
      if (!(error instanceof ItemError)) throw error;
      failed = error;
    }
    if (failed === undefined) continue;
    if (onError === 'stop') throw failed;
    count.failed++;
    progress.line(complaint(failed, flags));
    await writer.line(errorLine(failed, flags.textOf(failed)));
  }
}
