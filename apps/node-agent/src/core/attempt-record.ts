import type { HeldAttempt } from './agent-command.ts';
import type { AttemptDispatched, AttemptId, ChunkId } from './agent-event.ts';
import type { Setup } from './job-setups.ts';

/** One attempt, from the moment its dispatch was read until the coordinator has taken its ending. */
export class AttemptRecord {
  readonly dispatch: AttemptDispatched;
  readonly epoch: number;
  /** Its job as it was announced then: what runs outlives the session. Undefined: it was not announced. */
  readonly setup: Setup | undefined;
  /** Rises with the numbers of the attempts, and from one epoch to the next. */
  readonly order: number;
  /** The driver keeps what it is to run on. */
  hasWork = false;
  /** Of the pool; undefined while it waits to be started, and once its chunk is over. */
  chunk: ChunkId | undefined;
  /** It was started at some time: its items may have begun to run. */
  hasBegun = false;
  /** Taken back: nothing that its child still says of it counts. */
  isRevoked = false;
  /** Its ending is in the outbox. */
  isReported = false;
  /** It could not be started, and is given back then. */
  returnAtMs: number | undefined;

  constructor(dispatch: AttemptDispatched, epoch: number, setup: Setup | undefined, order: number) {
    this.dispatch = dispatch;
    this.epoch = epoch;
    this.setup = setup;
    this.order = order;
  }

  get id(): AttemptId {
    return this.dispatch.attempt;
  }

  get state(): 'waiting' | 'resting' | 'running' | 'reported' {
    if (this.isReported) return 'reported';
    if (this.chunk !== undefined) return 'running';
    return this.returnAtMs === undefined ? 'waiting' : 'resting';
  }

  /** Neither started nor over. */
  get isWaiting(): boolean {
    return this.chunk === undefined && !this.isReported;
  }

  get held(): HeldAttempt {
    const { attempt, job, first, count } = this.dispatch;
    return { attempt, epoch: this.epoch, job, first, count };
  }
}
