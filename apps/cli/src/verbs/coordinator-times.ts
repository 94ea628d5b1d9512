import type { CoordinatorConfig } from '@shoal/coordinator';
import { timerMsMax } from '@shoal/errors';
import { Option } from 'commander';
import { milliseconds, wholeNumberWithin } from '../usage-error.ts';

const orNone = wholeNumberWithin(0, timerMsMax);

/** What a coordinator judges agents by. */
export const timeOptions = (): Option[] =>
  [
    ['--lease-ms <n>', 'a silent agent is lost after this (default: 10000)'],
    [
      '--heartbeat-ms <n>',
      'how often agents say that they live; at most a quarter of the lease (default: 2000, or a fifth of a shorter lease)',
    ],
    [
      '--self-fence-ms <n>',
      'when an agent without an answer starts nothing new; below the lease (default: four fifths of it)',
    ],
    [
      '--confirm-ms <n>',
      'what no heartbeat lists for so long is handed out again; at least two heartbeats (default: 5000)',
    ],
    ['--grace-ms <n>', 'an agent whose stream closed may take so long to come back (default: 3000)', orNone],
    [
      '--quarantine-ms <n>',
      'an agent that comes back again and again gets nothing for so long, doubled each time (default: 30000)',
      orNone,
    ],
    ['--quarantine-ms-max <n>', 'and never for longer (default: 300000)', orNone],
    ['--backoff-ms <n>', 'a retry waits a random time up to this, doubled each time (default: 250)', orNone],
    ['--backoff-ms-max <n>', 'and never for longer (default: 30000)', orNone],
    ['--drain-ms <n>', 'how long SIGTERM waits for the jobs that run (default: 30000)'],
  ].map(([flags, description, parse = milliseconds]) => {
    return new Option(flags as string, description as string).argParser(parse as (text: string) => number);
  });

/** The flags that are no options of a coordinator, but of its scheduler. */
export interface SchedulerFlags {
  readonly selfFenceMs?: number;
  readonly confirmMs?: number;
  readonly graceMs?: number;
  readonly quarantineMs?: number;
  readonly quarantineMsMax?: number;
  readonly backoffMs?: number;
  readonly backoffMsMax?: number;
}

/** Tells them from the others, and puts them where a coordinator has them. */
export function withScheduling<Flags extends SchedulerFlags>(
  flags: Flags,
): Omit<Flags, keyof SchedulerFlags> & Pick<CoordinatorConfig, 'scheduling'> {
  const { selfFenceMs, confirmMs, graceMs, quarantineMs, quarantineMsMax, backoffMs, backoffMsMax, ...rest } =
    flags;
  const all = { selfFenceMs, confirmMs, graceMs, quarantineMs, quarantineMsMax, backoffMs, backoffMsMax };
  const given = Object.entries(all).filter(([, value]) => value !== undefined);
  return { ...rest, scheduling: Object.fromEntries(given) };
}
