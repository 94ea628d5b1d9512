import { checkOptionNames } from '@shoal/errors';
import { defaultSchedulerOptions, type SchedulerOptions, schedulerOptions } from '@shoal/scheduler';
import type { CoordinatorConfig } from './config.ts';

const names = Object.keys(defaultSchedulerOptions);
/** An agent is told its times in 32 bits, and no timer waits for longer. */
const timerMsMax = 2_147_483_647;
/** Measured work, not waiting: a part of a millisecond means something. */
const mayBeFractions: readonly string[] = ['shardMs', 'shardMsMin', 'aheadBelowMs', 'tinyBelowMs'];

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
  for (const [name, value] of known) checkTime(name, value);
  return schedulerOptions(Object.fromEntries(known));
}

/** What is no number, or none that can be, is told by the scheduler's own check. */
function checkTime(name: string, value: unknown): void {
  if (!/Ms(Min|Max)?$/.test(name) || mayBeFractions.includes(name)) return;
  const least = name === 'heartbeatMs' || name === 'leaseMs' ? 1 : 0;
  if (typeof value === 'number' && !(Number.isSafeInteger(value) && value >= least && value <= timerMsMax)) {
    throw new RangeError(`${name} must be a whole number from ${least} to ${timerMsMax}, not ${value}.`);
  }
}
