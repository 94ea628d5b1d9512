import { Attempt } from '../attempts/attempt.ts';
import { AttemptTable } from '../attempts/attempt-table.ts';
import { failuresOf } from '../attempts/blame.ts';
import { Countdown, type LeaseClock } from '../attempts/leases.ts';
import type { Agent } from '../fleet/agent.ts';
import type { AgentName } from '../identity.ts';
import { Group } from '../jobs/group.ts';
import type { Job } from '../jobs/job.ts';
import type { JobSpec } from '../jobs/job-spec.ts';
import { type Demand, Lane } from '../jobs/lane.ts';
import type { Piece } from '../jobs/pending-items.ts';
import type { Turn } from '../jobs/turn.ts';
import type { SchedulerOptions } from '../options.ts';
import type { HistoryRange } from '../structures/history-map.ts';
import { takeOut } from '../structures/short-list.ts';
import { LongShards } from './long-shards.ts';
import { Line, ReadyQueue } from './ready-queue.ts';
import { ShardWeights } from './shard-weights.ts';

/** Of attempts that are over so many objects are kept for new ones: where all slots are in use each is used again at once. */
const clearedMax = 256;

/**
 * Brings jobs with something to run and agents with room together.
 *
 * What it costs to place a shard grows neither with the number of agents nor with that of jobs of few different loads;
 * only with the number of *different* requirements (labels, encoding) among the jobs that live, one lane for each.
 */
export class Dispatcher {
  readonly attempts: AttemptTable = new AttemptTable();
  /** Attempts that the last heartbeat of their agent did not list. */
  readonly unconfirmed: Countdown<Attempt>;
  readonly agents: Map<AgentName, Agent> = new Map();
  readonly lanes: Map<string, Lane> = new Map();
  readonly groups: Map<string, Group> = new Map();
  /** The lanes in the order in which they were opened: each step goes through them. */
  readonly #opened: Lane[] = [];
  /** Attempts started so far: the last one's id. */
  started = 0;
  readonly #options: SchedulerOptions;
  readonly #turn: Turn;
  readonly #clock: LeaseClock;
  /** Attempts that this step has released: what they leave behind is still to be settled. */
  readonly #over: Attempt[] = [];
  readonly #long: LongShards;
  readonly #weights: ShardWeights;
  /** Objects for the next attempts. */
  readonly #cleared: Attempt[] = [];

  constructor(options: SchedulerOptions, turn: Turn, clock: LeaseClock, confirmMs: () => number) {
    this.#options = options;
    this.#turn = turn;
    this.#clock = clock;
    this.#long = new LongShards(turn, this.#opened);
    this.#weights = new ShardWeights(options);
    this.unconfirmed = new Countdown(clock, confirmMs);
  }

