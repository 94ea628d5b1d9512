import type { CallFailure, CallNumber, InputTold } from './client-event.ts';
import type { ClientTurn } from './client-turn.ts';
import type { Chance } from './jitter.ts';
import { Outage } from './outage.ts';

/** A block that the coordinator may not have. */
interface KeptBlock {
  readonly first: number;
  readonly count: number;
}

/** Why no more items can be sent. */
export type WriteLoss = 'outOfReach' | 'refused' | 'outOfStep';

/**
 * Which items have to be sent, and sent again.
 *
 * A block is kept until an outcome of its items has come, or of later ones: then the coordinator has it. A stream that
 * breaks is opened again at the item that the coordinator names, so that nothing is missing and nothing comes twice.
 */
export class ProducerWindow {
  readonly #turn: ClientTurn;
  readonly #outage: Outage;
  /** In order. */
  readonly #kept: KeptBlock[] = [];
  /** Of `#kept`, how many were given to the stream that is open. */
  #sent = 0;
  #pushedItems = 0;
  #inputEnded = false;
  #endSent = false;
  #stream: CallNumber | undefined;
  #question: CallNumber | undefined;
  #lastCall: CallNumber = 0;
  #askAtMs: number | undefined;
  /** What was certain to be with the coordinator when the last call was made. */
  #confirmedAtCall = 0;
  /** The coordinator has everything, or takes nothing more. */
  #isDone = false;
  #isReady = false;

  constructor(turn: ClientTurn, reconnectTimeoutMs: number, chance: Chance) {
    this.#turn = turn;
    this.#outage = new Outage(reconnectTimeoutMs, chance);
  }

  get stream(): CallNumber | undefined {
    return this.#stream;
  }

  /** The call that asks where to go on. */
  get question(): CallNumber | undefined {
    return this.#question;
  }

  /** The call that was made last. */
  get lastCall(): CallNumber {
    return this.#lastCall;
  }

  get askAtMs(): number | undefined {
    return this.#askAtMs;
  }

  /** The items before this one are with the coordinator: their blocks are gone here. */
  get #confirmed(): number {
    return this.#kept[0]?.first ?? this.#pushedItems;
  }

  /** Blocks that the coordinator may not have. */
  get unconfirmed(): number {
    return this.#kept.length;
  }

  /** There is a job to write to. */
  ready(): void {
    this.#isReady = true;
    this.#flow();
  }

  push(first: number, count: number): void {
    this.#kept.push({ first, count });
    this.#pushedItems += count;
    this.#flow();
  }

  endInput(): void {
    this.#inputEnded = true;
    this.#flow();
  }

  /** An outcome of this item came: every block up to its own has been accepted. */
  settled(index: number): void {
    let accepted = 0;
    while ((this.#kept[accepted]?.first ?? Number.POSITIVE_INFINITY) <= index) {
      accepted += 1;
    }
    this.#release(accepted);
  }

  /** The stream was answered: all is in, or the job is over; the outcomes tell which. */
  answered(): void {
    this.#stream = undefined;
    this.#finish();
  }

  /** The stream, or the question where to go on, has failed. Answers why no more can be sent, if that is so. */
  failed(failure: CallFailure): WriteLoss | undefined {
    this.#stream = undefined;
    this.#question = undefined;
    if (failure.kind === 'outOfStep') return this.#resume(failure.next);
    if (failure.kind !== 'lostOnTheWay') return this.#lost('refused');
    this.#askAtMs = this.#outage.failed(this.#turn.nowMs);
    return this.#askAtMs === undefined ? this.#lost('outOfReach') : undefined;
  }

  ask(): void {
    this.#askAtMs = undefined;
    this.#question = this.#turn.newCall();
    this.#confirmedAtCall = this.#confirmed;
    this.#lastCall = this.#question;
    this.#turn.emit({ type: 'askInput', call: this.#question });
  }

  told({ acceptedItems, inputEnded }: InputTold): WriteLoss | undefined {
    this.#question = undefined;
    this.#outage.over();
    if (!inputEnded || !this.#inputEnded) return this.#resume(acceptedItems);
    this.#finish();
    return undefined;
  }

  /** Goes on with item `next`, which the coordinator named. */
  #resume(next: number): WriteLoss | undefined {
    if (next < this.#confirmed && next >= this.#confirmedAtCall) {
      // An outcome of a later item has come since the call was made: what was sent before the break was still on its
      // way when the coordinator said this, and is in by now.
      this.#askAtMs = this.#outage.failed(this.#turn.nowMs);
      return this.#askAtMs === undefined ? this.#lost('outOfReach') : undefined;
    }
    const accepted = this.#kept.findIndex(({ first }) => first >= next);
    if (accepted !== 0) this.#outage.progressed();
    this.#release(accepted === -1 ? this.#kept.length : accepted);
    // Blocks are accepted whole, and in order: with another answer an item would be missing, or come twice.
    if (next !== this.#confirmed) return this.#lost('outOfStep');
    this.#sent = 0;
    this.#endSent = false;
    this.#open(next);
    return undefined;
  }

  #open(firstIndex: number): void {
    this.#stream = this.#turn.newCall();
    this.#confirmedAtCall = this.#confirmed;
    this.#lastCall = this.#stream;
    this.#turn.emit({ type: 'openWriter', call: this.#stream, firstIndex });
    this.#flow();
  }

  /** Hands the stream everything that it was not given yet; the first item, or the end of none, opens it. */
  #flow(): void {
    if (!this.#isReady || this.#isDone || this.#question !== undefined || this.#askAtMs !== undefined) return;
    const hasNews = this.#sent < this.#kept.length || (this.#inputEnded && !this.#endSent);
    if (!hasNews) return;
    if (this.#stream === undefined) {
      this.#open(this.#kept[this.#sent]?.first ?? this.#pushedItems);
      return;
    }
    const call = this.#stream;
    for (const { first } of this.#kept.slice(this.#sent)) this.#turn.emit({ type: 'sendBlock', call, first });
    this.#sent = this.#kept.length;
    if (!this.#inputEnded) return;
    this.#endSent = true;
    this.#turn.emit({ type: 'sendInputEnd', call, totalItems: this.#pushedItems });
  }

  #lost(why: WriteLoss): WriteLoss {
    this.#isDone = true;
    return why;
  }

  #finish(): void {
    this.#isDone = true;
    this.#release(this.#kept.length);
  }

  #release(blocks: number): void {
    if (blocks === 0) return;
    const last = this.#kept.splice(0, blocks).at(-1);
    this.#sent = Math.max(0, this.#sent - blocks);
    if (last !== undefined) this.#turn.emit({ type: 'releaseBlocks', before: last.first + last.count });
  }
}
