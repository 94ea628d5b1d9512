import type { AgentLimits } from './agent-limits.ts';
import type { AttemptTable } from './attempt-table.ts';
import type { HeldAttempts } from './held-attempts.ts';
import type { Sender } from './sender.ts';
import type { SessionLife } from './session-life.ts';
import type { Turn } from './turn.ts';

/** What {@link Departure} works with. */
export interface DepartureParts {
  readonly limits: AgentLimits;
  readonly turn: Turn;
  readonly table: AttemptTable;
  readonly held: HeldAttempts;
  readonly life: SessionLife;
  readonly sender: Sender;
}

/**
 * How an agent leaves.
 *
 *   staying -> draining (what runs is finished) -> givingBack (what took too long) -> parting (the last results are
 *   sent) -> finishing (they are taken) -> leaving (good-bye) -> gone
 *
 * Each has its time. Without a session there is nobody to say good-bye to: then it leaves as soon as it holds nothing,
 * and soon anyway.
 */
export class Departure {
  state: 'staying' | 'draining' | 'givingBack' | 'parting' | 'finishing' | 'leaving' | 'gone' = 'staying';
  readonly #parts: DepartureParts;
  /** When the state is over, whatever has become of it. */
  #untilMs: number | undefined;
  /** Without a session since. */
  #aloneSinceMs: number | undefined;

  constructor(parts: DepartureParts) {
    this.#parts = parts;
  }

  /** No further session is wanted. */
  get isParting(): boolean {
    return this.state === 'parting' || this.state === 'finishing' || this.state === 'leaving';
  }

  /** Nothing new is taken. */
  get isLeaving(): boolean {
    return this.state !== 'staying';
  }

  /** The agent is asked to end: in good order the first time, if it may. */
  requested(drain: boolean): void {
    const { held, life, limits, table, turn } = this.#parts;
    if (this.state !== 'staying' || !drain) {
      this.end(undefined);
      return;
    }
    turn.note({ what: 'draining', attempts: table.size });
    this.#enter('draining', limits.drainMs);
    held.drain();
    if (life.state === 'open' && life.link !== undefined)
      turn.emit({ type: 'announceDrain', link: life.link });
  }

  /** The end: of its own accord, or for an error that no further try could help. */
  end(code: string | undefined): void {
    if (this.state === 'gone') return;
    const { held, life, turn } = this.#parts;
    this.state = 'gone';
    life.close(true);
    held.abandon();
    turn.emit({ type: 'end', code });
  }

  /** The coordinator that has taken us in does not know yet. */
  joined(): void {
    const { life, turn } = this.#parts;
    if (this.isLeaving && life.link !== undefined) turn.emit({ type: 'announceDrain', link: life.link });
  }

  /** All results are taken. */
  finished(): void {
    const { life, table, turn } = this.#parts;
    if (this.state !== 'finishing' || life.link === undefined) return;
    // Good-bye says that whatever was not reported has never begun. Without it the rest counts as lost, as it should.
    if ([...table.records].some(({ hasBegun }) => hasBegun)) {
      this.end(undefined);
      return;
    }
    this.state = 'leaving';
    turn.emit({ type: 'leave', link: life.link });
  }

  /** After every event: goes on as far as it can. */
  settle(): void {
    if (this.state === 'staying' || this.state === 'gone') return;
    const { life, limits, turn } = this.#parts;
    if (life.state === 'open') this.#aloneSinceMs = undefined;
    else {
      this.#aloneSinceMs ??= turn.nowMs;
      const isTooLate = turn.nowMs >= this.#aloneSinceMs + limits.rejoinMs;
      if (this.isParting || isTooLate || this.#parts.table.size === 0) {
        this.end(undefined);
        return;
      }
    }
    this.#progress(this.#untilMs !== undefined && turn.nowMs >= this.#untilMs);
  }

  nextDeadlineMs(): number | undefined {
    if (this.#untilMs === undefined || this.#aloneSinceMs === undefined) return this.#untilMs;
    return Math.min(this.#untilMs, this.#aloneSinceMs + this.#parts.limits.rejoinMs);
  }

  #progress(isLate: boolean): void {
    const { held, limits, sender, table, turn } = this.#parts;
    const isDraining = this.state === 'draining' || this.state === 'givingBack';
    if (isDraining && table.size === 0) this.#enter('parting', limits.partingMs);
    else if (this.state === 'draining' && isLate) {
      turn.note({ what: 'givenBack', attempts: held.giveBack() });
      this.#enter('givingBack', limits.farewellMs);
    } else if (this.state === 'givingBack' && isLate) this.#enter('parting', limits.partingMs);
    else if (isLate) this.end(undefined);
    if (this.state !== 'parting' || sender.isBusy) return;
    this.state = 'finishing';
    sender.finish();
  }

  #enter(state: Departure['state'], forMs: number): void {
    this.state = state;
    this.#untilMs = this.#parts.turn.nowMs + forMs;
  }
}
