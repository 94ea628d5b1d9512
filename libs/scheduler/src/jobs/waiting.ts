import type { Dispatcher } from '../dispatch/dispatcher.ts';
import type { Agent } from '../fleet/agent.ts';
import type { ItemRange } from '../identity.ts';
import type { WaitingReason } from '../snapshot.ts';
import type { Job } from './job.ts';
import type { Lane } from './lane.ts';
import type { Waiting as WaitingItems } from './pending-items.ts';

/** Why a job waits, as a word and in words. */
export interface Waiting {
  readonly waitingReason: WaitingReason;
  readonly waitingFor: string;
}

/** What is told of a job that comes on when its consumer takes something. */
export const pausedByConsumerText = 'paused by its consumer';

/**
 * Why a job has work left and nothing of it runs, or why nothing more of it starts for want of memory; undefined while
 * it comes on as it should, or nothing is left.
 */
export function waitingOf(job: Job, dispatcher: Dispatcher, nowMs: number): Waiting | undefined {
  const { pending } = job;
  const lowest = pending.lowest();
  if (job.running > 0) {
    const isHeld = lowest !== undefined && !job.hasRoomFor(lowest.first);
    return isHeld ? because('memory', 'waits for memory (windowBytes)') : undefined;
  }
  if (job.complete) return undefined;
  if (job.pausedByConsumer) return because('pausedByConsumer', pausedByConsumerText);
  if (pending.ready + pending.waiting === 0) {
    // Every item that was pushed was delivered. The producer has leave for more, or the consumer does not make room.
    if (job.inputEnded || job.granted <= job.pushed) return because('pausedByConsumer', pausedByConsumerText);
    return because('input', 'waits for its input');
  }
  if (dispatcher.agents.size === 0) return because('noAgents', 'no agents are connected');
  const { lane } = job.line;
  if (lane.agents === 0) return withoutAgents(lane, [...dispatcher.agents.values()], nowMs);
  if (lowest === undefined) {
    const { piece, readyAtMs } = pending.nextWaiting as WaitingItems;
    return because('retry', `${itemsText(piece)} tried again in ${timeText(readyAtMs - nowMs)}`);
  }
  if (lane.waitingForAnother.has(job)) {
    const { avoids } = lowest.history;
    const limit = timeText(lowest.elsewhereUntilMs - nowMs);
    const reason = `item ${lowest.first} waits for another agent than ${avoids}, where it crashed, for ${limit}`;
    return because('retry', reason);
  }
  if (job.line.shelved) {
    const { processes } = job.group;
    const share = processes === 1 ? '1 process' : `${processes} processes`;
    return because('groupShareInUse', `its share of ${share} is in use`);
  }
  // What keeps its slots busy is its own: all items of a shard are done, and whoever ran them has not said so yet.
  if (job.attempts.size > 0) return because('slotsBusy', 'a shard of its own is about to end');
  return because('slotsBusy', 'all slots busy');
}

/** `agents`: all there are. */
function withoutAgents(lane: Lane, agents: readonly Agent[], nowMs: number): Waiting {
  const { encoding } = lane;
  const members = [...lane.members];
  const labels = Object.entries(lane.labels).map(([label, value]) => `${label}=${value}`);
  const asked = `label${labels.length > 1 ? 's' : ''} ${labels.join(', ')}`;
  const labelled = agents.filter((agent) => agent.hasLabels(lane.labels));
  if (labelled.length === 0) return because('noAgentHasLabel', `no agent has ${asked}`);
  const such = labels.length === 0 ? 'agent' : `agent with ${asked}`;
  if (members.length === 0) return because('noAgentAcceptsEncoding', `no ${such} accepts ${encoding}`);
  const every = `every ${such}${members.length < labelled.length ? ` that accepts ${encoding}` : ''}`;
  const connected = members.filter((agent) => agent.connected);
  if (connected.length === 0) {
    return because('agentsReconnecting', `the connection to ${every} is interrupted`);
  }
  const setAside = connected.filter(({ draining }) => !draining);
  if (setAside.length === 0) return because('agentsDraining', `${every} is draining`);
  const firstBackMs = Math.min(...setAside.map(({ setAsideUntilMs = nowMs }) => setAsideUntilMs));
  const wait = timeText(firstBackMs - nowMs);
  return because('agentsSetAside', `${every} lost its connection too often and gets no work for ${wait}`);
}

/** `item 7 is`, `items 7-9 are`. */
function itemsText({ first, count }: ItemRange): string {
  return count === 1 ? `item ${first} is` : `items ${first}-${first + count - 1} are`;
}

/** `0.3 s`, `12 s`: rounded up, for at 0 nothing waits. */
function timeText(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  return `${seconds < 10 ? Math.ceil(seconds * 10) / 10 : Math.ceil(seconds)} s`;
}

function because(waitingReason: WaitingReason, waitingFor: string): Waiting {
  return { waitingReason, waitingFor };
}
