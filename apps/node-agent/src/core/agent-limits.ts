/** The numbers of an agent's life that no coordinator tells it. */
export interface AgentLimits {
  /** An answer to the join takes no longer than this, or the link is given up. Default 15,000. */
  readonly joinMs: number;
  /** A coordinator may stand still for a while and go on; one that is silent for longer has lost us. Default 20,000; at least two leases. */
  readonly silentMs: number;
  /** A wait before the next try is a random part of this, doubled with each failure. Default 250. */
  readonly backoffMs: number;
  /** No wait is longer. Default 30,000. */
  readonly backoffMsMax: number;
  /** A name may still be held by an earlier life of this agent; after so long it is another agent's. Default 30,000. */
  readonly nameTakenMs: number;
  /** How long an attempt that could not be started rests here before others get it. Default 1,000. */
  readonly restMs: number;
  /** From the AbortSignal of what is taken back to the kill. Default 2,000. */
  readonly abortGraceMs: number;
  /** How long a drain waits for what runs. Default 30,000. */
  readonly drainMs: number;
  /** What a drain gave back has to be heard of; so long it waits for that. Default 5,000. */
  readonly farewellMs: number;
  /** How long the good-byes may take. Default 5,000. */
  readonly partingMs: number;
  /** An agent that drains and is without a session for so long leaves: its attempts are others' by then. Default 3,000. */
  readonly rejoinMs: number;
  /** What one message should hold, about. Default 262,144. */
  readonly messageBytes: number;
  /**
   * While attempts run, no batch of news follows the one before it sooner than this. Default 2: on a busy cluster a
   * message costs its two ends more than what a short task reports. 0: none waits.
   */
  readonly gatherMs: number;
  /** So many bytes wait no longer. Default 65,536. */
  readonly gatherBytes: number;
  /** Results kept for a coordinator that does not take them; beyond it the children wait. Default 33,554,432. */
  readonly outboxBytes: number;
  /** Attempts remembered, so that none is started twice, or after it was revoked. Default 10,000 of either kind. */
  readonly rememberedAttempts: number;
}

export const defaultLimits: AgentLimits = {
  joinMs: 15_000,
  silentMs: 20_000,
  backoffMs: 250,
  backoffMsMax: 30_000,
  nameTakenMs: 30_000,
  restMs: 1_000,
  abortGraceMs: 2_000,
  drainMs: 30_000,
  farewellMs: 5_000,
  partingMs: 5_000,
  rejoinMs: 3_000,
  messageBytes: 256 * 1024,
  gatherMs: 2,
  gatherBytes: 64 * 1024,
  outboxBytes: 32 * 1024 * 1024,
  rememberedAttempts: 10_000,
};
