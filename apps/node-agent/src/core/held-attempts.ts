import type { HeldAttempt } from './agent-command.ts';
import type {
  AttemptDispatched,
  AttemptId,
  ChunkEnded,
  ChunkId,
  ChunkRefused,
  ItemFailed,
  ItemsSucceeded,
  SetupFailed,
  SetupPrepared,
} from './agent-event.ts';
import type { AgentLimits } from './agent-limits.ts';
import { AttemptMemory } from './attempt-memory.ts';
import { AttemptRecord } from './attempt-record.ts';
import type { Fence } from './fence.ts';
import type { JobSetups, Setup } from './job-setups.ts';
import type { OutboxLedger } from './outbox-ledger.ts';
import type { Turn } from './turn.ts';

/** What {@link HeldAttempts} works with. */
export interface HeldAttemptsParts {
  readonly limits: AgentLimits;
  readonly turn: Turn;
  readonly fence: Fence;
  readonly setups: JobSetups;
  readonly ledger: OutboxLedger;
}

/**
 * The attempts that this agent holds, and which of them run.
 *
 *   attemptDispatched -> waiting (for its bundle, behind the fence) -> running -> reported -> taken: not held any more
 *
 * It retries nothing and blames nobody. Invariant: an attempt is started once at most in an epoch, whatever is
 * repeated, reordered or late; one that was taken back before it came is given back without a start.
 */
export class HeldAttempts {
  /** Nothing new is taken: the agent drains. */
  isDraining = false;
  readonly #limits: AgentLimits;
  readonly #turn: Turn;
  readonly #fence: Fence;
  readonly #setups: JobSetups;
  readonly #ledger: OutboxLedger;
  readonly #attempts = new Map<AttemptId, AttemptRecord>();
  readonly #chunks = new Map<ChunkId, AttemptRecord>();
  readonly #memory: AttemptMemory;
  /** Those that could not be started, in the order in which they are given back. */
  readonly #resting = new Set<AttemptRecord>();
  #epoch = 0;
  #chunkIds = 0;

  constructor({ limits, turn, fence, setups, ledger }: HeldAttemptsParts) {
    this.#limits = limits;
    this.#turn = turn;
    this.#fence = fence;
    this.#setups = setups;
    this.#ledger = ledger;
    this.#memory = new AttemptMemory(limits.rememberedAttempts);
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

  get remembered(): { readonly dispatched: number; readonly revokedAhead: number } {
    return this.#memory.size;
  }

  /** Every attempt that is not over for the coordinator. */
  list(): HeldAttempt[] {
    return [...this.#attempts.values()].map(({ held }) => held);
  }

  /** When {@link returnRested} has something to do. */
  nextReturnMs(): number | undefined {
    const [first] = this.#resting;
    return first?.returnAtMs;
  }

  // -- sessions ------------------------------------------------------------------------------------------------

  /** A session has begun. What another epoch dispatched belongs to nobody any more, nor do the attempts to drop. */
  sessionBegan(epoch: number, drop: readonly AttemptId[]): void {
    if (epoch !== this.#epoch) {
      this.abandon();
      this.#memory.epochBegan();
    }
    this.#epoch = epoch;
    for (const attempt of drop) this.revoke(attempt);
    this.#setups.forgetAll();
    this.#ledger.reopen((attempt, isEnding) => {
      const record = this.#attempts.get(attempt);
      return record !== undefined && (isEnding || !record.isRevoked);
    });
  }

  /** Stops everything and forgets it: nobody waits for it any more. */
  abandon(): void {
    for (const { chunk, setup } of this.#attempts.values()) {
      if (chunk !== undefined) this.#abort(chunk, this.#limits.abortGraceMs);
      if (setup !== undefined) this.#setups.unuse(setup);
    }
    this.#attempts.clear();
    this.#chunks.clear();
    this.#resting.clear();
    this.#ledger.clear();
    this.#setups.forgetAll();
  }

