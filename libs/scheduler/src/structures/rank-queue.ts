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

/** Members of one rank, the lowest turn first. Its neighbours are the ranks in use next to it. */
interface Level<T> {
  rank: number;
  first: T | undefined;
  last: T | undefined;
  lower: Level<T> | undefined;
  higher: Level<T> | undefined;
}

/**
 * A queue by two numbers: the lowest rank goes first, and of equal ranks the lowest turn.
 *
 * Turns rise, so whoever comes to a rank has the highest turn of all there nearly always: each rank is a list, and to come
 * and to go takes the same time however many are in it. Ranks are a list too: whoever was served, or is done with something,
 * goes a step or two up or down, and whoever could run nothing is looked a place for from the bottom. What differs is the
 * number of ranks in use, which are few. Only a member that comes with a turn of long ago (it could not run for a while)
 * goes to a heap beside the lists.
 */
export class RankQueue<T extends Ranked<T>> {
  /** None of the levels from here upwards is empty. */
  #lowest: Level<T> | undefined;
  /** The last level that became empty: one opens for each that closes. */
  #spare: Level<T> | undefined;
  /** Undefined as long as there are none. */
  #strays: RankHeap<T> | undefined;

  top(): T | undefined {
    const level = this.#lowest;
    const strays = this.#strays;
    if (strays === undefined || (level !== undefined && isAhead(level, strays))) return level?.first;
    return strays.top();
  }

  /** Whether there may be more than one. Who has strayed counts for several. */
  get hasSeveral(): boolean {
    const level = this.#lowest;
    if (this.#strays !== undefined && this.#strays.top() !== undefined) return true;
    return level !== undefined && (level.first !== level.last || level.higher !== undefined);
  }

  has(member: T): boolean {
    return member.level !== undefined || (member.strayed !== undefined && member.strayed.index >= 0);
  }

  /** Puts a member in, or where it belongs by its numbers now. False: it is there already. */
  put(member: T, rank: number, turn: number): boolean {
    const { level } = member;
    if (level?.rank === rank && member.placedTurn === turn) return false;
    this.#move(member, rank, turn);
    return true;
  }

  /** Takes a member out. False: it was not in. */
  remove(member: T): boolean {
    const { level } = member;
    if (level === undefined) return this.#strays !== undefined && this.#fetchBack(member);
    this.#leave(member, level);
    return true;
  }

  #move(member: T, rank: number, turn: number): void {
    const { level } = member;
    // Who is alone there takes its level along as far as no other one is in between.
    if (level !== undefined && level.first === level.last && isBetween(level.lower, rank, level.higher)) {
      level.rank = rank;
      member.placedTurn = turn;
      return;
    }
    const found = levelUpTo(rank, level ?? this.#lowest);
    if (level !== undefined) this.#leave(member, level);
    else if (this.#strays !== undefined) this.#fetchBack(member);
    member.placedTurn = turn;
    if (found?.rank !== rank) this.#open(found, member, rank);
    else if ((found.last as T).placedTurn <= turn) append(found, member);
    else this.#stray(member, rank, turn);
  }

  #leave(member: T, level: Level<T>): void {
    const { ahead, behind } = member;
    member.level = undefined;
    member.ahead = undefined;
    member.behind = undefined;
    if (ahead !== undefined) ahead.behind = behind;
    else if (behind !== undefined) level.first = behind;
    else this.#close(level);
    if (behind !== undefined) behind.ahead = ahead;
    else level.last = ahead;
  }

  #stray(member: T, rank: number, turn: number): void {
    this.#strays ??= new RankHeap();
    member.strayed ??= new Seat(member);
    this.#strays.put(member.strayed, rank, turn);
  }

  /** Takes a member out of the strays. False: it is none. */
  #fetchBack({ strayed }: T): boolean {
    const strays = this.#strays as RankHeap<T>;
    if (strayed === undefined || strayed.index < 0) return false;
    strays.remove(strayed);
    if (strays.size === 0) this.#strays = undefined;
    return true;
  }

  /** Opens a level for a member, above another one or below all. */
  #open(lower: Level<T> | undefined, member: T, rank: number): void {
    const higher = lower === undefined ? this.#lowest : lower.higher;
    let level = this.#spare;
    if (level === undefined) level = { rank, first: member, last: member, lower, higher };
    else {
      this.#spare = undefined;
      level.rank = rank;
      level.first = member;
      level.last = member;
      level.lower = lower;
      level.higher = higher;
    }
    if (lower === undefined) this.#lowest = level;
    else lower.higher = level;
    if (higher !== undefined) higher.lower = level;
    member.level = level;
  }

  #close(level: Level<T>): void {
    const { higher, lower } = level;
    if (lower === undefined) this.#lowest = higher;
    else lower.higher = higher;
    if (higher !== undefined) higher.lower = lower;
    // Nobody is kept in memory by a level that he left.
    level.first = undefined;
    this.#spare = level;
  }
}

/** Whether the first of a level goes before all strays. */
function isAhead<T extends Ranked<T>>({ first, rank }: Level<T>, strays: RankHeap<T>): boolean {
  const { topRank } = strays;
  return rank < topRank || (rank === topRank && (first as T).placedTurn <= strays.topTurn);
}

/** Whether a rank lies above one level and below another, where there are such. */
function isBetween<T>(lower: Level<T> | undefined, rank: number, higher: Level<T> | undefined): boolean {
  return (lower === undefined || lower.rank < rank) && (higher === undefined || higher.rank > rank);
}

/** The highest level of this rank or a lower one; looked for from another one, up or down. */
function levelUpTo<T>(rank: number, from: Level<T> | undefined): Level<T> | undefined {
  let at = from;
  while (at !== undefined && at.rank > rank) at = at.lower;
  if (at === undefined) return undefined;
  for (let next = at.higher; next !== undefined && next.rank <= rank; next = next.higher) at = next;
  return at;
}

function append<T extends Ranked<T>>(level: Level<T>, member: T): void {
  const last = level.last as T;
  member.level = level;
  member.ahead = last;
  last.behind = member;
  level.last = member;
}
