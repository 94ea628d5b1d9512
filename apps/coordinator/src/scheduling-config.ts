import { checkOptionNames, timerMsMax } from '@shoal/errors';
import { defaultSchedulerOptions, type SchedulerOptions, schedulerOptions } from '@shoal/scheduler';
import type { CoordinatorConfig } from './config.ts';

const names = Object.keys(defaultSchedulerOptions);

/** What a number may be. */
interface Range {
  readonly min: number;
  readonly max: number;
  /** Measured work, not waiting: a part of it means something. */
  readonly mayBeFraction?: boolean;
}

const anyTime: Range = { min: 0, max: timerMsMax };
const anyWork: Range = { min: 0, max: timerMsMax, mayBeFraction: true };

/**
 * What is beyond is a slip. An agent with a lease of some milliseconds is lost whenever it is not scheduled at once; with
 * one of weeks it would be missed by nobody, and times that follow from it would not fit into a message.
 */
const ranges: Readonly<Record<keyof SchedulerOptions, Range>> = {
  heartbeatMs: { min: 20, max: 3_600_000 },
  leaseMs: { min: 500, max: 86_400_000 },
  graceMs: anyTime,
  confirmMs: anyTime,
  selfFenceMs: anyTime,
  heartbeatsPerSecondMax: { min: 1, max: 1_000_000 },
  backoffMs: anyTime,
  backoffMsMax: anyTime,
  elsewhereMs: anyTime,
  flapSessions: { min: 1, max: 1_000_000 },
  flapWithinMs: anyTime,
  quarantineMs: anyTime,
  quarantineMsMax: anyTime,
  drainsRememberedMax: { min: 1, max: 1_000_000 },
  shardMs: { min: 1, max: 60_000, mayBeFraction: true },
  longShardMs: { min: 1, max: 60_000, mayBeFraction: true },
  shardMsMin: anyWork,
  guessedMsMax: anyWork,
  shardBytesMax: { min: 1, max: 2 ** 30 },
  aheadBelowMs: anyWork,
  shardsPerSlot: { min: 1, max: 1_024 },
  tinyBelowMs: anyWork,
  tinyFactor: { min: 1, max: 1_024 },
  stragglerFactor: { min: 1, max: 1_000_000, mayBeFraction: true },
  stragglerMsMin: anyTime,
  stragglerCheckMs: anyTime,
  failFastGraceMs: anyTime,
  seed: { min: 0, max: Number.MAX_SAFE_INTEGER },
};

/**
 * The numbers of the scheduler, each with its default. `heartbeatMs` and `leaseMs` may be given in either place.
 *
 * Throws a TypeError or RangeError that names the option.
 */
export function settleScheduling({ scheduling = {}, ...top }: CoordinatorConfig): SchedulerOptions {
  checkOptionNames('scheduling', scheduling, names);
  const given: Record<string, number | undefined> = { ...scheduling };
  for (const name of ['heartbeatMs', 'leaseMs'] as const) {
    const [inside, outside] = [scheduling[name], top[name]];
    if (inside !== undefined && outside !== undefined && inside !== outside) {
      throw new RangeError(
        `${name} is ${outside}, and scheduling.${name} is ${inside}: leave one of them out.`,
      );
    }
    given[name] = outside ?? inside;
  }
  const known = Object.entries(given).filter(([, value]) => value !== undefined);
  for (const [name, value] of known) checkRange(name as keyof SchedulerOptions, value);
  return schedulerOptions(Object.fromEntries(known));
}

/** What is no number, or contradicts another one, is told by the scheduler's own check. */
function checkRange(name: keyof SchedulerOptions, value: unknown): void {
  if (typeof value !== 'number') return;
  const { min, max, mayBeFraction = false } = ranges[name];
  if (value >= min && value <= max && (mayBeFraction || Number.isSafeInteger(value))) return;
  throw new RangeError(
    `${name} must be a ${mayBeFraction ? 'number' : 'whole number'} from ${min} to ${max}, not ${value}.`,
  );
}
