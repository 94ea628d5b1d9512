import { countText, describe } from '@shoal/errors';
import type { JobWait } from '@shoal/scheduler';
import type { Job } from './job.ts';

/** What the words need that the scheduler does not know. */
export interface WaitingFacts {
  /** Where agents reach this coordinator. */
  readonly address: string;
  /** The room for items and results is tight. */
  readonly isTight: boolean;
}

/** Why nothing of a job runs; where an operator can do something about it, what he types. Empty: it does not wait. */
export function waitingWords(
  { holders, lacking, request, view }: Pick<Job, 'holders' | 'lacking' | 'request' | 'view'>,
  { queued, waitingFor = '', waitingReason }: Partial<JobWait>,
  { address, isTight }: WaitingFacts,
): string {
  // The scheduler knows of no item that it could run; one stands at the door.
  if (view.holdsBlock && isTight && waitingReason === 'input') {
    return 'the coordinator has no room for more items: its memory and its disk are in use';
  }
  // The scheduler takes it to run: it is given out, and comes back.
  const [lack] = lacking.values();
  const isLacking = [...holders].every(({ session }) => lacking.has(session));
  if (lack !== undefined && isLacking && view.succeeded + view.failed < view.pushed) {
    const others = lacking.size === 1 ? '' : ` (and ${countText(lacking.size - 1)} more)`;
    return `waits for an agent that can hold what it needs; ${lack}${others}`;
  }
  switch (waitingReason) {
    case 'noAgents':
      return describe('NO_AGENTS', { items: countText(queued ?? 0), address });
    case 'noAgentHasLabel': {
      const labels = Object.entries(request.options.labels).map(([name, value]) => `${name}=${value}`);
      return `${waitingFor}; start one: shoal agent --join ${address} --labels ${labels.join()}`;
    }
    case 'agentsDraining':
      return `${waitingFor}; one that an operator drained comes back with: shoal agents resume NAME`;
    default:
      return waitingFor;
  }
}