  /** The fence has opened: what waited behind it starts. */
  startWaiting(): void {
    for (const record of this.#attempts.values()) this.#startIfReady(record);
  }

  // -- what the coordinator hands over, and takes back ---------------------------------------------------------

  dispatched(event: AttemptDispatched): void {
    const { attempt, job } = event;
    const coming = this.#memory.dispatched(attempt);
    if (coming === 'again') {
      this.#turn.note({ what: 'dispatchIgnored', attempt });
      return;
    }
    const setup = this.#setups.of(job);
    const record = new AttemptRecord(event, this.#epoch, setup);
    this.#attempts.set(attempt, record);
    const isUnwanted = coming === 'revoked' || this.isDraining;
    if (setup !== undefined) this.#setups.use(setup);
    if (isUnwanted || setup === undefined) this.#report(record, 'returned');
    else if (setup.state === 'failed') this.#report(record, 'setupFailure');
    else {
      this.#setups.retry(setup);
      this.#startIfReady(record);
    }
  }

  /** Stop an attempt. Its slot is not free before its child is, so its end is still reported, but nothing else. */
  revoke(attempt: AttemptId): void {
    const record = this.#attempts.get(attempt);
    if (record === undefined) {
      this.#memory.revoked(attempt);
      return;
    }
    if (record.isRevoked) return;
    record.isRevoked = true;
    this.#ledger.forgetValues(attempt);
    if (record.chunk !== undefined) this.#abort(record.chunk, this.#limits.abortGraceMs);
    else if (!record.isReported) this.#report(record, 'returned');
  }

  /** The coordinator has these endings: the attempts are over. */
  endingsTaken(attempts: readonly AttemptId[]): void {
    for (const attempt of attempts) {
      const record = this.#attempts.get(attempt);
      if (record === undefined) continue;
      this.#attempts.delete(attempt);
      if (record.setup !== undefined) this.#setups.unuse(record.setup);
    }
  }

  /** Takes nothing new from now on; what has not started is given back. */
  drain(): void {
    this.isDraining = true;
    for (const record of this.#attempts.values()) if (record.isWaiting) this.#report(record, 'returned');
  }

  /** Gives back what still runs: nobody is to blame. */
  giveBack(): number {
    let givenBack = 0;
    for (const { chunk } of this.#attempts.values()) {
      if (chunk === undefined) continue;
      this.#abort(chunk, 0);
      givenBack += 1;
    }
    return givenBack;
  }

  // -- what the cache and the pool report ----------------------------------------------------------------------

  setupPrepared({ setup: id }: SetupPrepared): void {
    const setup = this.#setups.settled(id, 'ready');
    for (const record of this.#waitingFor(setup)) {
      this.#rested(record);
      this.#startIfReady(record);
    }
  }

  setupFailed({ setup: id, retryable }: SetupFailed): void {
    const setup = this.#setups.settled(id, retryable ? 'lacking' : 'failed');
    for (const record of this.#waitingFor(setup)) {
      if (retryable) this.#rest(record);
      else this.#report(record, 'setupFailure');
    }
  }

  chunkRefused({ chunk, retryable }: ChunkRefused): void {
    const record = this.#chunkOver(chunk);
    if (record === undefined) return;
    if (record.isRevoked) this.#report(record, 'returned');
    else if (retryable) this.#rest(record);
    else this.#report(record, 'inHand');
  }

  /** Values, or a failure: wanted as long as the attempt is. */
  itemsReported({ chunk, bytes }: ItemsSucceeded | ItemFailed): void {
    const record = this.#chunks.get(chunk);
    if (record === undefined || record.isRevoked) return;
    const entry = this.#ledger.add(record.id, bytes, false);
    this.#turn.emit({ type: 'keepNews', entry, attempt: record.id, content: 'inHand' });
  }

  chunkEnded({ chunk }: ChunkEnded): void {
    const record = this.#chunkOver(chunk);
    if (record !== undefined) this.#report(record, record.isRevoked ? 'returned' : 'inHand');
  }

  /** Whoever has rested for long enough goes back. */
  returnRested(): void {
    for (const record of this.#resting) {
      if ((record.returnAtMs as number) > this.#turn.nowMs) return;
      this.#report(record, 'returned');
    }
  }

  // ------------------------------------------------------------------------------------------------------------

  #startIfReady(record: AttemptRecord): void {
    const { setup, dispatch } = record;
    const isDue = record.isWaiting && record.returnAtMs === undefined && setup?.state === 'ready';
    if (!isDue || this.#fence.isClosed) return;
    this.#chunkIds += 1;
    record.chunk = this.#chunkIds;
    this.#chunks.set(record.chunk, record);
    const { attempt, job, first, count, marksStarts, tryNumber } = dispatch;
    const work = { job, first, count, marksStarts, tryNumber };
    this.#turn.emit({ type: 'startChunk', chunk: record.chunk, attempt, setup: setup.setup, ...work });
  }

  #waitingFor(setup: Setup | undefined): AttemptRecord[] {
    if (setup === undefined) return [];
    return [...this.#attempts.values()].filter((record) => record.setup === setup && record.isWaiting);
  }

  /** Given back at once it would be here again at once. */
  #rest(record: AttemptRecord): void {
    record.returnAtMs ??= this.#turn.nowMs + this.#limits.restMs;
    this.#resting.add(record);
  }

  #rested(record: AttemptRecord): void {
    record.returnAtMs = undefined;
    this.#resting.delete(record);
  }

  #abort(chunk: ChunkId, graceMs: number): void {
    this.#turn.emit({ type: 'abortChunk', chunk, graceMs });
  }

  #chunkOver(chunk: ChunkId): AttemptRecord | undefined {
    const record = this.#chunks.get(chunk);
    this.#chunks.delete(chunk);
    if (record !== undefined) record.chunk = undefined;
    return record;
  }

  #report(record: AttemptRecord, content: 'inHand' | 'returned' | 'setupFailure'): void {
    record.isReported = true;
    this.#rested(record);
    const entry = this.#ledger.add(record.id, 0, true);
    const whose =
      content === 'setupFailure' && record.setup !== undefined ? { setup: record.setup.setup } : {};
    this.#turn.emit({ type: 'keepNews', entry, attempt: record.id, content, ...whose });
  }
}
