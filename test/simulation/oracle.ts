import type { Dispatch, KeepResults, Note, ResultBytes } from '@shoal/scheduler';
import type { AgentHost } from './agent-host.ts';
import type { ChunkWork } from './child-host.ts';
import type { ClientJob, JobFate, Received } from './client-host.ts';
import type { CoordinatorHost } from './coordinator-host.ts';
import type { Execution } from './execution.ts';
import type { StoredFailure } from './messages.ts';
import { type JobPlan, runsOnce } from './scenario.ts';
import { type Guarantee, Violation } from './violation.ts';
import type { World } from './world.ts';

/** Totals of a world, for the report of a long run. */
export interface Tally {
  items: number;
  executions: number;
  /** Calls beyond the first one of an item. */
  extra: number;
  outcomes: number;
  failures: number;
  jobs: number;
  refused: number;
}

interface HandedOut {
  readonly job: string;
  readonly agent: string;
  readonly first: number;
  readonly count: number;
}

/** What the oracle remembers of one job. */
class JobBook {
  readonly plan: JobPlan;
  /** By index: the calls that were begun. */
  readonly executions: Execution[][];
  /** By index: the last two attempts that were handed out. */
  readonly latest: [number, number][];
  /** By index: the call whose value the coordinator took. */
  readonly kept: number[];
  /** By index: what the client got. */
  readonly got: (Received | undefined)[];
  retried = 0;
  /** By index: calls that were cut off at no cost to their item. */
  readonly givenBack: number[];
  endedAtMs: number | undefined;
  state: string | undefined;
  id: string | undefined;
  epoch = 0;
  cancelAskedAtMs: number | undefined;

  constructor(plan: JobPlan) {
    this.plan = plan;
    this.executions = Array.from({ length: plan.items }, () => []);
    this.latest = Array.from({ length: plan.items }, () => [0, 0]);
    this.kept = new Array<number>(plan.items).fill(0);
    this.givenBack = new Array<number>(plan.items).fill(0);
    this.got = new Array<Received | undefined>(plan.items).fill(undefined);
  }

  executionsOf(index: number): Execution[] {
    return this.executions[index] ?? [];
  }
}

/**
 * Knows what callers and the outside can see (calls of the function, messages, outcomes) and says when it breaks the
 * delivery contract. It knows nothing of how the cores come to their decisions.
 */
export class Oracle {
  readonly tally: Tally = {
    items: 0,
    executions: 0,
    extra: 0,
    outcomes: 0,
    failures: 0,
    jobs: 0,
    refused: 0,
  };
  readonly #world: World;
  readonly #books = new Map<string, JobBook>();
  readonly #executions: Execution[] = [];
  /** By epoch and attempt. */
  readonly #handedOut = new Map<string, HandedOut>();
  readonly #started = new Set<string>();
  readonly #drained = new Set<string>();
  readonly #instances = new Map<string, string>();
  /** When each session was last heard of, on the coordinator's clock less its stalls. */
  readonly #heard = new Map<number, { agent: string; atMs: number }>();
  #stalledMs = 0;
  /** Steps that the coordinator has made. */
  steps = 0;

  constructor(world: World) {
    this.#world = world;
    for (const plan of world.scenario.jobs) {
      this.#books.set(plan.name, new JobBook(plan));
      this.tally.items += plan.items;
      this.tally.jobs += 1;
    }
  }

  must(holds: boolean, guarantee: Guarantee, text: () => string, about: Violation['about'] = {}): void {
    if (!holds) throw new Violation(guarantee, text(), about);
  }

  // -- calls of the function -------------------------------------------------------------------------------------

