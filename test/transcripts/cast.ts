import { AgentActor } from './agent-actor.ts';
import { SchedulerActor } from './scheduler-actor.ts';
import type { Cast } from './transcript.ts';

/** Who plays in transcripts. */
export const cast: Cast = {
  scheduler: (settings) => new SchedulerActor(settings),
  agent: (settings) => new AgentActor(settings),
};
