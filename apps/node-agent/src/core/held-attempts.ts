import type { AttemptDispatched, AttemptId } from './agent-event.ts';
import type { AgentLimits } from './agent-limits.ts';
import { AttemptMemory } from './attempt-memory.ts';
import { AttemptRecord } from './attempt-record.ts';
import type { AttemptTable } from './attempt-table.ts';
import type { JobSetups } from './job-setups.ts';
import type { OutboxLedger } from './outbox-ledger.ts';
import type { Turn } from './turn.ts';

/** What {@link HeldAttempts} works with. */
export interface HeldAttemptsParts {
  readonly limits: AgentLimits;
  readonly turn: Turn;
  readonly table: AttemptTable;
  readonly setups: JobSetups;
  readonly ledger: OutboxLedger;
}

/**
 * What the coordinator hands over, and takes back.
 *
 * Invariant: an attempt is started once at most in an epoch, whatever is repeated, reordered or late; one that was
 * taken back before it came is given back without a start.
 */
export class HeldAttempts {
  readonly #limits: AgentLimits;
  readonly #turn: Turn;
  readonly #table: AttemptTable;
  readonly #setups: JobSetups;
  readonly #ledger: OutboxLedger;
  readonly #memory: AttemptMemory;
  #epoch = 0;
  /** Of the attempts of this epoch and of those before it. */
  #highestOrder = 0;
  #ordersBefore = 0;
  /** Nothing new is taken. */
  #isDraining = false;

  constructor({ limits, turn, table, setups, ledger }: HeldAttemptsParts) {
    this.#limits = limits;
    this.#turn = turn;
    this.#table = table;
    this.#setups = setups;
    this.#ledger = ledger;
    this.#memory = new AttemptMemory(limits.rememberedAttempts);
  }

  /** Attempts known by number alone. */
  get remembered(): { readonly dispatched: number; readonly revokedAhead: number } {
    return this.#memory.size;
  }

  /** A session has begun. What another epoch dispatched belongs to nobody any more, nor do the attempts to drop. */
  sessionBegan(epoch: number, drop: readonly AttemptId[]): void {
    if (epoch !== this.#epoch) {
      this.abandon();
      this.#memory.epochBegan();
      this.#ordersBefore = this.#highestOrder;
    }
    this.#epoch = epoch;
    for (const attempt of drop) this.revoke(attempt);
    this.#setups.forgetAll();
    this.#ledger.reopen((attempt, isEnding) => isEnding || this.#table.get(attempt)?.isRevoked === false);
  }

  /** Stops everything and forgets it: nobody waits for it any more. */
  abandon(): void {
    for (const record of [...this.#table.records]) {
      if (record.chunk !== undefined) this.#table.abort(record.chunk, this.#limits.abortGraceMs);
      this.#table.remove(record);
    }
    this.#ledger.clear();
    this.#setups.forgetAll();
  }

  dispatched(event: AttemptDispatched): void {
    const { attempt, job } = event;
    const coming = this.#memory.dispatched(attempt);
    if (coming === 'again') {
      this.#turn.note({ what: 'dispatchIgnored', attempt });
      return;
    }
    const setup = this.#setups.of(job);
    // What an earlier epoch dispatched may still be on its way out, under higher numbers.
    const order = this.#ordersBefore + attempt;
    this.#highestOrder = Math.max(this.#highestOrder, order);
    const record = new AttemptRecord(event, this.#epoch, setup, order);
    this.#table.add(record);
    const isUnwanted = coming === 'revoked' || this.#isDraining;
    if (isUnwanted || setup === undefined) this.#table.report(record, 'returned');
    else if (setup.state === 'failed') this.#table.report(record, 'setupFailure');
    else {
      this.#table.keepWork(record);
      this.#setups.retry(setup);
      this.#table.startIfReady(record);
    }
  }

  /** Stop an attempt. Its slot is not free before its child is, so its end is still reported, but nothing else. */
  revoke(attempt: AttemptId): void {
    const record = this.#table.get(attempt);
    if (record === undefined) this.#memory.revoked(attempt);
    if (record === undefined || record.isRevoked) return;
    record.isRevoked = true;
    this.#ledger.forgetValues(attempt);
    if (record.chunk !== undefined) this.#table.abort(record.chunk, this.#limits.abortGraceMs);
    else if (!record.isReported) this.#table.report(record, 'returned');
  }

  /**
   * Somebody else waits for its slot: what has not begun of it goes back, and what runs finishes. One that has not come yet, for
   * this overtook it, runs to its end: that costs whoever waits some time, and nobody an item.
   */
  recall(attempt: AttemptId): void {
    const record = this.#table.get(attempt);
    if (record === undefined || record.isRevoked || record.isReported) return;
    if (record.chunk === undefined) this.#table.report(record, 'returned');
    else this.#turn.emit({ type: 'recallChunk', chunk: record.chunk });
  }

  /** The coordinator has these endings: the attempts are over. */
  endingsTaken(attempts: readonly AttemptId[]): void {
    for (const attempt of attempts) {
      const record = this.#table.get(attempt);
      if (record !== undefined) this.#table.remove(record);
    }
  }

  /** The fence has opened: what waited behind it starts. */
  startWaiting(): void {
    for (const record of this.#table.records) this.#table.startIfReady(record);
  }

  /** Takes nothing new from now on; what has not started is given back. */
  drain(): void {
    this.#isDraining = true;
    for (const record of this.#table.records) if (record.isWaiting) this.#table.report(record, 'returned');
  }

  /** Gives back what still runs: nobody is to blame. Returns how much that is. */
  giveBack(): number {
    const { chunks } = this.#table;
    for (const chunk of chunks.keys()) this.#table.abort(chunk, 0);
    return chunks.size;
  }
}
