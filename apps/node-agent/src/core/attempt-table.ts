import type { HeldAttempt } from './agent-command.ts';
import type { AttemptId, ChunkId } from './agent-event.ts';
import type { AgentLimits } from './agent-limits.ts';
import type { AttemptRecord } from './attempt-record.ts';
import type { Fence } from './fence.ts';
import type { JobSetups, Setup } from './job-setups.ts';
import type { OutboxLedger } from './outbox-ledger.ts';
import type { Turn } from './turn.ts';

/** What an {@link AttemptTable} works with. */
export interface AttemptTableParts {
  readonly limits: AgentLimits;
  readonly turn: Turn;
  readonly fence: Fence;
  readonly setups: JobSetups;
  readonly ledger: OutboxLedger;
}

/**
 * The attempts that this agent holds, and the way of each:
 *
 *   waiting (for its bundle, behind the fence) -> running -> reported -> taken: not held any more
 *      `-> resting (it cannot be started now) ------^
 */
export class AttemptTable {
  readonly #parts: AttemptTableParts;
  readonly #attempts = new Map<AttemptId, AttemptRecord>();
  readonly #chunks = new Map<ChunkId, AttemptRecord>();
  /** Those that could not be started, in the order in which they are given back. */
  readonly #resting = new Set<AttemptRecord>();
  #chunkIds = 0;

  constructor(parts: AttemptTableParts) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#attempts.size;
  }

  get records(): Iterable<AttemptRecord> {
    return this.#attempts.values();
  }

  get chunks(): ReadonlyMap<ChunkId, AttemptRecord> {
    return this.#chunks;
  }

  /** Whether a child runs one: then more news will come. */
  get isRunning(): boolean {
    return this.#chunks.size > 0;
  }

  /** Every attempt that is not over for the coordinator. */
  list(): HeldAttempt[] {
    return [...this.#attempts.values()].map(({ held }) => held);
  }

  get(attempt: AttemptId): AttemptRecord | undefined {
    return this.#attempts.get(attempt);
  }

  /** Those of a setup that have not started; what the pool has refused is not tried again. */
  waitingFor(setup: Setup): AttemptRecord[] {
    return [...this.#attempts.values()].filter((record) => record.setup === setup && record.hasWork);
  }

  add(record: AttemptRecord): void {
    this.#attempts.set(record.id, record);
    if (record.setup !== undefined) this.#parts.setups.use(record.setup);
  }

  /** The driver is to keep what it runs on: blocks go once other attempts have finished their items. */
  keepWork(record: AttemptRecord): void {
    if (record.setup === undefined) return;
    record.hasWork = true;
    const { attempt, job, first, count } = record.dispatch;
    this.#parts.turn.emit({ type: 'keepWork', attempt, setup: record.setup.setup, job, first, count });
  }

  /** Starts it if nothing is missing and the fence is open. */
  startIfReady(record: AttemptRecord): void {
    const { setup, dispatch } = record;
    const isDue = record.isWaiting && record.returnAtMs === undefined && setup?.state === 'ready';
    if (!isDue || this.#parts.fence.isClosed) return;
    this.#chunkIds += 1;
    record.chunk = this.#chunkIds;
    record.hasBegun = true;
    record.hasWork = false;
    this.#chunks.set(record.chunk, record);
    const { attempt, job, first, count, marksStarts, tryNumber, groupSlots } = dispatch;
    const work = { job, first, count, marksStarts, tryNumber, groupSlots, order: record.order };
    this.#parts.turn.emit({
      type: 'startChunk',
      chunk: record.chunk,
      attempt,
      setup: setup.setup,
      ...work,
    });
  }

  /** It cannot be started now. Given back at once it would be here again at once. */
  rest(record: AttemptRecord): void {
    const { turn, limits } = this.#parts;
    record.returnAtMs ??= turn.nowMs + limits.restMs;
    this.#resting.add(record);
  }

  /** What it could not be started for may be here by now. */
  wake(record: AttemptRecord): void {
    record.returnAtMs = undefined;
    this.#resting.delete(record);
  }

  /** When {@link returnRested} has something to do. */
  nextReturnMs(): number | undefined {
    const [first] = this.#resting;
    return first?.returnAtMs;
  }

  /** Whoever has rested for long enough goes back. */
  returnRested(): void {
    for (const record of this.#resting) {
      if ((record.returnAtMs as number) > this.#parts.turn.nowMs) return;
      this.report(record, 'returned');
    }
  }

  abort(chunk: ChunkId, graceMs: number): void {
    this.#parts.turn.emit({ type: 'abortChunk', chunk, graceMs });
  }

  /** A chunk is over. Returns whose it was; undefined: nobody wants to hear of it. */
  chunkOver(chunk: ChunkId): AttemptRecord | undefined {
    const record = this.#chunks.get(chunk);
    this.#chunks.delete(chunk);
    if (record !== undefined) record.chunk = undefined;
    return record;
  }

  /** How it ended goes to the outbox; it is held until that was taken. */
  report(record: AttemptRecord, content: 'inHand' | 'returned' | 'setupFailure'): void {
    const { turn, ledger } = this.#parts;
    record.isReported = true;
    this.wake(record);
    this.#dropWork(record);
    const entry = ledger.add(record.id, 0, 'ending');
    const { setup } = record;
    const isLacking = content === 'returned' && setup?.state === 'lacking' && !record.isRevoked;
    const whose =
      setup !== undefined && (content === 'setupFailure' || isLacking) ? { setup: setup.setup } : {};
    turn.emit({ type: 'keepNews', entry, attempt: record.id, content, ...whose });
  }

  /** It is over for the coordinator, too. */
  remove(record: AttemptRecord): void {
    this.#attempts.delete(record.id);
    this.#resting.delete(record);
    if (record.chunk !== undefined) this.#chunks.delete(record.chunk);
    this.#dropWork(record);
    if (record.setup !== undefined) this.#parts.setups.unuse(record.setup);
  }

  #dropWork(record: AttemptRecord): void {
    if (!record.hasWork || record.setup === undefined) return;
    record.hasWork = false;
    this.#parts.turn.emit({ type: 'dropWork', attempt: record.id, setup: record.setup.setup });
  }
}
