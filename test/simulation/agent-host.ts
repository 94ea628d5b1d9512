import { type AgentCommand, type AgentEvent, AgentMachine, type WorkEvent } from '@shoal/node-agent/core';
import { type PoolCommand, type PoolEvent, PoolMachine } from '@shoal/pool/core';
import { ChildHost, type ChunkWork, type InHand, type Untimed } from './child-host.ts';
import type { Due } from './clock.ts';
import { Host } from './host.ts';
import type { Bytes, ControlDown, ControlUp, DataDown, DataUp, Handover, News } from './messages.ts';
import { type Link, Link as NetworkLink, type Stream } from './network.ts';
import { type AgentPlan, runsOnce } from './scenario.ts';
import { must } from './violation.ts';
import type { World } from './world.ts';

type AgentHappening = AgentEvent extends infer E ? (E extends AgentEvent ? Untimed<E> : never) : never;
type PoolHappening = PoolEvent extends infer E ? (E extends PoolEvent ? Untimed<E> : never) : never;
type StartChunk = Extract<AgentCommand, { readonly type: 'startChunk' }>;

/** Bundles are on disk after so long. */
const prepareMs = 8;

/** One session's streams. */
interface Connection {
  readonly control: Stream<ControlUp, ControlDown>;
  data: Stream<DataUp, DataDown> | undefined;
}

/**
 * A machine with an agent on it: the production agent core and the production pool core, under drivers as plain as
 * the real ones. It decides nothing.
 */
export class AgentHost {
  readonly plan: AgentPlan;
  readonly host: Host;
  readonly link: Link;
  readonly children: ChildHost;
  readonly #world: World;
  #machine: AgentMachine;
  #pool: PoolMachine;
  #connections = new Map<number, Connection>();
  #handovers = new Map<number, Handover>();
  /** The one in hand. */
  #incoming: Handover | undefined;
  #chunks = new Map<number, ChunkWork>();
  #news = new Map<number, News>();
  #agentEvents: { event: AgentHappening; inHand: News | undefined }[] = [];
  #isStepping = false;
  #agentTimer: Due | undefined;
  #poolTimer: Due | undefined;
  #lives = 0;
  /** When the last message was sent that a coordinator has answered, on its own clock: what the fence goes by. */
  provenAtMs = Number.NEGATIVE_INFINITY;
  fenceMs = 8_000;
  epochSeen = 0;
  readonly #sentAtMs = new Map<string, number>();
  readonly #aborted = new Set<number>();
  /** It said that it ends, and why. */
  endedWith: string | undefined;
  hasEnded = false;
  isDraining = false;

