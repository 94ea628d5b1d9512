import type { AgentCommand, AgentMachine } from '@shoal/node-agent/core';
import type { PoolMachine } from '@shoal/pool/core';
import { ownPeer } from '../../../libs/protocol/src/version.ts';
import type { ChildHost } from '../child-host.ts';
import { Host } from '../host.ts';
import type { News } from '../messages.ts';
import { Link } from '../network.ts';
import type { AgentPlan } from '../scenario.ts';
import type { World } from '../world.ts';
import { Connections } from './connections.ts';
import { AgentCore } from './core.ts';
import { Handovers } from './handovers.ts';
import { NewsShelf } from './news.ts';
import { ProcessPool } from './process-pool.ts';
import { Proof } from './proof.ts';

/** Bundles are on disk after so long. */
const prepareMs = 8;

/**
 * A machine with an agent on it: the production agent core and the production pool core, under drivers as plain as
 * the real ones. It decides nothing.
 */
export class AgentHost {
  readonly plan: AgentPlan;
  readonly host: Host;
  readonly link: Link;
  readonly #world: World;
  readonly #core: AgentCore;
  readonly #connections: Connections;
  readonly #handovers: Handovers = new Handovers();
  readonly #news: NewsShelf = new NewsShelf();
  readonly #pool: ProcessPool;
  readonly #proof: Proof;
  /** It said that it ends, and why. */
  endedWith: string | undefined;
  /** How many processes it may have now. */
  slots: number;
  hasEnded = false;
  isDraining = false;

