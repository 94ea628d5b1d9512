import { channel } from 'node:diagnostics_channel';
import type { AttemptEnding, AttemptId, Dispatch } from '@shoal/scheduler';
import type { StoredBlock } from '../payloads/payload.ts';

/**
 * What an attempt at a shard cost, published on the diagnostics channel `shoal.shard` when it is over. Times are in
 * milliseconds. Its agent publishes the same chunk on `shoal.chunk`: what `awayMs` has beyond that was spent on the way.
 */
export interface ShardTrace {
  readonly job: string;
  readonly attempt: AttemptId;
  readonly agent: string;
  readonly first: number;
  readonly count: number;
  readonly ending: AttemptEnding['kind'];
  /** From the arrival of its first items to being handed out. */
  readonly queuedMs: number;
  /** From being handed out to its end. */
  readonly awayMs: number;
  /** In the user's function. */
  readonly runMs: number;
  /** Of its values, encoded. */
  readonly resultBytes: number;
}

interface OpenTrace {
  readonly dispatch: Dispatch;
  readonly queuedMs: number;
  readonly atMs: number;
  runMs: number;
  resultBytes: number;
}

const shards = channel('shoal.shard');

/** Measures the attempts of one session while anybody listens; nobody as a rule, and then it does nothing. */
export class ShardTraces {
  readonly #open = new Map<AttemptId, OpenTrace>();

  dispatched(dispatch: Dispatch, [oldest]: readonly StoredBlock[]): void {
    if (!shards.hasSubscribers) return;
    const atMs = performance.now();
    const queuedMs = atMs - (oldest?.keptAtMs ?? atMs);
    this.#open.set(dispatch.attempt, { dispatch, queuedMs, atMs, runMs: 0, resultBytes: 0 });
  }

  succeeded(attempt: AttemptId, runMs: number, resultBytes: number): void {
    const trace = this.#open.size === 0 ? undefined : this.#open.get(attempt);
    if (trace === undefined) return;
    trace.runMs += runMs;
    trace.resultBytes += resultBytes;
  }

  ended(attempt: AttemptId, { kind: ending }: AttemptEnding): void {
    const trace = this.#open.size === 0 ? undefined : this.#open.get(attempt);
    if (trace === undefined) return;
    const { atMs, dispatch, queuedMs, resultBytes, runMs } = trace;
    const { agent, count, first, job } = dispatch;
    const awayMs = performance.now() - atMs;
    this.forget(attempt);
    const message: ShardTrace = {
      job,
      attempt,
      agent,
      first,
      count,
      ending,
      queuedMs,
      awayMs,
      runMs,
      resultBytes,
    };
    shards.publish(message);
  }

  /** It was taken back: nobody hears how it ends. */
  forget(attempt: AttemptId): void {
    this.#open.delete(attempt);
  }
}
