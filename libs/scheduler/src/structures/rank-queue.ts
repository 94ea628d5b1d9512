import { Seat } from './heap.ts';
import { RankHeap } from './rank-heap.ts';

/** A member's place in a rank queue, written in itself, so that no object more is needed. In one queue at most. */
export interface Ranked<T> {
  /** The level that it stands in. */
  level: Level<T> | undefined;
  /** Its neighbours there. */
  ahead: T | undefined;
  behind: T | undefined;
  /** The turn by which it was placed. */
  placedTurn: number;
  /** Its seat among the strays; made when it first strays. */
  strayed: Seat<T> | undefined;
}

/** Members of one rank, the lowest turn first. */
interface Level<T> {
  rank: number;
  first: T;
  last: T;
}

/**
 * A queue by two numbers: the lowest rank goes first, and of equal ranks the lowest turn.
 *
 * Turns rise, so whoever comes to a rank has the highest turn of all there nearly always: each rank is a list, and to come
 * and to go takes the same time however many are in it. What differs is the number of ranks in use, which are few. Only a
 * member that comes with a turn of long ago (it could not run for a while) goes to a heap beside the lists.
 */
export class RankQueue<T extends Ranked<T>> {
  /** By rising rank; none is empty. */
  readonly #levels: Array<Level<T>> = [];
  #strays: RankHeap<T> | undefined;

  top(): T | undefined {
    const level = this.#levels[0];
    const strays = this.#strays;
    if (strays === undefined || strays.size === 0) return level?.first;
    if (level === undefined) return strays.top();
    const isStray =
      strays.topRank < level.rank ||
      (strays.topRank === level.rank && strays.topTurn < level.first.placedTurn);
    return isStray ? strays.top() : level.first;
  }

  has(member: T): boolean {
    return member.level !== undefined || (member.strayed !== undefined && member.strayed.index >= 0);
  }

  /** Puts a member in, or where it belongs by its numbers now. */
  put(member: T, rank: number, turn: number): void {
    const { level } = member;
    if (level === undefined) {
      if (member.strayed !== undefined) this.#strays?.remove(member.strayed);
    } else {
      if (level.rank === rank && member.placedTurn === turn) return;
      // Who is alone in the queue, as one job often is, takes its level along.
      if (level.first === level.last && this.#levels.length === 1) {
        level.rank = rank;
        member.placedTurn = turn;
        return;
      }
      this.#leave(member, level);
    }
    member.placedTurn = turn;
    const at = this.#levelFrom(rank);
    const found = this.#levels[at];
    if (found?.rank !== rank) this.#open(at, member, rank);
    else if (found.last.placedTurn <= turn) append(found, member);
    else this.#stray(member, rank, turn);
  }

  /** Takes a member out; nothing happens when it is not in. */
  remove(member: T): void {
    const { level, strayed } = member;
    if (level !== undefined) this.#leave(member, level);
    else if (strayed !== undefined) this.#strays?.remove(strayed);
  }

  #leave(member: T, level: Level<T>): void {
    const { ahead, behind } = member;
    member.level = undefined;
    member.ahead = undefined;
    member.behind = undefined;
    if (ahead !== undefined) ahead.behind = behind;
    if (behind !== undefined) behind.ahead = ahead;
    if (ahead === undefined && behind === undefined) this.#close(level);
    else if (ahead === undefined) level.first = behind as T;
    else if (behind === undefined) level.last = ahead;
  }

  #stray(member: T, rank: number, turn: number): void {
    this.#strays ??= new RankHeap();
    member.strayed ??= new Seat(member);
    this.#strays.put(member.strayed, rank, turn);
  }

  /** The position of the first level of this rank or a higher one. */
  #levelFrom(rank: number): number {
    const levels = this.#levels;
    let low = 0;
    let high = levels.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((levels[middle] as Level<T>).rank < rank) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** By hand, because levels are few, and the array's own methods cost more than to move them. */
  #open(at: number, member: T, rank: number): void {
    const levels = this.#levels;
    const level: Level<T> = { rank, first: member, last: member };
    levels.push(level);
    for (let to = levels.length - 1; to > at; to -= 1) levels[to] = levels[to - 1] as Level<T>;
    levels[at] = level;
    member.level = level;
  }

  #close({ rank }: Level<T>): void {
    const levels = this.#levels;
    const last = levels.length - 1;
    for (let at = this.#levelFrom(rank); at < last; at += 1) levels[at] = levels[at + 1] as Level<T>;
    levels.pop();
  }
}

function append<T extends Ranked<T>>(level: Level<T>, member: T): void {
  member.level = level;
  member.ahead = level.last;
  level.last.behind = member;
  level.last = member;
}
