import { serialize } from 'node:v8';
import type { ChunkEndingDetail, ChunkListener, ItemFailureReport, Print, ResultRun } from '@shoal/pool';
import {
  type AttemptReport,
  type CatalogueError,
  Encoding,
  errorOf,
  type FailedTry,
  FailureKind,
  type ItemAttempt,
  PrintStream,
  toldError,
  type Print as WirePrint,
  type ResultRun as WireRun,
  writeCatalogueError,
  writeFacts,
} from '@shoal/protocol';

/** How an attempt ended, on the wire. */
export type Ended = NonNullable<AttemptReport['ended']>;
type ChunkEnding = Parameters<ChunkListener['ended']>[1];

/** Nobody is to blame, and nothing more is reported. */
export const returned: Ended = { ending: { $case: 'returned', value: { started: [] } } };

/** It was never started, for want of what `error` is about. */
export const returnedFor = (error: unknown): Ended => ({
  ending: { $case: 'returned', value: { started: [], lacking: writeCatalogueError(toldError(error)) } },
});

const noBytes = new Uint8Array();

/** Values as the wire has them. */
export function wireRun({ first, count, bytes, runMs, pid }: ResultRun): WireRun {
  return {
    first,
    count,
    payload: bytes,
    payloadSkip: 0,
    more: false,
    totalBytes: 0,
    runMs,
    pid,
    agent: '',
  };
}

/** An item that threw, is no value, or whose result cannot be sent. */
export function thrownTry(failure: ItemFailureReport): FailedTry {
  const { index, code, retryable, error, summary, facts, pid, ms } = failure;
  return {
    index,
    kind: FailureKind.THROWN,
    code,
    retryable,
    attempt: { agent: '', pid, exitCode: undefined, signal: '', ms, withItsServer: false },
    error,
    summary,
    stderrTail: '',
    facts: writeFacts(facts),
  };
}

/** An item that ran too long; undefined for any other ending. */
export function timedOutTry(ending: ChunkEnding, detail: ChunkEndingDetail): FailedTry | undefined {
  if (ending.kind !== 'timedOut') return undefined;
  return {
    index: ending.index,
    kind: FailureKind.TIMEOUT,
    code: 'ITEM_TIMED_OUT',
    retryable: true,
    attempt: wireDeath(ending),
    error: noBytes,
    summary: '',
    stderrTail: detail.stderrTail ?? '',
    facts: {},
  };
}

/** How a chunk ended, as the wire has it. */
export function wireEnding(
  ending: ChunkEnding,
  detail: ChunkEndingDetail,
  where: { readonly agent: string; readonly encoding: Encoding | undefined },
): Ended {
  switch (ending.kind) {
    case 'finished':
      return { ending: { $case: 'finished', value: {} } };
    case 'childDied': {
      const { stderrTail = '' } = detail;
      const value = { death: wireDeath(ending), suspects: [...ending.suspects], stderrTail };
      return { ending: { $case: 'childDied', value } };
    }
    // The item that ran too long was reported; what ran beside it goes back free, but for what may run only once.
    case 'timedOut':
    case 'aborted':
      return { ending: { $case: 'returned', value: { started: [...(ending.started ?? [])] } } };
    case 'taskFailed':
    case 'initializerFailed':
      return { ending: { $case: 'unrunnable', value: { error: unrunnable(ending.kind, detail, where) } } };
  }
}

/** What a task printed. */
export function wirePrint({ stream, pid, index, text, task }: Print): WirePrint {
  const wireStream = stream === 'stderr' ? PrintStream.STDERR : PrintStream.STDOUT;
  return { stream: wireStream, agent: '', pid, index, task: task ?? '', text };
}

function wireDeath({ exit, ms }: ChunkEnding & { kind: 'childDied' | 'timedOut' }): ItemAttempt {
  const { pid, exitCode, signal = '', withItsServer = false } = exit;
  return { agent: '', pid, exitCode, signal, ms, withItsServer };
}

function unrunnable(
  kind: 'taskFailed' | 'initializerFailed',
  { failure, error }: ChunkEndingDetail,
  { agent, encoding }: { readonly agent: string; readonly encoding: Encoding | undefined },
): CatalogueError {
  const reason = error === undefined ? 'it gave no reason' : `${error.name}: ${error.message}`;
  // How the child of an initializer went says nothing: it was killed because of what the initializer threw.
  const known =
    kind === 'initializerFailed'
      ? { code: 'INITIALIZER_FAILED', facts: { where: `a child process of ${agent}`, reason } }
      : (failure ?? { code: 'TASK_LOAD_FAILED', facts: { module: 'The task function', reason, hint: '' } });
  let thrown: Uint8Array = noBytes;
  if (error !== undefined) {
    thrown = encoding === Encoding.V8 ? serialize(error) : Buffer.from(JSON.stringify(error));
  }
  return writeCatalogueError(errorOf(known.code, known.facts), thrown);
}
