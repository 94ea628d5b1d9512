import {
  defaultSchedulerOptions,
  type JobSpec,
  Scheduler,
  type SchedulerCommand,
  type SchedulerEvent,
} from '@shoal/scheduler';

const slotsPerAgent = 2;
/** Shards are short enough for as many as the scheduler gives a slot. */
const { shardsPerSlot } = defaultSchedulerOptions;
const shardItems = 10;
/** A producer hands items over in blocks. */
const blockItems = 512;

const spec: Omit<JobSpec, 'windowItems'> = {
  priority: 0,
  labels: {},
  chunkSize: shardItems,
  group: { id: 'bench', processes: Number.MAX_SAFE_INTEGER },
  retries: { thrown: 0, crash: 2, timeout: 0, lost: 10 },
  ordered: true,
  failFast: false,
  pure: false,
  marksStarts: false,
  windowBytes: 2 ** 40,
};

/** Numbers of a message that is on its way: session, attempt, job, first, count. */
const fields = 5;
/** In place of a session: outcomes for a client, leave for it to push more. */
const outcomes = 0;
const leave = -1;

/**
 * Jobs without end on so many agents: whatever is dispatched comes back in the order in which it went out, and what is
 * delivered is acknowledged, after a look whether it is its turn. What is on its way is kept as numbers, so that the load
 * itself leaves nothing to the garbage collection but its events.
 */
export class SchedulerLoad {
  readonly #scheduler = new Scheduler();
  readonly #jobs: readonly string[];
  readonly #numbers: ReadonlyMap<string, number>;
  readonly #pushed: Float64Array;
  readonly #delivered: Float64Array;
  /** A ring: `#read` to `#written`, modulo its length. */
  readonly #onItsWay: Float64Array;
  /** Shards that are on their way once every slot is full. */
  readonly shardsInFlight: number;
  /** Events that the scheduler took and commands that it gave. */
  transitions = 0;
  /** Shards that have come to their end. */
  shards = 0;
  #read = 0;
  #written = 0;
  #atMs = 0;

  constructor(agents: number, jobs: number) {
    this.#jobs = Array.from({ length: jobs }, (_, job) => `job-${job}`);
    this.#numbers = new Map(this.#jobs.map((id, job) => [id, job]));
    this.#pushed = new Float64Array(jobs);
    this.#delivered = new Float64Array(jobs);
    this.shardsInFlight = agents * slotsPerAgent * shardsPerSlot;
    // Shards, the outcomes of as many, and a few grants for each job.
    this.#onItsWay = new Float64Array((this.shardsInFlight * 3 + jobs * 4 + 16) * fields);
    for (let agent = 1; agent <= agents; agent += 1) {
      const join = { type: 'agentJoined', labels: {}, held: [], permanent: false } as const;
      this.#step({ ...join, atMs: 0, agent: `agent-${agent}`, session: agent, slots: slotsPerAgent });
    }
    // Twice what a job has on its way, so that every slot is in use whether by one job or by a thousand.
    const share = (this.shardsInFlight * shardItems) / jobs;
    const windowItems = Math.max(8, Math.ceil((2 * share) / blockItems)) * blockItems;
    for (const job of this.#jobs) {
      this.#step({ type: 'jobCreated', atMs: 0, job, spec: { ...spec, windowItems } });
    }
  }

  /** The next message arrives. */
  arrive(): void {
    const at = this.#read % this.#onItsWay.length;
    this.#read += fields;
    const ring = this.#onItsWay;
    const session = ring[at] as number;
    const attempt = ring[at + 1] as number;
    const first = ring[at + 3] as number;
    const count = ring[at + 4] as number;
    this.#atMs += 0.001;
    const atMs = this.#atMs;
    if (session <= 0) {
      this.#hearClient(session, ring[at + 2] as number, first, count);
      return;
    }
    this.shards += 1;
    const bytes = count * 100;
    this.#step({ type: 'itemsSucceeded', atMs, session, attempt, first, count, bytes, runMs: count * 4 });
    this.#step({ type: 'attemptEnded', atMs, session, attempt, ending: { kind: 'finished' } });
  }

  #hearClient(what: number, number: number, first: number, count: number): void {
    const job = this.#jobs[number] as string;
    const atMs = this.#atMs;
    if (what === outcomes) {
      this.#step({ type: 'resultsAcknowledged', atMs, job, position: first + count });
      return;
    }
    const before = this.#pushed[number] as number;
    for (let at = before; at + blockItems <= first; at += blockItems) {
      this.#pushed[number] = at + blockItems;
      this.#step({ type: 'itemsPushed', atMs, job, count: blockItems, bytes: blockItems * 100 });
    }
  }

  #step(event: SchedulerEvent): void {
    const commands = this.#scheduler.step(event);
    this.transitions += 1 + commands.length;
    for (const command of commands) this.#obey(command);
  }

  #obey(command: SchedulerCommand): void {
    if (command.type === 'dispatch') {
      const { attempt, count, first, job, session } = command;
      this.#send(session, attempt, this.#numbers.get(job) as number, first, count);
    } else if (command.type === 'deliver') {
      const { count, first } = command;
      const job = this.#numbers.get(command.job) as number;
      if (first !== this.#delivered[job]) throw new Error(`item ${first} of ${command.job} is out of order`);
      this.#delivered[job] = first + count;
      this.#send(outcomes, 0, job, first, count);
    } else if (command.type === 'grantItems') {
      const { job, upTo } = command;
      this.#send(leave, 0, this.#numbers.get(job) as number, upTo, 0);
    }
  }

  #send(session: number, attempt: number, job: number, first: number, count: number): void {
    const ring = this.#onItsWay;
    const at = this.#written % ring.length;
    if (this.#written - this.#read === ring.length)
      throw new Error('more is on its way than the load has room for');
    ring[at] = session;
    ring[at + 1] = attempt;
    ring[at + 2] = job;
    ring[at + 3] = first;
    ring[at + 4] = count;
    this.#written += fields;
  }
}
