import type { Bearing, Link, MessageFate, Way } from './network.ts';
import { Random } from './random.ts';
import type { FaultPlan } from './scenario.ts';
import type { World } from './world.ts';

/** What went wrong, by kind. */
export type FaultCounts = Readonly<Record<string, number>>;

const passes: MessageFate = { kind: 'passes' };
const dropped: MessageFate = { kind: 'dropped' };

/** Lets go wrong what the scenario says, and counts it. */
export class FaultPlayer {
  readonly #world: World;
  readonly #random: Random;
  readonly #counts: Record<string, number> = {};
  readonly #links = new Map<string, Link>();
  #isOver = false;

  constructor(world: World) {
    this.#world = world;
    this.#random = new Random(world.scenario.seed, 'faults');
  }

  get counts(): FaultCounts {
    return this.#counts;
  }

  get total(): number {
    return Object.values(this.#counts).reduce((sum, count) => sum + count, 0);
  }

  begin(): void {
    const { agents, clients, clock, scenario } = this.#world;
    for (const { link } of [...agents, ...clients]) this.#links.set(link.name, link);
    if (scenario.faults.some(({ kind }) => kind === 'clockJump')) {
      for (const { host } of [...agents, ...clients, this.#world.coordinator]) host.mayJump();
    }
    for (const fault of scenario.faults) clock.at(fault.atMs, () => this.#play(fault));
  }

  /** All is well from now on: what is broken is mended, who is gone for a while comes back. */
  end(): void {
    const { agents, coordinator, network, scenario } = this.#world;
    this.#isOver = true;
    for (const link of this.#links.values()) network.heal(link);
    if (!coordinator.host.isAlive) this.#restart();
    this.#replacePast();
    coordinator.goOn();
    for (const agent of agents) {
      agent.host.thaw();
      const isGone = !agent.host.isAlive && this.#isAwaited(agent.plan.name);
      if (isGone && agent.plan.startsAtMs <= scenario.chaosMs) this.#start(agent.plan.name);
      coordinator.drain(agent.plan.name, false);
    }
  }

  /** What becomes of one message. */
  fateOf(_link: Link, _way: Way, bearing: Bearing): MessageFate {
    const { delay, drop, duplicate, lateMs, overtake } = this.#world.scenario.wire;
    if (this.#isOver || drop + duplicate + delay + overtake === 0) return passes;
    const random = this.#random;
    let draw = random.next();
    // A stream delivers all or breaks. Breaks are rarer than losses were, or nobody would get anything done.
    const isLoose = bearing === 'loose';
    const drops = isLoose ? drop : drop / 8;
    if (draw < drops) return this.#fate(dropped, isLoose ? 'message lost' : 'stream broken');
    draw -= drops;
    if (draw < delay) {
      return this.#fate({ kind: 'delayed', byMs: random.skewed(1, lateMs) }, 'message delayed');
    }
    draw -= delay;
    if (bearing === 'strict') return passes;
    if (draw < duplicate) {
      return this.#fate({ kind: 'duplicated', afterMs: random.skewed(1, lateMs) }, 'message doubled');
    }
    draw -= duplicate;
    if (draw >= overtake || !isLoose) return passes;
    return this.#fate({ kind: 'overtaken', byMs: random.skewed(1, lateMs) }, 'message overtaken');
  }

  #fate(fate: MessageFate, what: string): MessageFate {
    this.#count(what);
    return fate;
  }

  #count(what: string): void {
    this.#counts[what] = (this.#counts[what] ?? 0) + 1;
  }

  #play(fault: FaultPlan): void {
    const { agents, clients, clock, coordinator, network } = this.#world;
    switch (fault.kind) {
      case 'partition': {
        const link = this.#links.get(fault.link);
        if (link === undefined) return;
        this.#went(
          `${fault.link}: nothing gets through (${fault.ways}) for ${fault.ms} ms`,
          `partition, ${fault.ways}`,
        );
        if (fault.ways !== 'down') network.block(link, 'up');
        if (fault.ways !== 'up') network.block(link, 'down');
        clock.after(fault.ms, () => network.heal(link));
        return;
      }
      case 'reset': {
        const link = this.#links.get(fault.link);
        if (link === undefined) return;
        this.#went(`${fault.link}: its streams break`, 'streams of a link broken');
        network.resetStreams(link);
        return;
      }
      case 'agentCrash': {
        const agent = agents.find(({ plan }) => plan.name === fault.agent);
        if (agent === undefined || !agent.host.isAlive) return;
        this.#went(`${fault.agent}: killed${fault.silent ? ', machine and all' : ''}`, 'agent killed');
        agent.crash(fault.silent);
        this.#comeBack(fault.agent, fault.backAfterMs);
        return;
      }
      case 'agentStall': {
        const agent = agents.find(({ plan }) => plan.name === fault.agent);
        if (agent === undefined || agent.host.isFrozen || !agent.host.isAlive) return;
        this.#went(`${fault.agent}: stands still for ${fault.ms} ms`, 'agent stopped for a while');
        agent.host.freeze();
        clock.after(fault.ms, () => agent.host.thaw(() => {}, fault.clockStops ? fault.ms : 0));
        return;
      }
      case 'agentDrain': {
        const agent = agents.find(({ plan }) => plan.name === fault.agent);
        if (agent === undefined || !agent.host.isAlive) return;
        this.#went(`${fault.agent}: SIGTERM`, 'agent told to stop');
        agent.stop(true);
        this.#comeBack(fault.agent, fault.backAfterMs);
        return;
      }
      case 'operatorDrain':
        this.#went(`${fault.agent}: an operator drains it`, 'agent drained by an operator');
        coordinator.drain(fault.agent, true);
        clock.after(fault.resumeAfterMs, () => coordinator.drain(fault.agent, false));
        return;
      case 'childKill': {
        const agent = agents.find(({ plan }) => plan.name === fault.agent);
        if (agent?.children.killOne(fault.which)) {
          this.#went(`${fault.agent}: one of its children is killed`, 'child killed');
        }
        return;
      }
      case 'coordinatorStall':
        if (coordinator.host.isFrozen || !coordinator.host.isAlive) return;
        this.#went(`coordinator: stands still for ${fault.ms} ms`, 'coordinator stopped for a while');
        coordinator.stall();
        clock.after(fault.ms, () => coordinator.goOn());
        return;
      case 'coordinatorRestart':
        if (!coordinator.host.isAlive) return;
        this.#went(`coordinator: killed`, 'coordinator killed');
        coordinator.goOn();
        coordinator.crash();
        this.#world.restarts += 1;
        clock.after(fault.backAfterMs, () => {
          if (coordinator.host.isAlive || this.#isOver) return;
          this.#restart(fault.pastMs !== undefined);
          if (fault.pastMs === undefined) return;
          this.#count('coordinator of an earlier epoch');
          clock.after(fault.pastMs, () => this.#replacePast());
        });
        return;
      case 'clientGone': {
        const client = clients.find(({ plan }) => plan.name === fault.client);
        if (client === undefined || !client.host.isAlive) return;
        this.#went(`${fault.client}: gone for good${fault.silent ? ', machine and all' : ''}`, 'client gone');
        client.crash(fault.silent);
        return;
      }
      case 'clientReplaced': {
        const client = clients.find(({ plan }) => plan.name === fault.client);
        if (client === undefined || !client.host.isAlive) return;
        const { afterMs, from, livesOn } = fault;
        this.#went(
          `${fault.client}: another process takes over in ${afterMs} ms, from its ${from}${livesOn ? '; the first one does not know' : ''}`,
          'client replaced',
        );
        client.replace({ afterMs, from, livesOn });
        return;
      }
      case 'agentResized': {
        const agent = agents.find(({ plan }) => plan.name === fault.agent);
        if (agent === undefined || !agent.host.isAlive || agent.host.isFrozen) return;
        this.#went(`${fault.agent}: ${fault.slots} processes from now on`, 'processes of an agent changed');
        agent.resize(fault.slots);
        return;
      }
      case 'clockJump': {
        const { ms } = fault;
        const host =
          agents.find(({ plan }) => plan.name === fault.host)?.host ??
          clients.find(({ plan }) => plan.name === fault.host)?.host;
        this.#went(`${fault.host}: its clock jumps ahead by ${ms} ms`, 'clock jumped');
        if (host === undefined) coordinator.clockJumps(ms);
        else host.jump(ms);
        return;
      }
    }
  }

  #went(what: string, kind: string): void {
    this.#count(kind);
    this.#world.went(what);
  }

  readonly #goneForGood = new Set<string>();

  #isAwaited(agent: string): boolean {
    return !this.#goneForGood.has(agent);
  }

  #comeBack(agent: string, afterMs: number | undefined): void {
    if (afterMs === undefined) this.#goneForGood.add(agent);
    else this.#world.clock.after(afterMs, () => this.#startOnce(agent));
  }

  /** A supervisor starts the next process when the last one has ended, which may take its time. */
  #startOnce(name: string): void {
    const agent = this.#world.agents.find(({ plan }) => plan.name === name);
    if (agent?.host.isAlive) this.#world.clock.after(500, () => this.#startOnce(name));
    else this.#start(name);
  }

  #start(name: string): void {
    const agent = this.#world.agents.find(({ plan }) => plan.name === name);
    if (agent === undefined || agent.host.isAlive) return;
    this.#world.went(`${name}: a new process starts`);
    agent.start();
  }

  /** The one of an earlier epoch makes way. */
  #replacePast(): void {
    const { coordinator } = this.#world;
    if (!coordinator.isPast) return;
    coordinator.goOn();
    coordinator.crash();
    this.#world.restarts += 1;
    this.#restart();
  }

  #restart(isPast = false): void {
    const { coordinator } = this.#world;
    if (coordinator.host.isAlive) return;
    this.#world.oracle.coordinatorRestarted();
    coordinator.restart(isPast);
    this.#world.went(`coordinator: a new one starts, epoch ${coordinator.epoch}`);
  }
}
