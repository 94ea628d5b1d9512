import type { CallFailure, CallNumber } from './client-event.ts';
import {
  acknowledgeBatchesMax,
  acknowledgeItemsMax,
  acknowledgeMs,
  type ClientLimits,
  lateAcknowledgeMs,
  unwatchedAcknowledgeMs,
} from './client-limits.ts';
import type { ClientTurn } from './client-turn.ts';
import { type Chance, Jitter } from './jitter.ts';

/**
 * Tells the coordinator which outcomes the consumer has taken: often enough that the producer never waits for it,
 * seldom enough that it costs nothing. One call is open at a time.
 *
 * It is told again for as long as the job is read: how long the coordinator may be out of reach is for the stream of
 * outcomes to judge. Without acknowledgements that stream would stand still for ever, and nobody would know why.
 */
export class Acknowledgements {
  readonly #turn: ClientTurn;
  readonly #jitter: Jitter;
  #batch: number;
  /** How long it waits once the coordinator has the whole input, and for how many outcomes. */
  readonly #lateMs: number;
  readonly #lateBatch: number;
  #taken = 0;
  #told = 0;
  #telling = 0;
  /** Messages with outcomes since it told something. */
  #batches = 0;
  #call: CallNumber | undefined;
  #dueAtMs: number | undefined;
  #retries = false;
  #isStopped = false;
  #waitMs = acknowledgeMs;

  constructor(turn: ClientTurn, { isWatched = true, windowItems }: ClientLimits, chance: Chance) {
    this.#turn = turn;
    this.#lateMs = isWatched ? lateAcknowledgeMs : unwatchedAcknowledgeMs;
    this.#batch = Math.max(1, Math.min(windowItems >> 1, acknowledgeItemsMax));
    // A message says enough of how much the coordinator keeps: small outcomes would be acknowledged in the middle of a short job.
    this.#lateBatch = isWatched ? this.#batch : Number.POSITIVE_INFINITY;
    this.#jitter = new Jitter(chance);
  }

  get call(): CallNumber | undefined {
    return this.#call;
  }

  get dueAtMs(): number | undefined {
    return this.#dueAtMs;
  }

  /** A message with outcomes has come. */
  batchCame(): void {
    this.#batches += 1;
  }

  /** The consumer has taken the first `position` outcomes. */
  take(position: number): void {
    this.#taken = Math.max(this.#taken, position);
    this.#consider();
  }

  /** The coordinator has the whole input. */
  inputIsIn(): void {
    this.#waitMs = this.#lateMs;
    this.#batch = this.#lateBatch;
  }

  /** What it waited for has passed: the time to collect a few more, or to try again. */
  due(): void {
    this.#dueAtMs = undefined;
    this.#retries = false;
    if (this.#taken > this.#told) this.#tell(this.#taken);
  }

  answered(): void {
    this.#call = undefined;
    this.#told = this.#telling;
    this.#jitter.reset();
    this.#consider();
  }

  failed({ kind }: CallFailure): void {
    this.#call = undefined;
    // The stream of outcomes tells what is wrong; without it, more acknowledgements would not help.
    this.#isStopped = kind !== 'lostOnTheWay';
    this.#dueAtMs = this.#isStopped ? undefined : this.#turn.nowMs + this.#jitter.nextMs();
    this.#retries = !this.#isStopped;
  }

  /** Every outcome is here: the coordinator need not keep them until the consumer has taken each. */
  finish(position: number): void {
    if (position > this.#told && !this.#isStopped) this.#tell(position);
  }

  #consider(): void {
    if (this.#isStopped || this.#call !== undefined || this.#retries || this.#taken === this.#told) return;
    const isMuch = this.#taken - this.#told >= this.#batch || this.#batches >= acknowledgeBatchesMax;
    if (isMuch) this.#tell(this.#taken);
    else this.#dueAtMs ??= this.#turn.nowMs + this.#waitMs;
  }

  #tell(position: number): void {
    this.#dueAtMs = undefined;
    this.#telling = position;
    this.#batches = 0;
    this.#call = this.#turn.newCall();
    this.#turn.emit({ type: 'acknowledge', call: this.#call, position });
  }
}
