import type { Seat } from './heap.ts';

/**
 * A heap by two numbers: the lowest rank is on top, and of equal ranks the lowest turn.
 *
 * The numbers lie in arrays of their own. Looking them up in a thousand jobs on the way from the bottom to the top would
 * miss the processor's caches at each step; and one whose numbers are what they were is left where it is at no cost.
 * Each has four below it, not two: the numbers of four are neighbours in memory, but every seat that moves lies elsewhere,
 * and on the way through a thousand five move in the place of ten.
 */
export class RankHeap<T> {
  readonly #seats: Array<Seat<T>> = [];
  readonly #ranks: number[] = [];
  readonly #turns: number[] = [];

  get size(): number {
    return this.#seats.length;
  }

  top(): T | undefined {
    return this.#seats[0]?.value;
  }

  /** The numbers of the one on top; there has to be one. */
  get topRank(): number {
    return this.#ranks[0] as number;
  }

  get topTurn(): number {
    return this.#turns[0] as number;
  }

  /** Seats a value, or puts it where it belongs by its numbers now. */
  put(seat: Seat<T>, rank: number, turn: number): void {
    let { index } = seat;
    if (index < 0) {
      index = this.#seats.length;
      seat.index = index;
      this.#seats.push(seat);
      this.#ranks.push(rank);
      this.#turns.push(turn);
    } else if (this.#ranks[index] === rank && this.#turns[index] === turn) return;
    this.#settle(seat, index, rank, turn);
  }

  /** Takes a value out; nothing happens when it is not in. */
  remove(seat: Seat<T>): void {
    const { index } = seat;
    if (index < 0) return;
    const last = this.#seats.pop() as Seat<T>;
    const rank = this.#ranks.pop() as number;
    const turn = this.#turns.pop() as number;
    seat.index = -1;
    if (last !== seat) this.#settle(last, index, rank, turn);
  }

  #settle(seat: Seat<T>, from: number, rank: number, turn: number): void {
    const [ranks, turns] = [this.#ranks, this.#turns];
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >>> 2;
      const parentRank = ranks[parent] as number;
      if (parentRank < rank || (parentRank === rank && (turns[parent] as number) <= turn)) break;
      this.#move(parent, at);
      at = parent;
    }
    for (let child = this.#firstChild(at); child > 0; child = this.#firstChild(at)) {
      const childRank = ranks[child] as number;
      if (childRank > rank || (childRank === rank && (turns[child] as number) >= turn)) break;
      this.#move(child, at);
      at = child;
    }
    this.#seats[at] = seat;
    seat.index = at;
    ranks[at] = rank;
    turns[at] = turn;
  }

  /** The one of its up to four children that goes before the others; 0: it has none. */
  #firstChild(at: number): number {
    const [ranks, turns] = [this.#ranks, this.#turns];
    let best = at * 4 + 1;
    const end = Math.min(best + 4, ranks.length);
    if (best >= end) return 0;
    for (let child = best + 1; child < end; child += 1) {
      const [rank, bestRank] = [ranks[child] as number, ranks[best] as number];
      if (rank < bestRank || (rank === bestRank && (turns[child] as number) < (turns[best] as number))) {
        best = child;
      }
    }
    return best;
  }

  #move(from: number, to: number): void {
    const seat = this.#seats[from] as Seat<T>;
    this.#seats[to] = seat;
    seat.index = to;
    this.#ranks[to] = this.#ranks[from] as number;
    this.#turns[to] = this.#turns[from] as number;
  }
}
