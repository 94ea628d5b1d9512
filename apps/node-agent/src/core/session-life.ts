import type { HeldAttempt } from './agent-command.ts';
import type { HeartbeatAnswered, Joined, LinkId } from './agent-event.ts';
import type { AgentLimits } from './agent-limits.ts';
import type { Fence, Patience } from './fence.ts';
import type { Turn } from './turn.ts';

/** What {@link SessionLife} works with. */
export interface SessionLifeParts {
  readonly limits: AgentLimits;
  readonly turn: Turn;
  readonly fence: Fence;
  readonly instance: string;
}

/**
 * The one link at a time, and the session on it: a join, then heartbeats until one of the two sides is lost.
 *
 *   closed -> dial -> joining -> joined -> open -> closed
 */
export class SessionLife {
  state: 'closed' | 'joining' | 'open' = 'closed';
  /** The highest epoch of any session: one below it is the past, and refused. */
  epochSeen = 0;
  /** Of the session that is open, or was last. */
  session = 0;
  /** A heartbeat waits no longer than for room in the control stream. */
  controlHasRoom = true;
  readonly #parts: SessionLifeParts;
  #link: LinkId = 0;
  #joinSentAtMs = 0;
  #terms: Patience = { heartbeatMs: 0, leaseMs: 0, selfFenceMs: 0, abandonMs: 0 };
  #nextBeatMs = 0;
  #beats = 0;
  /** When each heartbeat that has no answer was sent, by its number. As many as fit into the silence that ends a session. */
  readonly #unanswered = new Map<number, number>();

  constructor(parts: SessionLifeParts) {
    this.#parts = parts;
  }

  /** The one link of which news count. */
  get link(): LinkId | undefined {
    return this.state === 'closed' ? undefined : this.#link;
  }

  /** It has never dialled. */
  get isFresh(): boolean {
    return this.#link === 0;
  }

  /** Opens a link and asks to be taken in. */
  dial(held: readonly HeldAttempt[]): void {
    const { turn, instance } = this.#parts;
    this.#link += 1;
    this.state = 'joining';
    this.#joinSentAtMs = turn.nowMs;
    turn.emit({ type: 'dial', link: this.#link });
    turn.emit({ type: 'join', link: this.#link, instance, held, epochSeen: this.epochSeen });
  }

  /** The session has begun. */
  joined({ session, epoch, heartbeatMs, leaseMs, selfFenceMs, abandonMs }: Joined): void {
    const { fence } = this.#parts;
    this.state = 'open';
    this.session = session;
    this.epochSeen = epoch;
    this.controlHasRoom = true;
    this.#beats = 0;
    this.#unanswered.clear();
    this.#terms = { heartbeatMs, leaseMs, selfFenceMs, abandonMs };
    fence.agreed(this.#terms);
  }

  /** What the coordinator knew of us when it took us in. Returns whether the fence has opened. */
  joinAnswered(): boolean {
    return this.#parts.fence.answered(this.#joinSentAtMs);
  }

  /** Says that the agent lives, and what it holds. */
  beat(held: readonly HeldAttempt[]): void {
    const { turn } = this.#parts;
    this.#nextBeatMs = turn.nowMs + this.#terms.heartbeatMs;
    // Behind others that nobody has read it would say nothing; silence is what the coordinator is to be judged by.
    if (!this.controlHasRoom) return;
    this.#beats += 1;
    this.#unanswered.set(this.#beats, turn.nowMs);
    const attempts = held.map(({ attempt }) => attempt);
    turn.emit({ type: 'sendHeartbeat', link: this.#link, sequence: this.#beats, held: attempts });
  }

  /** A heartbeat was answered. Returns whether the fence has opened. */
  answered({ sequence, heartbeatMs, leaseMs }: HeartbeatAnswered): boolean {
    const { fence, turn } = this.#parts;
    const sentAtMs = this.#unanswered.get(sequence);
    // Said twice, or late.
    if (sentAtMs === undefined) return false;
    for (const earlier of this.#unanswered.keys()) if (earlier <= sequence) this.#unanswered.delete(earlier);
    this.#retime(heartbeatMs || this.#terms.heartbeatMs, leaseMs || this.#terms.leaseMs);
    this.#nextBeatMs = Math.min(this.#nextBeatMs, turn.nowMs + this.#terms.heartbeatMs);
    return fence.answered(sentAtMs);
  }

  /** A heartbeat is due. */
  isBeatDue(): boolean {
    return this.state === 'open' && this.#nextBeatMs <= this.#parts.turn.nowMs;
  }

  /** Why the link is to be given up by now, if it is. */
  fault(): 'joinUnanswered' | 'unanswered' | undefined {
    const { turn, fence } = this.#parts;
    if (this.state === 'joining' && turn.nowMs >= this.#joinEndsAtMs) return 'joinUnanswered';
    if (this.state === 'open' && turn.nowMs >= fence.silentAtMs()) return 'unanswered';
    return undefined;
  }

  /** Nothing is heard of the link any more; `cut` where it still exists. */
  close(cut: boolean): void {
    if (cut && this.state !== 'closed') this.#parts.turn.emit({ type: 'closeLink', link: this.#link });
    this.state = 'closed';
  }

  nextDeadlineMs(): number | undefined {
    if (this.state === 'closed') return undefined;
    if (this.state === 'joining') return this.#joinEndsAtMs;
    return Math.min(this.#nextBeatMs, this.#parts.fence.silentAtMs());
  }

  get #joinEndsAtMs(): number {
    return this.#joinSentAtMs + this.#parts.limits.joinMs;
  }

  /** In a big cluster each agent beats more slowly, and may be silent for longer. */
  #retime(heartbeatMs: number, leaseMs: number): void {
    this.#terms = { ...this.#terms, heartbeatMs, leaseMs };
    this.#parts.fence.agreed(this.#terms);
  }
}
