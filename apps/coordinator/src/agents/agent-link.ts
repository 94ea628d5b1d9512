import type {
  AttemptId,
  Dispatch,
  EndSession,
  HeldAttempt,
  JobId,
  Recall,
  Revoke,
  SessionId,
} from '@shoal/scheduler';
import type { Job } from '../jobs/job.ts';
import type { StoredBlock } from '../payloads/payload.ts';

/** An agent's session, as far as the driver commands it. */
export interface AgentLink {
  readonly session: SessionId;
  /** The join is answered: of what the agent holds it keeps some and drops some. */
  admit(keep: readonly HeldAttempt[], drop: readonly AttemptId[]): void;
  /** The join is refused: an agent of that name is alive. */
  refuse(): void;
  answerHeartbeat(sequence: number, drop: readonly AttemptId[]): void;
  dispatch(command: Dispatch, job: Job, blocks: readonly StoredBlock[]): void;
  revoke(command: Revoke): void;
  recall(command: Recall): void;
  /** These blocks are needed no more. */
  itemsReleased(job: JobId, blocks: readonly StoredBlock[]): void;
  forgetJob(job: JobId): void;
  end(command: EndSession): void;
}