  /** A child calls the function. */
  began(agent: AgentHost, work: ChunkWork, index: number, child: number): Execution {
    const { clock, isCalm, quietSinceMs } = this.#world;
    const argument = work.argumentOf(index);
    const execution: Execution = {
      id: this.#executions.length + 1,
      job: argument.job,
      index: argument.index,
      agent: agent.plan.name,
      child,
      epoch: work.epoch,
      attempt: work.attempt,
      startedAtMs: clock.nowMs,
      endedAtMs: Number.NaN,
      outcome: 'running',
      isUnseen: false,
    };
    this.#executions.push(execution);
    this.tally.executions += 1;
    const about = { job: argument.job, index: argument.index, attempt: work.attempt };
    this.must(
      argument.job === work.job.name && argument.index === index,
      'G4',
      () => `a child found ${argument.job}[${argument.index}] where ${work.job.name}[${index}] should be`,
      { job: work.job.name, index },
    );
    const book = this.#bookOf(work.job.name);
    this.must(
      agent.epochSeen <= work.epoch,
      'G13',
      () => `${agent.plan.name} starts work of epoch ${work.epoch} and has seen epoch ${agent.epochSeen}`,
      { ...about, agent: agent.plan.name },
    );
    if (work.epoch !== book.epoch) return execution;
    if (book.executionsOf(index).length > 0) this.tally.extra += 1;
    book.executionsOf(index).push(execution);
    const endedAtMs = book.endedAtMs;
    if (endedAtMs !== undefined) {
      const patienceMs = isCalm ? 200 : 8_000;
      const sinceMs = isCalm ? endedAtMs : Math.max(endedAtMs, (quietSinceMs ?? Infinity) + 25_000);
      this.must(
        clock.nowMs - sinceMs <= patienceMs,
        'G25',
        () =>
          `${work.job.name}[${index}] starts ${Math.round(clock.nowMs - endedAtMs)} ms after its job ended`,
        about,
      );
    }
    return execution;
  }

  ended(execution: Execution, outcome: Execution['outcome']): void {
    execution.outcome = outcome;
    execution.endedAtMs = this.#world.clock.nowMs;
    // What was in a child that was killed because its neighbour ran too long is run again, and not charged to
    // anybody; unless it may run only once.
    const book = this.#books.get(execution.job);
    if (book === undefined || book.epoch !== execution.epoch || runsOnce(book.plan)) return;
    if (outcome === 'killed' && book.plan.timeoutMs !== undefined) {
      book.givenBack[execution.index] = (book.givenBack[execution.index] ?? 0) + 1;
    }
  }

  earlierStarts(job: string, index: number): number {
    return this.#books.get(job)?.executionsOf(index).length ?? 0;
  }

  lastExecutionOf(job: string, index: number): number {
    return this.#books.get(job)?.executionsOf(index).at(-1)?.id ?? 0;
  }

  counted(agent: string, child: number, calls: number, limit: number): void {
    this.must(
      calls <= limit,
      'G30',
      () => `child ${child} of ${agent} starts call ${calls} of at most ${limit}`,
      { agent },
    );
  }

  /** Those that run, as many successors, and whoever is on its way out. */
  crowded({ plan }: AgentHost, processes: number): void {
    const most = 6 * plan.slots + 8;
    this.must(
      processes <= most,
      'G28',
      () => `${plan.name} has ${processes} processes for ${plan.slots} slots`,
      { agent: plan.name },
    );
  }

  // -- agents ----------------------------------------------------------------------------------------------------

