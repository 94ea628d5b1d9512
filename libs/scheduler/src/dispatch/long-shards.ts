import type { Attempt } from '../attempts/attempt.ts';
import type { Agent } from '../fleet/agent.ts';
import type { Group } from '../jobs/group.ts';
import type { Job } from '../jobs/job.ts';
import type { Lane } from '../jobs/lane.ts';
import type { Turn } from '../jobs/turn.ts';

/** So long after a job had to wait for longer shards of another none are cut: where jobs come often they would all come back. */
const crowdedMs = 1_000;

/** Shards that are longer than usual, for their job was alone: what has not begun of them is asked back when another one comes. */
export class LongShards {
  readonly #turn: Turn;
  readonly #lanes: readonly Lane[];
  /** Those that were not asked back, in the order in which they were started. */
  readonly #attempts: Set<Attempt> = new Set();

  /** `lanes`: all that are open, now and later. */
  constructor(turn: Turn, lanes: readonly Lane[]) {
    this.#turn = turn;
    this.#lanes = lanes;
  }

  started(attempt: Attempt): void {
    attempt.isLong = true;
    this.#attempts.add(attempt);
  }

  over(attempt: Attempt): void {
    if (attempt.isLong) this.#attempts.delete(attempt);
  }

  /**
   * Whether nobody else could use the slots that a job gets now. Its shards may be longer then, for they are asked back when somebody
   * comes: not those of items that cannot be lost, which do not wait behind others either.
   */
  isAlone(job: Job, lane: Lane): boolean {
    if (job.spec.retries.lost === 0 || this.#turn.nowMs < lane.crowdedUntilMs) return false;
    for (const each of this.#lanes) {
      if (each === lane ? !each.ready.hasOnly(job) : each.ready.top() !== undefined) return false;
    }
    return true;
  }

  /**
   * A job of which nothing runs has to wait: what has not begun of longer shards is asked back, on as many agents as it has work for;
   * of `within` only, where its group is at its cap. Each shard is asked for once, and each job asks once until it is given something.
   */
  askBack(job: Job, lane: Lane, within?: Group): void {
    if (this.#attempts.size === 0 || job.load > 0 || job.hasAskedBack) return;
    job.hasAskedBack = true;
    const asked = new Set<Agent>();
    let slots = job.pending.ready;
    for (const attempt of this.#attempts) {
      const { agent, job: other } = attempt;
      const isWanted = lane.members.has(agent) && other !== job && other.rankIdle >= job.rankIdle;
      if (!isWanted || (within !== undefined && other.group !== within)) continue;
      if (!asked.has(agent)) {
        if (slots <= 0) continue;
        asked.add(agent);
        slots -= agent.slots;
      }
      this.#attempts.delete(attempt);
      attempt.isRecalled = true;
      other.line.lane.crowdedUntilMs = this.#turn.nowMs + crowdedMs;
      this.#turn.emit({ type: 'recall', session: agent.session, attempt: attempt.id });
    }
  }
}
