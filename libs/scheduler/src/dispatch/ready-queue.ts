import type { Group } from '../jobs/group.ts';
import type { Job } from '../jobs/job.ts';
import type { Lane } from '../jobs/lane.ts';
import { type Ranked, RankQueue } from '../structures/rank-queue.ts';

/**
 * Who goes first: the higher priority; then whoever has less running, so that a small job passes a big one;
 * then whoever was served longest ago, and of the one that was served last and those that came since, who came since.
 */
function goesFirst(a: Job, b: Job): boolean {
  const rankA = rankOf(a);
  const rankB = rankOf(b);
  if (rankA !== rankB) return rankA < rankB;
  return a.turn === b.turn ? a.isNew && !b.isNew : a.turn < b.turn;
}

/** Priority and load in one number: exact, since neither a priority nor what runs of a job comes near the limits. */
function rankOf({ load, rankIdle }: Job): number {
  return rankIdle + load;
}

/** The jobs of one group that could run in one lane. */
export class Line implements Ranked<Line> {
  readonly lane: Lane;
  readonly group: Group;
  readonly jobs: RankQueue<Job> = new RankQueue();
  level: Ranked<Line>['level'];
  ahead: Line | undefined;
  behind: Line | undefined;
  placedTurn = 0;
  strayed: Ranked<Line>['strayed'];
  /** Jobs that live, ready or not. */
  members = 0;
  /** Its group has used up its slots: it is out of the queue until one of them is free. */
  shelved = false;

  constructor(lane: Lane, group: Group) {
    this.lane = lane;
    this.group = group;
  }
}

/**
 * Jobs with something to run, fairest first.
 *
 * It holds lines, not jobs: a group that has used up its slots leaves with all its jobs in one move.
 */
export class ReadyQueue {
  readonly #lines: RankQueue<Line> = new RankQueue();

  /** The job that goes first. */
  top(): Job | undefined {
    return this.#lines.top()?.jobs.top();
  }

  /** Whether no other job than this one, which goes first, is ready. */
  hasOnly({ line }: Job): boolean {
    return !this.#lines.hasSeveral && !line.jobs.hasSeveral;
  }

  /** Puts a job in, or where it belongs after it changed; or takes it out when it is not ready. */
  refresh(job: Job, ready: boolean): void {
    const { line } = job;
    const hasMoved = ready ? line.jobs.put(job, rankOf(job), job.turn) : line.jobs.remove(job);
    if (hasMoved) this.#replace(line);
  }

  /** Takes a line out until its group has a slot again. */
  shelve(line: Line): void {
    line.shelved = true;
    this.#lines.remove(line);
  }

  /** Brings a shelved line back. */
  unshelve(line: Line): void {
    line.shelved = false;
    this.#replace(line);
  }

  #replace(line: Line): void {
    if (line.shelved) return;
    const first = line.jobs.top();
    // A line goes where its first job would.
    if (first === undefined) this.#lines.remove(line);
    else this.#lines.put(line, rankOf(first), first.turn);
  }

  /** Whether `a` goes before `b`. */
  static goesFirst(a: Job, b: Job): boolean {
    return goesFirst(a, b);
  }
}
