import type { ShoalError } from '@shoal/errors';
import { type AgentConfig, settleConfig } from './config.ts';

/** An agent that runs. */
export interface Agent {
  /** Its name in the cluster. */
  readonly name: string;
  /** Resolves when the coordinator has taken it in for the first time. Never rejects: it keeps trying. */
  readonly joined: Promise<void>;
  /**
   * Resolves when the agent is over and nothing of it is left: undefined after `close()`, else the error that no
   * further try could help (`AGENT_NAME_TAKEN`, `VERSION_MISMATCH`).
   */
  readonly ended: Promise<ShoalError | undefined>;
  /**
   * Stops. With `drain` (the default) it takes nothing new, finishes what runs within `drainMs`, gives the rest back
   * and says good-bye; without, or when called again, it ends at once. Resolves when every child is gone.
   */
  close(options?: { readonly drain?: boolean }): Promise<void>;
}

/** Starts an agent. Rejects only for a bad option: a coordinator that cannot be reached is tried again for ever. */
export async function startAgent(config: AgentConfig): Promise<Agent> {
  settleConfig(config);
  throw new Error('not built yet');
}
