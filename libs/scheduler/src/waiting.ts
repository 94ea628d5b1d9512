import type { Dispatcher } from './dispatcher.ts';
import type { Job } from './job.ts';
import type { Lane } from './lane.ts';
import type { WaitingReason } from './snapshot.ts';

/** Why a job waits, as a word and in words. */
export interface Waiting {
  readonly waitingReason: WaitingReason;
  readonly waitingFor: string;
}

/** Why a job has work left and nothing of it runs; undefined while something does, or nothing is left. */
export function waitingOf(job: Job, dispatcher: Dispatcher, nowMs: number): Waiting | undefined {
  if (job.running > 0 || job.complete) return undefined;
  const { pending } = job;
  if (job.pausedByConsumer) return because('pausedByConsumer', 'paused by its consumer');
  if (pending.ready + pending.waiting === 0) {
    return job.inputEnded ? undefined : because('input', 'waiting for more input');
  }
  if (dispatcher.agents.size === 0) return because('noAgents', 'no agents are connected');
  const { lane } = job.line;
  if (lane.agents === 0) return withoutAgents(lane);
  if (pending.ready === 0) {
    const inMs = Math.max(0, (pending.nextReadyMs ?? nowMs) - nowMs);
    return because('retry', `waiting ${Math.ceil(inMs)} ms to retry`);
  }
  if (lane.waitingForAnother.has(job)) {
    return because('retry', 'waiting to retry on another agent than the one it crashed on');
  }
  if (job.line.shelved) {
    const { processes } = job.group;
    const share = processes === 1 ? '1 process' : `${processes} processes`;
    return because('groupShareInUse', `its share of ${share} is in use`);
  }
  return because('slotsBusy', 'all slots are busy');
}

function withoutAgents(lane: Lane): Waiting {
  const members = [...lane.members];
  if (members.length === 0) {
    const labels = Object.entries(lane.labels).map(([label, value]) => `${label}=${value}`);
    return because(
      'noAgentHasLabel',
      `no agent has label${labels.length > 1 ? 's' : ''} ${labels.join(', ')}`,
    );
  }
  const connected = members.filter((agent) => agent.connected);
  if (connected.length === 0) {
    return because('agentsReconnecting', 'the connection to every agent is interrupted');
  }
  return connected.some((agent) => !agent.draining)
    ? because('agentsSetAside', 'every agent lost its connection too often and is set aside')
    : because('agentsDraining', 'every agent is draining');
}

function because(waitingReason: WaitingReason, waitingFor: string): Waiting {
  return { waitingReason, waitingFor };
}
