import type { BatchReceived, CallFailure, CallNumber } from './client-event.ts';
import type { ClientTurn } from './client-turn.ts';
import type { Chance } from './jitter.ts';
import { Outage } from './outage.ts';

/** What came of reading: the job is lost, and why. */
export type ReadLoss = 'outOfReach' | 'refused' | 'restarted';

/**
 * Where a client stands in a job's outcomes.
 *
 * A stream that breaks is opened again at the first outcome that is not here yet, so each comes once and none is left
 * out. A run in parts counts when its last part has come: one that was broken off comes again from its beginning.
 */
export class OutcomeCursor {
  readonly #turn: ClientTurn;
  readonly #outage: Outage;
  /** Outcomes that are here, in the order of delivery. */
  position = 0;
  #call: CallNumber | undefined;
  #lastCall: CallNumber = 0;
  #retryAtMs: number | undefined;
  #hasParts = false;

  constructor(turn: ClientTurn, reconnectTimeoutMs: number, chance: Chance) {
    this.#turn = turn;
    this.#outage = new Outage(reconnectTimeoutMs, chance);
  }

  /** The stream that is read now; undefined between two. */
  get call(): CallNumber | undefined {
    return this.#call;
  }

  /** The stream that was opened last. */
  get lastCall(): CallNumber {
    return this.#lastCall;
  }

  get retryAtMs(): number | undefined {
    return this.#retryAtMs;
  }

  /** When a stream broke, where nothing has come since. */
  get brokenSinceMs(): number | undefined {
    return this.#outage.sinceMs;
  }

  open(): void {
    const call = this.#turn.newCall();
    this.#call = call;
    this.#lastCall = call;
    this.#retryAtMs = undefined;
    this.#turn.emit({ type: 'openReader', call, fromPosition: this.position });
  }

  /** The coordinator is there. */
  heard(): void {
    if (this.#outage.lasts) this.#turn.emit({ type: 'tellReached', isReached: true });
    this.#outage.over();
  }

  /** Hands out what is new in a batch; answers with the items that it was of, or undefined where the batch does not fit. */
  take({ outcomes, position }: BatchReceived): number[] | undefined {
    // Never seen; but a result in the wrong place would be worse than another try.
    if (position !== this.position) return undefined;
    const items: number[] = [];
    for (const [at, outcome] of outcomes.entries()) {
      if (outcome.kind === 'run' && outcome.more) {
        this.#hasParts = true;
        this.#turn.emit({ type: 'keepPart', at });
        continue;
      }
      // Parts belong to the run that ends them.
      if (outcome.kind === 'failure' && this.#hasParts) return undefined;
      this.#hasParts = false;
      this.position += outcome.kind === 'run' ? outcome.count : 1;
      this.#turn.emit({ type: 'deliver', at });
      items.push(outcome.kind === 'run' ? outcome.first + outcome.count - 1 : outcome.index);
    }
    if (items.length > 0) this.#outage.progressed();
    return items;
  }

  /** The stream is gone. Answers why the job is lost with it, if it is. */
  failed(failure: CallFailure): ReadLoss | undefined {
    this.#call = undefined;
    if (this.#hasParts) this.#turn.emit({ type: 'dropParts' });
    this.#hasParts = false;
    // A coordinator that does not know the job that it has created is not the one that it was, or has given it up: also
    // where nothing was open in between that could have broken.
    if (failure.kind === 'unknownJob') return 'restarted';
    if (failure.kind !== 'lostOnTheWay') return 'refused';
    const wasReached = !this.#outage.lasts;
    this.#retryAtMs = this.#outage.failed(this.#turn.nowMs);
    if (this.#retryAtMs === undefined) return 'outOfReach';
    if (wasReached) this.#turn.emit({ type: 'tellReached', isReached: false });
    return undefined;
  }
}
