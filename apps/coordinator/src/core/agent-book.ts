import type { AgentName, HeldAttempt, SchedulerCommand, SessionId } from '@shoal/scheduler';
import type { JoinReceived } from './coordinator-event.ts';

/** The session that an agent had last. */
interface LastSession {
  readonly session: SessionId;
  /** Which of the agent's own lives had it. */
  readonly instance: string;
  /** When it ended; undefined while it lasts. */
  goneAtMs: number | undefined;
}

/**
 * Which agent had which session last: what tells an agent that comes back from a stranger under its name.
 *
 * An agent that has a name of its own in each life would leave one behind each time, so a name is forgotten some time
 * after its session ended.
 */
export class AgentBook {
  readonly #epoch: number;
  readonly #byName: Map<AgentName, LastSession> = new Map();
  readonly #names: Map<SessionId, AgentName> = new Map();
  /** Names whose session has ended, the longest ago first. */
  readonly #gone: Set<AgentName> = new Set();

  constructor(epoch: number) {
    this.#epoch = epoch;
  }

  /** The session that this very process had before, if it had one. */
  resumes({ agent, instance }: JoinReceived): SessionId | undefined {
    const last = this.#byName.get(agent);
    return last?.instance === instance ? last.session : undefined;
  }

  /** Of what an agent holds: what it was given in this life. Numbers of another epoch say nothing here. */
  held({ held }: JoinReceived): HeldAttempt[] {
    return held.filter(({ epoch }) => epoch === this.#epoch).map(({ attempt, job }) => ({ attempt, job }));
  }

  /** Whether this session is its agent's, and lasts. */
  isOpen(session: SessionId): boolean {
    return this.#names.has(session);
  }

  admitted({ agent, instance, session }: JoinReceived): void {
    const earlier = this.#byName.get(agent);
    if (earlier !== undefined) this.#names.delete(earlier.session);
    this.#gone.delete(agent);
    this.#byName.set(agent, { session, instance, goneAtMs: undefined });
    this.#names.set(session, agent);
  }

  /** A session is over. In an orderly way: the agent's process ends, and will not be back. */
  over(session: SessionId, orderly: boolean, nowMs: number): void {
    const agent = this.#names.get(session);
    const last = agent === undefined ? undefined : this.#byName.get(agent);
    if (agent === undefined || last === undefined) return;
    this.#names.delete(session);
    if (orderly) {
      this.#byName.delete(agent);
      return;
    }
    last.goneAtMs = nowMs;
    this.#gone.add(agent);
  }

  /** Forgets the agents that have been gone since before this time. */
  forgetBefore(sinceMs: number): void {
    for (const agent of this.#gone) {
      const goneAtMs = this.#byName.get(agent)?.goneAtMs ?? 0;
      if (goneAtMs >= sinceMs) return;
      this.#gone.delete(agent);
      this.#byName.delete(agent);
    }
  }

  /** How many names it knows. */
  get size(): number {
    return this.#byName.size;
  }
}

/** Parts the commands of a step: what the session that is answered is told to drop, and all others. */
export function partDrops(
  commands: readonly SchedulerCommand[],
  session: SessionId,
): { readonly drop: number[]; readonly rest: SchedulerCommand[] } {
  const drop: number[] = [];
  const rest: SchedulerCommand[] = [];
  for (const command of commands) {
    if (command.type === 'revoke' && command.session === session) drop.push(command.attempt);
    else rest.push(command);
  }
  return { drop, rest };
}
