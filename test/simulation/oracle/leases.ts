import { ownPeer, understands } from '../../../libs/protocol/src/version.ts';
import type { AgentHost } from '../agent/agent-host.ts';
import type { CoordinatorHost } from '../coordinator/coordinator-host.ts';
import { must } from '../violation.ts';
import type { World } from '../world.ts';

/** Who is lost, and when: whoever is silent for a lease, nobody sooner, and nobody for a stall of the coordinator. */
export class Leases {
  readonly #world: World;
  /** When each session was last heard of, on the coordinator's clock less its stalls. */
  readonly #heard = new Map<number, { agent: string; atMs: number; isDeaf: boolean }>();
  #deaf: number | undefined;
  #stalledMs = 0;

  constructor(world: World) {
    this.#world = world;
  }

  /** A heartbeat lists everything that runs, and comes in time. */
  heartbeatSent(agent: AgentHost, held: readonly number[]): void {
    const { name } = agent.plan;
    const listed = new Set(held);
    for (const attempt of agent.wantedAttempts) {
      must(
        listed.has(attempt),
        'G15',
        () => `a heartbeat of ${name} leaves out attempt ${attempt}, which runs there`,
        { attempt, agent: name },
      );
    }
  }

  agentEnded(agent: AgentHost, code: string | undefined): void {
    const isStranger = agent.plan.name !== agent.joinsAs;
    must(
      code === undefined ||
        (code === 'AGENT_NAME_TAKEN' && (isStranger || !this.#world.isCalm)) ||
        (code === 'VERSION_MISMATCH' && !understands(ownPeer, agent.plan.peer ?? ownPeer)),
      'structure',
      () => `${agent.plan.name} gave up: ${code}`,
      { agent: agent.plan.name },
    );
  }

  /** `stalledForMs`: so long nothing has got through to it. */
  heardOf(session: number, agent: string, stalledForMs = 0): void {
    const isDeaf = this.isDeaf(stalledForMs);
    this.#heard.set(session, { agent, atMs: this.nowMs, isDeaf });
    if (isDeaf) this.#deaf = session;
  }

  /** Whether a session to which nothing has got through for so long is ended, and what it says is not taken in. */
  isDeaf(stalledForMs: number): boolean {
    return stalledForMs > this.#world.coordinator.timing.leaseMs;
  }

  /** Whoever only speaks, and hears nothing, is not kept. */
  stepped(): void {
    const deaf = this.#deaf;
    if (deaf === undefined) return;
    this.#deaf = undefined;
    must(
      !this.#world.coordinator.hasSession(deaf),
      'G18',
      () => `${this.#heard.get(deaf)?.agent} hears nothing for more than a lease, and is kept`,
    );
  }

  sessionEnded(session: number, reason: string): void {
    const heard = this.#heard.get(session);
    if (heard === undefined || reason !== 'silent' || heard.isDeaf) return;
    const silentMs = this.nowMs - heard.atMs;
    const { leaseMs } = this.#world.coordinator.timing;
    must(
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

  /** The coordinator was told that it had stood still. */
  stalled(lostMs: number): void {
    this.#stalledMs += lostMs;
  }

  coordinatorRestarted(): void {
    this.#heard.clear();
    this.#stalledMs = 0;
  }

  /** Whoever is silent has to be lost by now. */
  inspect(coordinator: CoordinatorHost): void {
    const { leaseMs } = coordinator.timing;
    for (const [session, { agent, atMs }] of this.#heard) {
      const silentMs = this.nowMs - atMs;
      const isAwake = coordinator.host.now() - coordinator.wokeAtMs > 1_500;
      must(
        silentMs <= leaseMs + 250 || !isAwake || !coordinator.hasSession(session),
        'G15',
        () => `${agent} has been silent for ${Math.round(silentMs)} ms and is not lost`,
        { agent },
      );
    }
  }

  /** The coordinator's clock, less the time that it stood still. */
  get nowMs(): number {
    return this.#world.coordinator.host.now() - this.#stalledMs;
  }
}
