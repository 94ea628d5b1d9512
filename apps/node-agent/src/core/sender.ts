import type { AgentLimits } from './agent-limits.ts';
import type { AttemptTable } from './attempt-table.ts';
import type { Fence } from './fence.ts';
import type { OutboxLedger } from './outbox-ledger.ts';
import type { SessionLife } from './session-life.ts';
import type { Turn } from './turn.ts';

/** What a {@link Sender} works with. */
export interface SenderParts {
  readonly limits: AgentLimits;
  readonly table: AttemptTable;
  readonly turn: Turn;
  readonly fence: Fence;
  readonly ledger: OutboxLedger;
  readonly life: SessionLife;
}

/**
 * When news leave: one batch for each time that the data stream has room, not too soon after the one before it, and none
 * behind the fence, where the attempts may be others' by now.
 */
export class Sender {
  readonly #parts: SenderParts;
  #isOpen = false;
  #isRequested = false;
  #printsWait = false;
  #sentAtMs = Number.NEGATIVE_INFINITY;

  constructor(parts: SenderParts) {
    this.#parts = parts;
  }

  /** Something waits to be sent, or for its turn. */
  get isBusy(): boolean {
    return this.#isRequested || this.#hasNews;
  }

  get #hasNews(): boolean {
    return this.#printsWait || this.#parts.ledger.hasPending;
  }

  /** The session that has begun is open for data. */
  open(): void {
    const { turn, life } = this.#parts;
    if (life.link === undefined) return;
    this.#isOpen = true;
    this.#isRequested = false;
    turn.emit({ type: 'openData', link: life.link, session: life.session, epoch: life.epochSeen });
  }

  /** Everything was sent, or nothing more is to be. */
  finish(): void {
    const { turn, life } = this.#parts;
    if (!this.#isOpen || life.link === undefined) return;
    this.#isOpen = false;
    turn.emit({ type: 'finishData', link: life.link });
  }

  /** The session is over. */
  close(): void {
    this.#isOpen = false;
    this.#isRequested = false;
  }

  printsArrived(): void {
    this.#printsWait = true;
  }

  /** The stream has room for a batch. */
  granted(): void {
    const { turn, fence, ledger, life } = this.#parts;
    this.#isRequested = false;
    if (!this.#isOpen || life.link === undefined || fence.isClosed || !this.#hasNews) return;
    this.#printsWait = false;
    this.#sentAtMs = turn.nowMs;
    turn.emit({ type: 'sendBatch', link: life.link, ...ledger.takeBatch() });
  }

  /** After every event: asks for room where there is something to send, and no more is waited for. */
  settle(): void {
    const { turn, life } = this.#parts;
    if (!this.#mayAsk || life.link === undefined || turn.nowMs < this.#dueAtMs) return;
    this.#isRequested = true;
    turn.emit({ type: 'requestSend', link: life.link });
  }

  /** When {@link settle} has something to do. */
  nextDeadlineMs(): number | undefined {
    return this.#mayAsk ? this.#dueAtMs : undefined;
  }

  get #mayAsk(): boolean {
    return this.#isOpen && !this.#isRequested && !this.#parts.fence.isClosed && this.#hasNews;
  }

  /** News that are alone wait for nothing: neither the first after a while, nor the last. */
  get #dueAtMs(): number {
    const { ledger, limits, table } = this.#parts;
    const waits = table.isRunning && !this.#printsWait && !ledger.isAmple;
    return waits ? this.#sentAtMs + limits.gatherMs : Number.NEGATIVE_INFINITY;
  }
}