  constructor(plan: AgentPlan, world: World) {
    this.plan = plan;
    this.#world = world;
    this.host = new Host(plan.name, world.clock, plan.clockOffsetMs);
    this.host.isAlive = false;
    this.link = new NetworkLink(plan.name, plan.latencyMs);
    this.children = new ChildHost(world.childWorldOf(this), plan.slowness, (event, inHand) =>
      this.host.do(() => this.#poolStep(event as PoolHappening, inHand)),
    );
    this.#machine = this.#newMachine();
    this.#pool = new PoolMachine(plan.slots);
  }

  /** What it holds, as it would tell in a heartbeat; for the leak check. */
  get snapshot(): ReturnType<AgentMachine['snapshot']> {
    return this.#machine.snapshot();
  }

  get poolSnapshot(): ReturnType<PoolMachine['snapshot']> {
    return this.#pool.snapshot();
  }

  get joinsAs(): string {
    return this.plan.joinsAs ?? this.plan.name;
  }

  /** Attempts whose chunks the pool has and nobody has taken back. */
  get wantedAttempts(): number[] {
    return [...this.#chunks.values()]
      .filter(({ chunk }) => !this.#aborted.has(chunk))
      .map(({ attempt }) => attempt);
  }

  /** Chunks that the pool has. */
  get chunksHeld(): number {
    return this.#chunks.size;
  }

  check(): void {
    this.#machine.check();
  }

  /** A process begins. */
  start(): void {
    this.host.revive();
    this.#lives += 1;
    this.#machine = this.#newMachine();
    this.#pool = new PoolMachine(this.plan.slots);
    this.hasEnded = false;
    this.endedWith = undefined;
    this.isDraining = false;
    this.epochSeen = 0;
    this.provenAtMs = Number.NEGATIVE_INFINITY;
    this.#sentAtMs.clear();
    this.#step({ type: 'started' });
  }

  /** Its process is gone; `silent`: and with it the machine, so that nobody closes its connections. */
  crash(silent: boolean): void {
    this.host.die();
    this.children.killAll();
    for (const { control, data } of this.#connections.values()) {
      for (const stream of [control, data]) {
        if (silent) stream?.forgetNear();
        else stream?.closeNear();
      }
    }
    this.#connections = new Map();
    this.#handovers = new Map();
    this.#chunks = new Map();
    this.#news = new Map();
    this.#agentEvents = [];
    this.#isStepping = false;
    this.#agentTimer = undefined;
    this.#poolTimer = undefined;
  }

  /** SIGTERM. */
  stop(drain: boolean): void {
    this.host.do(() => {
      this.isDraining = true;
      this.#step({ type: 'stopRequested', drain });
    });
  }

  #newMachine(): AgentMachine {
    const { name } = this.plan;
    return new AgentMachine({
      instance: `${name}#${this.#lives}`,
      seed: this.#world.scenario.seed + 31 * this.#lives + name.length * 7 + Number(name.split('-')[1] ?? 0),
      limits: { messageBytes: 64, outboxBytes: 4_096 },
    });
  }

  // -- the agent's core ------------------------------------------------------------------------------------------

  #step(event: AgentHappening, inHand?: News): void {
    this.#agentEvents.push({ event, inHand });
    if (this.#isStepping) return;
    this.#isStepping = true;
    const { life } = this.host;
    for (let next = this.#agentEvents.shift(); next !== undefined; next = this.#agentEvents.shift()) {
      const stamped = { ...next.event, atMs: this.host.now() } as AgentEvent;
      this.#world.saw(this.plan.name, stamped.type, stamped);
      for (const command of this.#machine.step(stamped)) {
        this.#world.ordered(this.plan.name, command);
        this.#carryOut(command, next.inHand);
        if (this.host.life !== life) return;
      }
    }
    this.#isStepping = false;
    this.#arm();
  }

  #arm(): void {
    const dueMs = this.#machine.nextDeadlineMs();
    if (this.#agentTimer !== undefined && !this.#agentTimer.cancelled && dueMs === this.#agentDueMs) return;
    if (this.#agentTimer !== undefined) this.#agentTimer.cancelled = true;
    this.#agentTimer = undefined;
    this.#agentDueMs = dueMs;
    if (dueMs === undefined) return;
    this.#agentTimer = this.host.at(dueMs, () => {
      this.#agentTimer = undefined;
      this.#agentDueMs = undefined;
      this.#step({ type: 'clockTicked' });
    });
  }

  #agentDueMs: number | undefined;

  #carryOut(command: AgentCommand, inHand: News | undefined): void {
    switch (command.type) {
      case 'dial':
        this.#dial(command.link);
        return;
      case 'join': {
        const { instance, held, epochSeen } = command;
        const { slots, labels } = this.plan;
        const agent = this.joinsAs;
        this.#sentAtMs.set(`${command.link}/join`, this.host.now());
        this.#control(command.link)?.sendUp({
          kind: 'join',
          agent,
          instance,
          slots,
          labels,
          held,
          epochSeen,
        });
        return;
      }
      case 'sendHeartbeat':
        this.#world.oracle.leases.heartbeatSent(this, command.held);
        this.#sentAtMs.set(`${command.link}/${command.sequence}`, this.host.now());
        this.#control(command.link)?.sendUp({
          kind: 'heartbeat',
          sequence: command.sequence,
          held: command.held,
        });
        return;
      case 'announceDrain':
        this.#control(command.link)?.sendUp({ kind: 'draining' });
        return;
      case 'openData':
        this.#openData(command);
        return;
      case 'requestSend':
        this.host.after(0, () => this.#step({ type: 'sendGranted', link: command.link }));
        return;
      case 'sendBatch':
        this.#sendBatch(command);
        return;
      case 'finishData':
        this.#connections.get(command.link)?.data?.sendUp({ kind: 'end' }, 'strict');
        return;
      case 'leave': {
        const control = this.#control(command.link);
        control?.sendUp({ kind: 'leaving' }, 'strict');
        return;
      }
      case 'closeLink':
        this.#close(command.link);
        return;
      case 'prepareSetup': {
        const { setup } = command;
        this.host.after(prepareMs, () => {
          if (this.#world.bundleFails()) this.#step({ type: 'setupFailed', setup, retryable: true });
          else this.#step({ type: 'setupPrepared', setup });
        });
        return;
      }
      case 'keepWork':
        if (this.#incoming !== undefined) this.#handovers.set(command.attempt, this.#incoming);
        return;
      case 'dropWork':
        this.#handovers.delete(command.attempt);
        return;
      case 'startChunk':
        this.#startChunk(command);
        return;
      case 'abortChunk':
        this.#aborted.add(command.chunk);
        this.#poolStep({ type: 'abortRequested', chunk: command.chunk, graceMs: command.graceMs });
        return;
      case 'pauseChildren':
        this.children.pause(true);
        return;
      case 'resumeChildren':
        this.children.pause(false);
        return;
      case 'keepNews':
        this.#news.set(
          command.entry,
          command.content === 'inHand' && inHand !== undefined ? inHand : returnedOr(command.content),
        );
        return;
      case 'dropNews':
        for (const entry of command.entries) this.#news.delete(entry);
        return;
      case 'end':
        this.#ended(command.code);
        return;
      case 'holdStarts':
        this.#poolStep({ type: 'startsHeld', held: true });
        return;
      case 'allowStarts':
        this.#poolStep({ type: 'startsHeld', held: false });
        return;
      case 'releaseSetup':
      case 'note':
        return;
      default:
        command satisfies never;
    }
  }

  /** Whether a coordinator has taken it in, as far as it knows. */
  get hasSession(): boolean {
    return this.#machine.snapshot().state === 'open';
  }

  /** Attempts that are not over for the coordinator. */
  get attemptsHeld(): number {
    return this.#machine.snapshot().attempts.length;
  }

  /** Bytes that wait for the coordinator. */
  get newsHeld(): number {
    return this.#news.size;
  }

  #ended(code: string | undefined): void {
    this.hasEnded = true;
    this.endedWith = code;
    this.#world.oracle.leases.agentEnded(this, code);
    this.crash(false);
  }

  // -- connections -----------------------------------------------------------------------------------------------

  #control(link: number): Stream<ControlUp, ControlDown> | undefined {
    return this.#connections.get(link)?.control;
  }

  #dial(link: number): void {
    const { network, coordinator } = this.#world;
    const control = network.open<ControlUp, ControlDown>(
      this.link,
      {
        host: this.host,
        received: (message) => this.#told(link, message),
        closed: () => this.#lost(link, 'CONNECTION_LOST'),
      },
      coordinator.agents,
      'loose',
    );
    this.#connections.set(link, { control, data: undefined });
  }

  #told(link: number, message: ControlDown): void {
    switch (message.kind) {
      case 'joined': {
        const { kind: _, ...joined } = message;
        if (message.epoch >= this.epochSeen) {
          this.epochSeen = message.epoch;
          this.#proven(`${link}/join`, message);
        }
        this.#step({ type: 'joined', link, ...joined });
        return;
      }
      case 'refused':
        this.#lost(link, message.code);
        return;
      case 'heartbeatAnswer': {
        const { kind: _, ...answer } = message;
        this.#proven(`${link}/${message.sequence}`, message);
        this.#step({ type: 'heartbeatAnswered', link, ...answer });
        return;
      }
      case 'revoke':
        this.#step({ type: 'attemptRevoked', link, attempt: message.attempt });
        return;
      case 'sessionEnded':
        this.#step({ type: 'sessionEnded', link, reason: message.reason });
        return;
    }
  }

  #proven(what: string, { heartbeatMs, leaseMs }: { heartbeatMs: number; leaseMs: number }): void {
    this.provenAtMs = Math.max(this.provenAtMs, this.#sentAtMs.get(what) ?? this.provenAtMs);
    this.#sentAtMs.delete(what);
    this.fenceMs = Math.max(8_000, leaseMs - heartbeatMs);
  }

  #lost(link: number, code: string): void {
    if (!this.#connections.has(link)) return;
    this.#close(link);
    this.#step({ type: 'linkLost', link, code });
  }

  #close(link: number): void {
    const connection = this.#connections.get(link);
    this.#connections.delete(link);
    connection?.control.closeNear();
    connection?.data?.closeNear();
  }

  #openData({ link, session, epoch }: Extract<AgentCommand, { type: 'openData' }>): void {
    const connection = this.#connections.get(link);
    if (connection === undefined) return;
    const data = this.#world.network.open<DataUp, DataDown>(
      this.link,
      {
        host: this.host,
        received: (message) => this.#handed(link, message),
        closed: () => this.#lost(link, 'CONNECTION_LOST'),
      },
      this.#world.coordinator.data,
      'loose',
    );
    connection.data = data;
    data.sendUp({ kind: 'hello', session, epoch });
  }

  /** What came on the data stream, field by field in its order. */
  #handed(link: number, message: DataDown): void {
    if (message.kind === 'end') {
      this.#step({ type: 'dataFinished', link });
      return;
    }
    const { taken, setups, handovers, forgotten } = message;
    if (taken > 0) this.#step({ type: 'batchesTaken', link, sequence: taken });
    for (const job of setups) this.#step({ type: 'jobAnnounced', link, job });
    for (const handover of handovers) {
      const { blocks: _, ...dispatch } = handover;
      this.#incoming = handover;
      this.#step({ type: 'attemptDispatched', link, ...dispatch });
    }
    for (const job of forgotten) this.#step({ type: 'jobForgotten', link, job });
  }

  #sendBatch({ link, sequence, pieces }: Extract<AgentCommand, { type: 'sendBatch' }>): void {
    const data = this.#connections.get(link)?.data;
    const reports = pieces.flatMap(({ entry, attempt, fromByte, toByte, more }) => {
      const news = this.#news.get(entry);
      return news === undefined ? [] : [{ attempt, news, fromByte, toByte, more }];
    });
    must(
      reports.length === pieces.length,
      'structure',
      () => `${this.plan.name} sends news that it has dropped`,
    );
    // Half a run that is lost alone would leave its other half: no stream does that.
    const isWhole = pieces.every(({ fromByte, more }) => fromByte === 0 && !more);
    data?.sendUp({ kind: 'batch', sequence, reports }, isWhole ? 'ordered' : 'strict');
  }

  // -- the process pool ------------------------------------------------------------------------------------------

  #startChunk(command: StartChunk): void {
    const { chunk, attempt, job: jobId, marksStarts } = command;
    const handover = this.#handovers.get(attempt);
    const job = this.#world.jobOf(jobId);
    if (handover === undefined || job === undefined) {
      this.#step({ type: 'chunkRefused', chunk, retryable: true });
      return;
    }
    const epoch = this.epochSeen;
    this.#world.oracle.attempts.started(this, { ...command, epoch });
    this.#handovers.delete(attempt);
    const work: ChunkWork = {
      chunk,
      attempt,
      epoch,
      job,
      argumentOf: (index) => argumentIn(handover.blocks, index),
      marksStarts: marksStarts || job.timeoutMs !== undefined || job.concurrentTasks > 1,
      maxTasksPerChild: job.maxTasksPerChild ?? Number.POSITIVE_INFINITY,
    };
    this.#chunks.set(chunk, work);
    this.#poolStep({
      type: 'chunkQueued',
      chunk,
      // Whoever has another initializer has other children.
      key: job.code === 'initializerThrows' ? job.name : job.group,
      task: job.name,
      first: command.first,
      count: command.count,
      marksStarts: work.marksStarts,
      concurrentTasks: job.concurrentTasks,
      ...(runsOnce(job) ? { runsOnce: true } : {}),
      ...(job.timeoutMs === undefined ? {} : { timeoutMs: job.timeoutMs }),
      ...(job.maxTasksPerChild === undefined ? {} : { maxTasksPerChild: job.maxTasksPerChild }),
    });
  }

  #poolEvents: { event: PoolHappening; inHand: InHand }[] = [];
  #isPooling = false;

  #poolStep(event: PoolHappening, inHand?: InHand): void {
    this.#poolEvents.push({ event, inHand });
    if (this.#isPooling) return;
    this.#isPooling = true;
    const { life } = this.host;
    for (let next = this.#poolEvents.shift(); next !== undefined; next = this.#poolEvents.shift()) {
      const stamped = { ...next.event, atMs: this.host.now() } as PoolEvent;
      for (const command of this.#pool.step(stamped)) {
        this.#poolCarryOut(command, stamped, next.inHand);
        if (this.host.life !== life) break;
      }
      if (this.host.life !== life) break;
    }
    this.#isPooling = false;
    if (this.host.life !== life) {
      this.#poolEvents = [];
      return;
    }
    const dueMs = this.#pool.nextDeadlineMs();
    if (this.#poolTimer !== undefined) this.#poolTimer.cancelled = true;
    this.#poolTimer =
      dueMs === undefined ? undefined : this.host.at(dueMs, () => this.#poolStep({ type: 'clockTicked' }));
  }

  #poolCarryOut(command: PoolCommand, event: PoolEvent, inHand: InHand): void {
    switch (command.type) {
      case 'spawnChild': {
        const work = command.chunk === undefined ? undefined : this.#chunks.get(command.chunk);
        if (work !== undefined) this.children.spawn(command.child, work.job);
        return;
      }
      case 'runPart': {
        const work = this.#chunks.get(command.chunk);
        if (work !== undefined) this.children.run(command, work);
        return;
      }
      case 'abortPart':
        this.children.abort(command);
        return;
      case 'stopChild':
        this.children.stop(command.child);
        return;
      case 'retireChild':
        this.children.retire(command.child);
        return;
      case 'killChild':
        this.children.kill(command.child);
        return;
      case 'acceptValues':
        if (event.type === 'itemsSucceeded' && inHand !== undefined && 'values' in inHand) {
          const { chunk, first, count, runMs } = event;
          const bytes = new Uint8Array(Uint32Array.from(inHand.values).buffer);
          this.#step(
            { type: 'itemsSucceeded', chunk, first, count, bytes: bytes.byteLength },
            { kind: 'run', first, count, bytes, runMs, pid: 1000 + event.child },
          );
        }
        return;
      case 'acceptFailure':
        if (event.type === 'itemFailed' && inHand !== undefined && 'tried' in inHand) {
          const { chunk, index } = event;
          const { tried } = inHand;
          this.#step(
            { type: 'itemFailed', chunk, index, bytes: 64 },
            { kind: 'failure', tried, fact: { pid: tried.pid } },
          );
        }
        return;
      case 'endChunk':
        this.#chunkEnded(command);
        return;
    }
  }

  #chunkEnded({ chunk, ending }: Extract<PoolCommand, { type: 'endChunk' }>): void {
    const work = this.#chunks.get(chunk);
    this.#chunks.delete(chunk);
    this.#aborted.delete(chunk);
    if (work === undefined) return;
    if (ending.kind === 'timedOut') {
      const pid = ending.exit.pid ?? 0;
      const tried = {
        index: ending.index,
        kind: 'timeout',
        retryable: true,
        pid,
        execution: this.#world.oracle.executions.lastExecutionOf(work.job.name, ending.index),
      } as const;
      const event: Untimed<Extract<WorkEvent, { type: 'itemFailed' }>> = {
        type: 'itemFailed',
        chunk,
        index: ending.index,
        bytes: 64,
      };
      this.#step(event, { kind: 'failure', tried, fact: { pid, ms: ending.ms } });
    }
    this.#step({ type: 'chunkEnded', chunk }, endingNews(ending));
  }
}

