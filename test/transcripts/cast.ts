import { SchedulerActor } from './scheduler-actor.ts';
import type { Cast } from './transcript.ts';

/** Who plays in transcripts. */
export const cast: Cast = { scheduler: (settings) => new SchedulerActor(settings) };