  /** The line in which a new job stands. */
  enter(spec: JobSpec): Line {
    const key = Lane.keyOf(spec);
    const lane = this.lanes.get(key) ?? this.#openLane(key, spec);
    const { id, processes } = spec.group;
    const group = this.groups.get(id) ?? new Group(id, processes, this.#options.shardsPerSlot);
    this.groups.set(id, group);
    let line = [...group.lines].find((each) => each.lane === lane);
    if (line === undefined) {
      line = new Line(lane, group);
      group.lines.add(line);
    }
    lane.jobs += 1;
    group.jobs += 1;
    line.members += 1;
    return line;
  }

  /** A job is over. */
  leave(job: Job): void {
    const { line, group } = job;
    const { lane } = line;
    lane.ready.refresh(job, false);
    lane.waitingForAnother.delete(job);
    lane.jobs -= 1;
    group.jobs -= 1;
    line.members -= 1;
    if (line.members === 0) group.lines.delete(line);
    if (lane.jobs === 0 && !lane.stays) {
      lane.close();
      this.lanes.delete(lane.key);
      takeOut(this.#opened, lane);
    }
    if (group.forgotten) this.groups.delete(group.id);
  }

  /** An agent came, or came back with other slots, labels or encodings. */
  admit(agent: Agent): void {
    this.dismiss(agent);
    this.agents.set(agent.name, agent);
    for (const lane of this.lanes.values()) lane.admit(agent);
    this.refreshAgent(agent);
  }

  /** An agent is gone. */
  dismiss(agent: Agent): void {
    this.refreshAgent(agent);
    for (const berth of [...agent.berths]) berth.lane.dismiss(berth);
    if (this.agents.get(agent.name) === agent) this.agents.delete(agent.name);
  }

  /** An agent's load, slots or readiness has changed. */
  refreshAgent(agent: Agent, served = false): void {
    for (const berth of agent.berths) {
      const { lane } = berth;
      lane.refresh(berth, served);
      if (!served && lane.waitingForAnother.size > 0) this.#searchAgain(lane);
    }
  }

  /** Whoever waits for another agent may have found it, or lost it. */
  #searchAgain({ waitingForAnother }: Lane): void {
    for (const job of waitingForAnother) this.#turn.touch(job);
    waitingForAnother.clear();
  }

  /** What a job has to run, what memory it uses or how it is served has changed. */
  refreshJob(job: Job): void {
    const { group, line } = job;
    const isReady = this.isReady(job);
    line.lane.ready.refresh(job, isReady);
    // Nobody looks at it before its group has a slot.
    if (isReady && line.shelved) this.#long.askBack(job, line.lane, group);
  }

  /** Whether a job has something to run, and memory allows it. */
  isReady(job: Job): boolean {
    if (job.ending !== undefined) return false;
    const first = job.pending.lowestIndex();
    if (first === undefined || !job.hasRoomFor(first)) return false;
    const { waitingForAnother } = job.line.lane;
    return waitingForAnother.size === 0 || !waitingForAnother.has(job);
  }

  /** An attempt is over: its slot is free. */
  release(attempt: Attempt): void {
    const { agent, job } = attempt;
    this.attempts.delete(attempt);
    this.unconfirmed.stop(attempt);
    this.#long.over(attempt);
    takeOut(agent.attempts, attempt);
    agent.load -= attempt.weight;
    const { group } = job;
    group.ended(attempt.share, attempt.count, attempt.weight);
    this.refreshAgent(agent);
    job.attempts.delete(attempt);
    job.load -= attempt.weight;
    job.running -= attempt.openAlone;
    attempt.leaveTwins();
    if (!job.ended) this.#turn.touch(job);
    if (group.forgotten) this.groups.delete(group.id);
    this.unshelve(group);
    this.#over.push(attempt);
  }

  /** A group may have got a slot. */
  unshelve(group: Group): void {
    for (const line of group.lines) {
      if (line.shelved) line.lane.ready.unshelve(line);
    }
  }

  /** Places shards as long as a job has something to run and an agent has room for it. */
  dispatch(): void {
    this.#clearOver();
    for (const lane of this.#opened) lane.stuck = false;
    for (let lane = this.#nextLane(); lane !== undefined; lane = this.#nextLane()) {
      if (!this.#serve(lane)) lane.stuck = true;
    }
  }

  /** What this step has released is settled by now. */
  #clearOver(): void {
    for (let attempt = this.#over.pop(); attempt !== undefined; attempt = this.#over.pop()) {
      attempt.clear();
      if (this.#cleared.length < clearedMax) this.#cleared.push(attempt);
    }
  }

  /** Of the lanes that can be served, the one whose first job goes before those of the others. */
  #nextLane(): Lane | undefined {
    let best: Lane | undefined;
    let bestJob: Job | undefined;
    for (const lane of this.#opened) {
      if (lane.stuck) continue;
      const job = lane.ready.top();
      if (!lane.free.any) {
        if (job !== undefined) this.#long.askBack(job, lane);
        continue;
      }
      if (job === undefined || (bestJob !== undefined && !ReadyQueue.goesFirst(job, bestJob))) continue;
      best = lane;
      bestJob = job;
    }
    return best;
  }

  /** Gives the first job of a lane an agent, or sets it aside. False: it has to wait for room, and goes first then. */
  #serve(lane: Lane): boolean {
    const job = lane.ready.top() as Job;
    let piece = job.pending.lowest() as Piece;
    let avoid = this.#agentToAvoid(piece, lane);
    if (avoid !== undefined && lane.free.pick(false, avoid) === undefined) {
      const other = job.pending.next();
      if (other === undefined || !job.hasRoomFor(other.first)) {
        if (lane.free.pick(false) === undefined) return false;
        lane.waitingForAnother.add(job);
        this.refreshJob(job);
        return true;
      }
      piece = other;
      avoid = undefined;
    }
    const count = piece.history.alone ? 1 : this.#cut(job, piece, lane);
    const isLong = !piece.history.alone && job.sharding.isLong(count) && this.#long.isAlone(job, lane);
    const short = isLong || this.#weights.isShort(job, piece, count);
    let agent = lane.free.pick(short, avoid);
    if (agent === undefined || this.#isKept(agent)) {
      this.#long.askBack(job, lane);
      return false;
    }
    if (!job.group.mayUse(agent)) {
      agent = short ? job.group.agentWithRoomBehind(lane, avoid) : undefined;
      if (agent === undefined || this.#isKept(agent)) {
        this.#long.askBack(job, lane, job.group);
        lane.ready.shelve(job.line);
        return true;
      }
    }
    const shard = piece.history.alone ? job.pending.takeSuspect() : job.pending.take(count);
    const weight = short ? this.#weights.ofShort(job, agent, count) : this.#options.shardsPerSlot;
    const attempt = this.start(job, agent, shard, weight);
    if (isLong) this.#long.started(attempt);
    return true;
  }

  /** Hands items to an agent: nobody else has them, or the straggler `original` that does not get done with them. */
  start(job: Job, agent: Agent, shard: HistoryRange, weight: number, original?: Attempt): Attempt {
    const share = job.group.started(agent, shard.count, weight);
    const { nowMs } = this.#clock;
    const id = ++this.started;
    const attempt = this.#cleared.pop() ?? new Attempt();
    attempt.begin({ id, job, agent, shard, share, weight, startedMs: nowMs, original });
    this.attempts.add(attempt);
    if (!agent.permanent) this.unconfirmed.start(attempt);
    agent.attempts.push(attempt);
    agent.load += weight;
    job.attempts.add(attempt);
    job.load += weight;
    job.turn = attempt.id;
    job.isNew = false;
    job.hasAskedBack = false;
    if (original === undefined) job.running += shard.count;
    this.refreshAgent(agent, true);
    this.refreshJob(job);
    const { history } = shard;
    this.#turn.emit({
      type: 'dispatch',
      session: agent.session,
      agent: agent.name,
      attempt: attempt.id,
      job: job.id,
      first: shard.first,
      count: shard.count,
      // An item whose first crash is final has to be told from its neighbours by that crash. In a copy, too: an
      // innocent neighbour that was in both dying children would pay twice.
      marksStarts:
        job.spec.marksStarts || history.alone || job.spec.retries.crash === 0 || original !== undefined,
      tryNumber: failuresOf(history) + (original === undefined ? 1 : 2),
      groupSlots: job.group.isCapped ? share.slots : undefined,
    });
    return attempt;
  }

  #cut(job: Job, piece: Piece, lane: Lane): number {
    const { pending, spec } = job;
    const { chunkSize } = spec;
    // Nothing else counts then, and to look for it costs more than the cut.
    if (chunkSize !== 'auto' && !job.sharding.runsSeveralAtOnce) return Math.min(chunkSize, pending.ready);
    const unplaced = pending.ready + pending.waiting;
    const { processes } = spec.group;
    const count = job.sharding.next({
      available: pending.ready,
      remaining: Math.max(unplaced, (job.total ?? 0) - job.pushed + unplaced),
      total: job.total,
      slots: Math.max(1, Math.min(lane.slots, processes)),
      bytesPerItem: job.bytesPerItemAt(piece.first),
      isAlone: job.sharding.mayBeLong && this.#long.isAlone(job, lane),
    });
    return spec.chunkSize === 'auto' ? job.roundToBlock(piece.first, count) : count;
  }

  /** The agent that killed a child with this item, as long as another one may turn up. */
  #agentToAvoid(piece: Piece, lane: Lane): Agent | undefined {
    const name = piece.history.avoids;
    if (name === undefined || piece.elsewhereUntilMs <= this.#turn.nowMs) return undefined;
    const agent = this.agents.get(name);
    return agent !== undefined && lane.hasOtherThan(agent) ? agent : undefined;
  }

  /** A job that goes first elsewhere waits for a whole slot of this agent: nothing more queues up behind its slots. */
  #isKept(agent: Agent): boolean {
    if (agent.slotsInUse < agent.slots) return false;
    for (const { lane } of agent.berths) if (lane.stuck) return true;
    return false;
  }

  #openLane(key: string, demand: Demand): Lane {
    const lane = new Lane(key, demand, this.#options.shardsPerSlot);
    this.lanes.set(key, lane);
    this.#opened.push(lane);
    for (const agent of this.agents.values()) lane.admit(agent);
    return lane;
  }
}
