import type { CoordinatorConfig } from './config.ts';
import { settleConfig } from './config.ts';

/** A coordinator that runs. */
export interface Coordinator {
  /** `HOST:PORT` that it listens on, with the real port where 0 was asked for. */
  readonly address: string;
  /** A snapshot of what it does. */
  status(): CoordinatorStatus;
  /**
   * Stops. With `drain` (the default) running jobs may finish for up to `drainMs` (default 30,000) and new ones are
   * refused; without, everything ends at once. Called again, it stops at once. Resolves when nothing of it is left.
   */
  close(options?: { readonly drain?: boolean; readonly drainMs?: number }): Promise<void>;
}

/** What {@link Coordinator.status} shows. */
export interface CoordinatorStatus {
  readonly epoch: number;
  readonly agents: number;
  readonly slots: number;
  readonly jobs: number;
}

/** Starts a coordinator. Rejects with `INSECURE_LISTEN`, `ADDRESS_IN_USE`, or the first bad option. */
export async function startCoordinator(config: CoordinatorConfig = {}): Promise<Coordinator> {
  settleConfig(config);
  throw new Error('not built yet');
}
