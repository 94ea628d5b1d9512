import { type History, spotless } from '../attempts/blame.ts';
import type { ItemRange } from '../identity.ts';
import { Heap, Seat } from '../structures/heap.ts';

/** Consecutive items with one history. */
export interface Piece extends ItemRange {
  readonly history: History;
  /** Until then it waits for an agent other than `history.avoids`. */
  readonly elsewhereUntilMs: number;
}

/** Items whose retry waits for its time. */
export interface Waiting {
  readonly piece: Piece;
  readonly readyAtMs: number;
}

const byIndex = (a: Piece, b: Piece): boolean => a.first < b.first;
const byTime = (a: Waiting, b: Waiting): boolean => a.readyAtMs < b.readyAtMs;

/**
 * The items of a job that no agent has.
 *
 * Fresh ones are one range, whatever their number. Those that came back are pieces, lowest index first: an ordered
 * consumer waits for the lowest. Suspects keep apart from the others because each of them runs alone.
 */
export class PendingItems {
  #nextFresh = 0;
  #end = 0;
  /** Made when the first one comes: most jobs never have any, and each of a thousand jobs is looked at all the time. */
  #returned: Heap<Piece> | undefined;
  #suspects: Heap<Piece> | undefined;
  #waiting: Heap<Waiting> | undefined;
  #readyCount = 0;
  #waitingCount = 0;

  /** Items that could run now. */
  get ready(): number {
    return this.#readyCount;
  }

  /** Items whose retry waits for its time. */
  get waiting(): number {
    return this.#waitingCount;
  }

  /** The retry that is due next, if one waits. */
  get nextWaiting(): Waiting | undefined {
    return this.#waiting?.top();
  }

  /** Whether none of them ever came back, as is so of most jobs. */
  get isUntroubled(): boolean {
    return this.#returned === undefined && this.#suspects === undefined && this.#waiting === undefined;
  }

  /** When the next waiting retry is due. */
  get nextReadyMs(): number | undefined {
    return this.#waiting?.top()?.readyAtMs;
  }

  /** When time alone changes something: the next retry is due, or the search of a suspect for another agent is over. */
  nextWakeMs(nowMs: number): number | undefined {
    const readyMs = this.nextReadyMs;
    const elsewhereMs = this.suspect()?.elsewhereUntilMs ?? 0;
    if (elsewhereMs <= nowMs) return readyMs;
    return readyMs === undefined ? elsewhereMs : Math.min(readyMs, elsewhereMs);
  }

  /** The next items of the input. */
  append(count: number): void {
    this.#end += count;
    this.#readyCount += count;
  }

  /** Items that came back and may run at once. */
  giveBack(piece: Piece): void {
    this.#readyCount += piece.count;
    if (piece.history.alone) this.#suspects ??= new Heap(byIndex);
    else this.#returned ??= new Heap(byIndex);
    (piece.history.alone ? this.#suspects : this.#returned)?.put(new Seat(piece));
  }

  /** Items that came back and may run from `readyAtMs` on. */
  giveBackAt(piece: Piece, readyAtMs: number): void {
    this.#waitingCount += piece.count;
    this.#waiting ??= new Heap(byTime);
    this.#waiting.put(new Seat({ piece, readyAtMs }));
  }

  /** Makes ready what has waited long enough. */
  wake(nowMs: number): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    for (let next = waiting.top(); next && next.readyAtMs <= nowMs; next = waiting.top()) {
      waiting.pop();
      this.#waitingCount -= next.piece.count;
      this.giveBack(next.piece);
    }
  }

  /** The lowest suspect that could run now. */
  suspect(): Piece | undefined {
    return this.#suspects?.top();
  }

  /** The lowest items that could run now and need not run alone. */
  next(): Piece | undefined {
    const returned = this.#returned?.top();
    if (returned !== undefined) return returned;
    const count = this.#end - this.#nextFresh;
    return count > 0 ? { first: this.#nextFresh, count, history: spotless, elsewhereUntilMs: 0 } : undefined;
  }

  /** The lowest items that could run now: an ordered consumer waits for them. */
  lowest(): Piece | undefined {
    const suspect = this.suspect();
    const next = this.next();
    return suspect !== undefined && (next === undefined || suspect.first < next.first) ? suspect : next;
  }

  /** The index of the lowest item that could run now. */
  lowestIndex(): number | undefined {
    if (!this.isUntroubled) return this.lowest()?.first;
    return this.#nextFresh < this.#end ? this.#nextFresh : undefined;
  }

  /** Takes the lowest suspect out, one item of it. */
  takeSuspect(): Piece {
    const suspects = this.#suspects as Heap<Piece>;
    const piece = suspects.pop() as Piece;
    if (piece.count > 1) {
      suspects.put(new Seat({ ...piece, first: piece.first + 1, count: piece.count - 1 }));
    }
    this.#readyCount -= 1;
    return { ...piece, count: 1 };
  }

  /** Takes up to `countMax` items off what `next` shows. Pieces that came back and touch are one again. */
  take(countMax: number): Piece {
    const returned = this.#returned;
    const piece = returned?.pop();
    if (returned === undefined || piece === undefined) return this.#takeFresh(countMax);
    let { count } = piece;
    for (let behind = returned.top(); count < countMax; behind = returned.top()) {
      if (behind?.first !== piece.first + count || behind.history !== piece.history) break;
      returned.pop();
      count += behind.count;
    }
    if (count > countMax) {
      const rest = { ...piece, first: piece.first + countMax, count: count - countMax };
      returned.put(new Seat(rest));
      count = countMax;
    }
    this.#readyCount -= count;
    return { ...piece, count };
  }

  #takeFresh(countMax: number): Piece {
    const first = this.#nextFresh;
    const count = Math.min(countMax, this.#end - first);
    this.#nextFresh += count;
    this.#readyCount -= count;
    return { first, count, history: spotless, elsewhereUntilMs: 0 };
  }

  /** Every pending range, for checks; in no order. */
  *ranges(): Generator<ItemRange> {
    if (this.#end > this.#nextFresh) yield { first: this.#nextFresh, count: this.#end - this.#nextFresh };
    yield* this.#returned?.values() ?? [];
    yield* this.#suspects?.values() ?? [];
    for (const { piece } of this.#waiting?.values() ?? []) yield piece;
  }
}
