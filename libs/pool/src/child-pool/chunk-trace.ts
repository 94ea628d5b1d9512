import { channel } from 'node:diagnostics_channel';
import type { ChunkEnding, ChunkId } from '../core/chunk.ts';
import type { ChunkRequest, ResultRun } from './chunk-request.ts';

/** What a chunk cost, published on the diagnostics channel `shoal.chunk` when it is over. Times are in milliseconds. */
export interface ChunkTrace {
  readonly job: string;
  /** The function's name. */
  readonly task: string;
  readonly first: number;
  readonly count: number;
  readonly ending: ChunkEnding['kind'];
  /** From being handed to the pool to being given to a child, the first time. */
  readonly queuedMs: number;
  /** In the user's function. */
  readonly runMs: number;
  /** From being handed to the pool to its end. */
  readonly totalMs: number;
  /** Of its items, encoded: its part of its blocks. */
  readonly itemBytes: number;
  /** Of its values, encoded. */
  readonly resultBytes: number;
}

interface OpenTrace {
  readonly request: ChunkRequest;
  readonly queuedAtMs: number;
  givenAtMs: number | undefined;
  runMs: number;
  resultBytes: number;
}

const chunks = channel('shoal.chunk');

/** Measures chunks while anybody listens; nobody as a rule, and then it asks that once a chunk and does nothing. */
export class ChunkTraces {
  readonly #open = new Map<ChunkId, OpenTrace>();

  queued(request: ChunkRequest): void {
    if (!chunks.hasSubscribers) return;
    const queuedAtMs = performance.now();
    this.#open.set(request.id, { request, queuedAtMs, givenAtMs: undefined, runMs: 0, resultBytes: 0 });
  }

  given(id: ChunkId): void {
    const trace = this.#open.size === 0 ? undefined : this.#open.get(id);
    if (trace !== undefined) trace.givenAtMs ??= performance.now();
  }

  succeeded(id: ChunkId, { bytes, runMs }: ResultRun): void {
    const trace = this.#open.size === 0 ? undefined : this.#open.get(id);
    if (trace === undefined) return;
    trace.runMs += runMs;
    trace.resultBytes += bytes.byteLength;
  }

  ended(id: ChunkId, { kind: ending }: ChunkEnding): void {
    const trace = this.#open.size === 0 ? undefined : this.#open.get(id);
    if (trace === undefined) return;
    this.#open.delete(id);
    const { queuedAtMs, request, resultBytes, runMs } = trace;
    const { count, first, job, task } = request;
    const nowMs = performance.now();
    const message: ChunkTrace = {
      job,
      task: task.name,
      first,
      count,
      ending,
      queuedMs: (trace.givenAtMs ?? nowMs) - queuedAtMs,
      runMs,
      totalMs: nowMs - queuedAtMs,
      itemBytes: Math.round(itemBytesOf(request)),
      resultBytes,
    };
    chunks.publish(message);
  }
}

function itemBytesOf({ blocks, count, first }: ChunkRequest): number {
  let bytes = 0;
  for (const block of blocks) {
    const from = Math.max(first, block.first);
    const to = Math.min(first + count, block.first + block.count);
    bytes += (block.bytes.byteLength * Math.max(0, to - from)) / block.count;
  }
  return bytes;
}