  /** An agent gives an attempt to its pool. */
  chunkStarted(agent: AgentHost, given: { attempt: number; epoch: number; job: string }): void {
    const { attempt, epoch } = given;
    const key = `${epoch}/${attempt}`;
    const about = { attempt, agent: agent.plan.name };
    this.must(!this.#started.has(key), 'G13', () => `attempt ${attempt} is started twice`, about);
    this.#started.add(key);
    const out = this.#handedOut.get(key);
    this.must(
      out !== undefined && out.agent === agent.joinsAs,
      'G13',
      () => `${agent.plan.name} starts attempt ${attempt} of epoch ${epoch}, which was never handed to it`,
      about,
    );
    // By its own clock: a machine that sleeps cannot know for how long.
    const unprovenMs = agent.host.now() - agent.provenAtMs;
    const fenceMs = agent.fenceMs;
    this.must(
      unprovenMs <= fenceMs + 1,
      'G17',
      () =>
        `${agent.plan.name} starts attempt ${attempt} after ${Math.round(unprovenMs)} ms without an answer`,
      about,
    );
  }

  /** A heartbeat lists everything that runs, and comes in time. */
  heartbeatSent(agent: AgentHost, held: readonly number[]): void {
    const { name } = agent.plan;
    const listed = new Set(held);
    for (const attempt of agent.wantedAttempts) {
      this.must(
        listed.has(attempt),
        'G15',
        () => `a heartbeat of ${name} leaves out attempt ${attempt}, which runs there`,
        { attempt, agent: name },
      );
    }
  }

  agentEnded(agent: AgentHost, code: string | undefined): void {
    const isStranger = agent.plan.name !== agent.joinsAs;
    this.must(
      code === undefined || (code === 'AGENT_NAME_TAKEN' && (isStranger || !this.#world.isCalm)),
      'structure',
      () => `${agent.plan.name} gave up: ${code}`,
      { agent: agent.plan.name },
    );
  }

  operatorDrained(agent: string, draining: boolean): void {
    if (draining) this.#drained.add(agent);
    else this.#drained.delete(agent);
  }

  /** A new process under a name is not drained because the last one was. */
  admitted(agent: string, instance: string): void {
    if (this.#instances.get(agent) !== instance) this.#drained.delete(agent);
    this.#instances.set(agent, instance);
  }

  /** Good-bye: whoever comes next under that name is another one. */
  left(agent: string): void {
    this.#drained.delete(agent);
  }

  // -- the coordinator -------------------------------------------------------------------------------------------

  /** An attempt goes out. */
  dispatched(dispatch: Dispatch, epoch: number): void {
    const { attempt, agent, first, count, job } = dispatch;
    const key = `${epoch}/${attempt}`;
    const plan = this.#planOf(job);
    const about = { job: plan?.name ?? job, index: first, attempt, agent };
    this.must(!this.#handedOut.has(key), 'G13', () => `attempt ${attempt} is handed out twice`, about);
    this.#handedOut.set(key, { job, agent, first, count });
    this.must(!this.#drained.has(agent), 'G27', () => `${agent} drains and gets attempt ${attempt}`, about);
    if (plan === undefined) return;
    const book = this.#bookOf(plan.name);
    this.must(book.endedAtMs === undefined, 'G25', () => `${plan.name} is over and is handed out`, about);
    for (const [label, value] of Object.entries(plan.labels)) {
      const has = this.#world.agentPlan(agent)?.labels[label];
      this.must(has === value, 'structure', () => `${agent} has no label ${label}=${value}`, about);
    }
    for (let index = first; index < first + count; index += 1) {
      const latest = book.latest[index];
      if (latest === undefined) continue;
      this.must(
        book.kept[index] === 0,
        'G12',
        () => `${plan.name}[${index}] has its value and is run again`,
        {
          ...about,
          index,
        },
      );
      latest[1] = latest[0];
      latest[0] = attempt;
    }
  }

  /** The coordinator takes values: from the one attempt that has the items now. */
  kept({ job, first, count }: KeepResults, run: ResultBytes, epoch: number): void {
    const plan = this.#planOf(job);
    if (plan === undefined) return;
    const book = this.#bookOf(plan.name);
    const values = new Uint32Array(run.bytes.buffer, run.bytes.byteOffset, run.count);
    for (let index = first; index < first + count; index += 1) {
      const execution = this.#executions[(values[index - run.first] as number) - 1];
      const about = {
        job: plan.name,
        index,
        ...(execution === undefined ? {} : { attempt: execution.attempt }),
      };
      const latest = book.latest[index];
      const isCurrent =
        execution !== undefined &&
        (execution.attempt === latest?.[0] || (plan.pure && execution.attempt === latest?.[1]));
      this.must(
        execution?.epoch === epoch && isCurrent,
        'G12',
        () =>
          `${plan.name}[${index}] is accepted from attempt ${execution?.attempt}, it is with ${latest?.[0]}`,
        about,
      );
      this.must(book.kept[index] === 0, 'G3', () => `${plan.name}[${index}] is accepted twice`, about);
      book.kept[index] = execution?.id ?? 0;
    }
  }

  jobCreated(id: string, name: string, epoch: number): void {
    const book = this.#books.get(name);
    if (book === undefined) return;
    this.must(
      book.id === undefined || epoch > book.epoch || book.endedAtMs !== undefined,
      'G21',
      () => `${name} was asked for twice with one request id, and created twice`,
      { job: name },
    );
    if (book.id !== undefined) this.#books.set(name, new JobBook(book.plan));
    const fresh = this.#bookOf(name);
    fresh.id = id;
    fresh.epoch = epoch;
    fresh.cancelAskedAtMs = book.cancelAskedAtMs;
  }

  jobEnded(id: string, state: string): void {
    const plan = this.#planOf(id);
    if (plan === undefined) return;
    const book = this.#bookOf(plan.name);
    const about = { job: plan.name };
    this.must(book.endedAtMs === undefined, 'structure', () => `${plan.name} ends twice`, about);
    book.endedAtMs = this.#world.clock.nowMs;
    book.state = state;
    this.must(
      state !== 'failedFast' || plan.failFast,
      'structure',
      () => `${plan.name} ends with its first failure, unasked`,
      about,
    );
    this.must(
      state !== 'deadline' || plan.deadlineMs !== undefined,
      'G26',
      () => `${plan.name} has no deadline and is past it`,
      about,
    );
    this.must(
      state !== 'unrunnable' || plan.code !== 'works',
      'G8',
      () => `${plan.name} can run, and is given up as one that cannot`,
      about,
    );
  }

  sessionEnded(session: number, reason: string): void {
    const heard = this.#heard.get(session);
    if (heard === undefined || reason !== 'silent') return;
    const silentMs = this.#leaseNowMs() - heard.atMs;
    const { leaseMs } = this.#world.coordinator.timing;
    this.must(
      silentMs >= leaseMs - 1,
      'G19',
      () => `${heard.agent} is declared lost after ${Math.round(silentMs)} ms of silence`,
      { agent: heard.agent },
    );
    this.#heard.delete(session);
  }

  sessionClosed(session: number): void {
    this.#heard.delete(session);
  }

  heardOf(session: number, agent: string): void {
    this.#heard.set(session, { agent, atMs: this.#leaseNowMs() });
  }

  /** The coordinator was told that it had stood still. */
  stalled(lostMs: number): void {
    this.#stalledMs += lostMs;
  }

  coordinatorRestarted(): void {
    this.#heard.clear();
    this.#stalledMs = 0;
    this.#drained.clear();
  }

  noted(note: Note['note']): void {
    if (note.what === 'itemsRetried') {
      const plan = this.#planOf(note.job);
      if (plan !== undefined) this.#bookOf(plan.name).retried += note.items;
    } else if (note.what === 'resultRefused') this.tally.refused += note.items;
    // Whoever is lost is forgotten, and comes back as one that nobody has drained.
    else if (note.what === 'agentLost') this.#drained.delete(note.agent);
  }

  /** Now and then, or it would cost more than everything else. */
  coordinatorStepped(coordinator: CoordinatorHost): void {
    this.steps += 1;
    if (this.steps % this.#world.checkEvery === 0) this.inspect(coordinator);
  }

  /** Looks at everything that has to hold at any moment. */
  inspect(coordinator: CoordinatorHost): void {
    this.#structure(() => coordinator.check());
    const { leaseMs } = coordinator.timing;
    for (const [session, { agent, atMs }] of this.#heard) {
      const silentMs = this.#leaseNowMs() - atMs;
      const isAwake = coordinator.host.now() - coordinator.wokeAtMs > 1_500;
      this.must(
        silentMs <= leaseMs + 250 || !isAwake || !coordinator.hasSession(session),
        'G15',
        () => `${agent} has been silent for ${Math.round(silentMs)} ms and is not lost`,
        { agent },
      );
    }
    let boundBytes = 0;
    for (const { plan, id, endedAtMs } of this.#books.values()) {
      if (id === undefined) continue;
      const blockBytes = 4 * (plan.blockItems + 1);
      boundBytes += 2 * plan.windowBytes + 2 * blockBytes + 64 * plan.blockItems * 8;
      const view = coordinator.jobView(id);
      if (view === undefined) continue;
      const ahead = view.pushed - view.acknowledged;
      this.must(
        ahead <= plan.windowItems + plan.blockItems,
        'G29',
        () => `${plan.name} has ${ahead} items in its window of ${plan.windowItems}`,
        { job: plan.name },
      );
      const lateMs =
        coordinator.host.now() - Math.max(coordinator.deadlineOf(id) ?? Infinity, coordinator.wokeAtMs);
      this.must(
        endedAtMs !== undefined || lateMs <= 50,
        'G26',
        () => `${plan.name} runs ${Math.round(lateMs)} ms after its deadline`,
        { job: plan.name },
      );
    }
    for (const { itemBytes, job } of coordinator.snapshot().scheduler.jobs) {
      const plan = this.#planOf(job);
      if (plan === undefined) continue;
      // A block that begins within the window may end beyond it.
      const mostBytes = plan.windowBytes + 4 * (plan.blockItems + 1);
      this.must(
        itemBytes <= mostBytes,
        'G29',
        () => `${plan.name} holds ${itemBytes} bytes of items, ${mostBytes} are allowed`,
        { job: plan.name },
      );
    }
    this.must(
      coordinator.heldBytes <= boundBytes,
      'G29',
      () => `the coordinator holds ${coordinator.heldBytes} bytes, its windows allow ${boundBytes}`,
    );
  }

  /** Nobody waits without a reason. */
  inspectWaiting(coordinator: CoordinatorHost): void {
    for (const job of coordinator.snapshot().scheduler.jobs) {
      const isWaiting = job.running === 0 && job.delivered < job.pushed;
      this.must(
        !isWaiting || job.waitingReason !== undefined,
        'G20',
        () => `${job.job} has ${job.queued} items that wait, and nothing says why`,
        { job: this.#planOf(job.job)?.name ?? job.job },
      );
    }
  }

  /** A core that says itself that it is broken. */
  structure(check: () => void): void {
    this.#structure(check);
  }

  #structure(check: () => void): void {
    try {
      check();
    } catch (error) {
      throw new Violation('structure', error instanceof Error ? error.message : String(error), {});
    }
  }

  // -- clients ---------------------------------------------------------------------------------------------------

  cancelAsked(name: string): void {
    this.#bookOf(name).cancelAskedAtMs ??= this.#world.clock.nowMs;
  }

  createdAgain(job: ClientJob, id: string): void {
    this.must(
      job.id === undefined || job.id === id || this.#world.restarts > 0,
      'G21',
      () => `${job.plan.name} was created as ${job.id} and as ${id}`,
      { job: job.plan.name },
    );
  }

  /** A user gets an outcome. */
  received(job: ClientJob, received: Received): void {
    const { plan } = job;
    const { index } = received;
    const book = this.#bookOf(plan.name);
    const about = { job: plan.name, index };
    this.tally.outcomes += 1;
    this.must(job.fate === undefined, 'G3', () => `${plan.name}[${index}] comes after the end`, about);
    this.must(index >= 0 && index < plan.items, 'G1', () => `${plan.name} has no item ${index}`, about);
    this.must(book.got[index] === undefined, 'G3', () => `${plan.name}[${index}] came before`, about);
    book.got[index] = received;
    const due = job.received.length - 1;
    this.must(
      !plan.ordered || index === due,
      'G2',
      () => `${plan.name}[${index}] comes where [${due}] is due`,
      about,
    );
    if ('failure' in received) this.#failed(book, received.failure);
    else this.#gave(book, index, received.execution);
  }

  #gave(book: JobBook, index: number, id: number): void {
    const { plan } = book;
    const execution = this.#executions[id - 1];
    const about = {
      job: plan.name,
      index,
      ...(execution === undefined ? {} : { attempt: execution.attempt }),
    };
    this.must(execution !== undefined, 'G4', () => `no call made the value of ${plan.name}[${index}]`, about);
    if (execution === undefined) return;
    this.must(
      execution.job === plan.name && execution.index === index,
      'G4',
      () => `${plan.name}[${index}] has the value of ${execution.job}[${execution.index}]`,
      about,
    );
    this.must(
      execution.outcome === 'value',
      'G4',
      () => `the call behind ${plan.name}[${index}] ended as ${execution.outcome}`,
      about,
    );
    this.must(
      book.kept[index] === id,
      'G3',
      () => `${plan.name}[${index}] is not the value that was accepted first`,
      about,
    );
  }

  /** A failure has to be true, and used up its budget. */
  #failed(book: JobBook, failure: StoredFailure): void {
    const { plan } = book;
    const { index, kind, attempts } = failure;
    const about = { job: plan.name, index };
    this.tally.failures += 1;
    const calls = book.executionsOf(index);
    const count = (is: (execution: Execution) => boolean): number => calls.filter(is).length;
    this.must(attempts.length > 0, 'G4', () => `${plan.name}[${index}] failed, in no attempt`, about);
    switch (kind) {
      case 'thrown': {
        const threw = count(({ outcome }) => outcome === 'threw');
        const behaviour = plan.behaviours.get(index);
        const isFinal = behaviour?.kind === 'throws' && !behaviour.retryable;
        this.must(
          threw > plan.retries.thrown || (isFinal && threw > 0),
          'G7',
          () => `${plan.name}[${index}] failed after ${threw} throws; it has ${plan.retries.thrown} retries`,
          about,
        );
        const execution = this.#executions[(failure.execution ?? 0) - 1];
        this.must(
          execution?.outcome === 'threw' && execution.job === plan.name && execution.index === index,
          'G4',
          () => `the error of ${plan.name}[${index}] is another call's`,
          about,
        );
        return;
      }
      case 'crash': {
        // The first time it may have been one suspect of several; then it ran alone, and the blame is exact.
        const deaths = count(({ outcome, isUnseen }) => outcome === 'died' || isUnseen);
        this.must(
          deaths >= Math.max(1, plan.retries.crash),
          'G10',
          () => `${plan.name}[${index}] is blamed for ${attempts.length} deaths, and saw ${deaths}`,
          about,
        );
        return;
      }
      case 'timeout': {
        // A value that is on its way to the agent when the time is up comes too late.
        const limitMs = (plan.timeoutMs ?? Infinity) - 6;
        const slow = count(({ startedAtMs, endedAtMs }) => !(endedAtMs - startedAtMs < limitMs));
        this.must(
          slow > plan.retries.timeout,
          'G8',
          () => `${plan.name}[${index}] is said to have run too long; ${slow} of its calls did`,
          about,
        );
        return;
      }
      case 'lost':
        this.must(
          attempts.length > plan.retries.lost && (!this.#world.isCalm || this.#world.hasDepartures),
          'G9',
          () => `${plan.name}[${index}] was lost ${attempts.length} times of ${plan.retries.lost} allowed`,
          about,
        );
        return;
    }
  }

  /** A job is over for its user. */
  finished(job: ClientJob, fate: JobFate): void {
    const { plan, received } = job;
    const book = this.#bookOf(plan.name);
    const about = { job: plan.name };
    if (fate.kind === 'lost') {
      const mayBe = this.#world.mayLose(plan.client);
      this.must(
        mayBe,
        'G1',
        () => `${plan.name} is lost to its client, and no fault explains it (${fate.why})`,
        about,
      );
      return;
    }
    if (fate.kind === 'left') return;
    this.must(
      fate.state === book.state,
      'G1',
      () => `${plan.name} ended as ${book.state}, its client hears ${fate.state}`,
      about,
    );
    if (fate.state === 'completed') {
      this.must(
        !plan.failFast || received.every((each) => !('failure' in each)),
        'structure',
        () => `${plan.name} is to stop at its first failure, and is complete with failures`,
        about,
      );
      this.must(
        received.length === plan.items,
        'G1',
        () => `${plan.name} is complete with ${received.length} of ${plan.items} outcomes`,
        about,
      );
    }
    if (fate.state === 'cancelled') {
      this.must(
        book.cancelAskedAtMs !== undefined || this.#world.mayLose(plan.client),
        'G25',
        () => `${plan.name} was cancelled, and nobody asked for it`,
        about,
      );
    }
    if (fate.state === 'completed' || fate.state === 'failedFast') return;
    this.must(
      fate.state !== 'cancelled' || plan.code === 'works' || book.cancelAskedAtMs !== undefined,
      'G20',
      () => `${plan.name} cannot run, and was not told so`,
      about,
    );
  }

  /** All is over: the sums have to be right. */
  checkSums(): void {
    for (const book of this.#books.values()) this.#checkCalls(book);
  }

  #checkCalls(book: JobBook): void {
    const { plan } = book;
    const { thrown, crash, timeout, lost } = plan.retries;
    // Where nothing can be lost, nothing is run again for it.
    const losses = this.#world.isCalm && !this.#world.hasDepartures ? 0 : lost;
    const most = 1 + thrown + crash + timeout + losses + Number(plan.pure);
    let extra = 0;
    let worst = 0;
    for (let index = 0; index < plan.items; index += 1) {
      const calls = book.executionsOf(index).length;
      const free = book.givenBack[index] ?? 0;
      this.must(
        calls <= most + free || (plan.concurrentTasks > 1 && !runsOnce(plan)),
        runsOnce(plan) ? 'G5' : 'G6',
        () => `${plan.name}[${index}] was called ${calls} times, at most ${most} are allowed`,
        { job: plan.name, index },
      );
      extra += Math.max(0, calls - 1 - free);
      if (calls > book.executionsOf(worst).length) worst = index;
    }
    // Whoever runs something again has said so and charged it to somebody.
    this.must(
      extra <= book.retried || plan.concurrentTasks > 1 || plan.pure,
      'G6',
      () => `${plan.name}: ${extra} calls were repeated, ${book.retried} are accounted for`,
      { job: plan.name, index: worst },
    );
  }

  #leaseNowMs(): number {
    return this.#world.coordinator.host.now() - this.#stalledMs;
  }

  #planOf(id: string): JobPlan | undefined {
    return this.#books.get(id.slice(0, id.indexOf('@')))?.plan;
  }

  #bookOf(name: string): JobBook {
    const book = this.#books.get(name);
    if (book === undefined) throw new Error(`there is no job ${name}`);
    return book;
  }
}