function endingNews(ending: Extract<PoolCommand, { type: 'endChunk' }>['ending']): News {
  switch (ending.kind) {
    case 'finished':
      return { kind: 'ended', ending: { kind: 'finished' } };
    case 'childDied': {
      const { exit, ms, suspects } = ending;
      const attempt = {
        pid: exit.pid ?? 0,
        ms,
        ...(exit.signal === undefined ? {} : { signal: exit.signal }),
        ...(exit.exitCode === undefined ? {} : { exitCode: exit.exitCode }),
      };
      return { kind: 'ended', ending: { kind: 'childDied', death: { attempt }, suspects } };
    }
    case 'timedOut':
    case 'aborted':
      return { kind: 'ended', ending: { kind: 'returned', started: ending.started ?? [] } };
    case 'taskFailed':
    case 'initializerFailed':
      return { kind: 'ended', ending: { kind: 'unrunnable' } };
  }
}

function returnedOr(content: 'inHand' | 'returned' | 'setupFailure'): News {
  return { kind: 'ended', ending: { kind: content === 'setupFailure' ? 'unrunnable' : 'returned' } };
}

/** What the child finds where the argument of an item is: blocks hold a job's number and the index, four bytes each. */
function argumentIn(blocks: readonly Bytes[], index: number): { job: string; index: number } {
  const block = blocks.find(({ first, count }) => index >= first && index < first + count);
  if (block === undefined) return { job: 'none', index: -1 };
  const words = new Uint32Array(block.bytes.buffer);
  return { job: `job-${words[0]}`, index: words[1 + index - block.first] ?? -1 };
}