  constructor(plan: AgentPlan, world: World) {
    const { clockOffsetMs, latencyMs, name } = plan;
    const host = new Host(name, world.clock, clockOffsetMs);
    host.isAlive = false;
    this.plan = plan;
    this.slots = plan.slots;
    this.#world = world;
    this.host = host;
    this.link = new Link(name, latencyMs);
    this.#proof = new Proof(
      () => host.now(),
      () => world.oracle.executions.silenceEnds(this),
    );
    this.#core = new AgentCore(host, world, (command, inHand) => this.#carryOut(command, inHand));
    this.#pool = new ProcessPool(this, world, this.#core, this.#handovers);
    this.#connections = new Connections(world, {
      host,
      link: this.link,
      core: this.#core,
      handovers: this.#handovers,
      news: this.#news,
      proof: this.#proof,
    });
  }

  get children(): ChildHost {
    return this.#pool.children;
  }

  /** What it holds, as it would tell in a heartbeat; for the leak check. */
  get snapshot(): ReturnType<AgentMachine['snapshot']> {
    return this.#core.machine.snapshot();
  }

  get poolSnapshot(): ReturnType<PoolMachine['snapshot']> {
    return this.#pool.snapshot;
  }

  get joinsAs(): string {
    return this.plan.joinsAs ?? this.plan.name;
  }

  /** When the last message was sent that a coordinator has answered, on its own clock: what the fence goes by. */
  get provenAtMs(): number {
    return this.#proof.atMs;
  }

  get fenceMs(): number {
    return this.#proof.fenceMs;
  }

  get abandonMs(): number {
    return this.#proof.abandonMs;
  }

  get epochSeen(): number {
    return this.#proof.epochSeen;
  }

  /** Attempts whose chunks the pool has and nobody has taken back. */
  get wantedAttempts(): number[] {
    return this.#pool.wantedAttempts;
  }

  /** Chunks that the pool has. */
  get chunksHeld(): number {
    return this.#pool.size;
  }

  /** Whether a coordinator has taken it in, as far as it knows. */
  get hasSession(): boolean {
    return this.snapshot.state === 'open';
  }

  /** Attempts that are not over for the coordinator. */
  get attemptsHeld(): number {
    return this.snapshot.attempts.length;
  }

  /** Pieces of news that wait for the coordinator. */
  get newsHeld(): number {
    return this.#news.size;
  }

  check(): void {
    this.#core.machine.check();
  }

  /** A process begins. */
  start(): void {
    this.host.revive();
    this.#core.begin();
    this.#pool.begin();
    this.hasEnded = false;
    this.endedWith = undefined;
    this.isDraining = false;
    this.#proof.begin();
    this.#core.step({ type: 'started' });
  }

  /** Its process is gone; `silent`: and with it the machine, so that nobody closes its connections. */
  crash(silent: boolean): void {
    this.host.die();
    this.children.killAll();
    this.#connections.crash(silent);
    for (const part of [this.#handovers, this.#pool, this.#news, this.#core]) part.crash();
  }

  /** SIGTERM. */
  stop(drain: boolean): void {
    this.host.do(() => {
      this.isDraining = true;
      this.#core.step({ type: 'stopRequested', drain });
    });
  }

  /** It may have so many processes from now on. */
  resize(slots: number): void {
    this.host.do(() => {
      this.slots = slots;
      this.#pool.step({ type: 'resized', processes: slots });
      if (this.hasSession) this.#connections.resized(slots);
    });
  }

  #carryOut(command: AgentCommand, inHand: News | undefined): void {
    switch (command.type) {
      case 'dial':
        this.#connections.dial(command.link);
        return;
      case 'join': {
        const { instance, held, epochSeen } = command;
        const { labels, peer = ownPeer } = this.plan;
        const { joinsAs: agent, slots } = this;
        this.#proof.sent(`${command.link}/join`);
        this.#connections.control(command.link)?.sendUp({
          kind: 'join',
          agent,
          peer,
          instance,
          slots,
          labels,
          keepsGroupSlots: this.plan.ignoresGroupSlots !== true,
          held,
          epochSeen,
        });
        return;
      }
      case 'sendHeartbeat':
        this.#world.oracle.leases.heartbeatSent(this, command.held);
        this.#proof.sent(`${command.link}/${command.sequence}`);
        this.#connections.control(command.link)?.sendUp({
          kind: 'heartbeat',
          sequence: command.sequence,
          held: command.held,
        });
        return;
      case 'announceDrain':
        this.#connections.control(command.link)?.sendUp({ kind: 'draining' });
        return;
      case 'openData':
        this.#connections.openData(command);
        return;
      case 'requestSend':
        this.host.after(0, () => this.#core.step({ type: 'sendGranted', link: command.link }));
        return;
      case 'sendBatch':
        this.#connections.sendBatch(command);
        return;
      case 'finishData':
        this.#connections.finishData(command.link);
        return;
      case 'leave': {
        const control = this.#connections.control(command.link);
        control?.sendUp({ kind: 'leaving' }, 'strict');
        return;
      }
      case 'closeLink':
        this.#connections.close(command.link);
        return;
      case 'prepareSetup': {
        const { setup } = command;
        this.host.after(prepareMs, () => {
          if (this.#world.bundleFails()) this.#core.step({ type: 'setupFailed', setup, retryable: true });
          else this.#core.step({ type: 'setupPrepared', setup });
        });
        return;
      }
      case 'keepWork':
        this.#handovers.keep(command.attempt);
        return;
      case 'dropWork':
        this.#handovers.drop(command.attempt);
        return;
      case 'startChunk':
        this.#pool.start(command);
        return;
      case 'recallChunk':
        this.#pool.step({ type: 'recallRequested', chunk: command.chunk });
        return;
      case 'abortChunk':
        this.#pool.abort(command.chunk, command.graceMs);
        return;
      case 'pauseChildren':
        this.#pool.step({ type: 'newsHeld', held: true });
        this.children.pause(true);
        return;
      case 'resumeChildren':
        this.#pool.step({ type: 'newsHeld', held: false });
        this.children.pause(false);
        return;
      case 'keepNews':
        this.#news.keep(command.entry, command.content, inHand);
        return;
      case 'dropNews':
        this.#news.drop(command.entries);
        return;
      case 'end':
        this.#ended(command.code);
        return;
      case 'holdStarts':
        this.#pool.step({ type: 'startsHeld', held: true });
        return;
      case 'allowStarts':
        this.#pool.step({ type: 'startsHeld', held: false });
        return;
      case 'releaseSetup':
      case 'note':
        return;
      default:
        command satisfies never;
    }
  }

  #ended(code: string | undefined): void {
    this.hasEnded = true;
    this.endedWith = code;
    this.#world.oracle.leases.agentEnded(this, code);
    this.crash(false);
  }
}
