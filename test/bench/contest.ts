import { type Measurement, measure } from './measurement.ts';
import {
  type Contender,
  expectedDigest,
  nameOf,
  type Scale,
  settingOf,
  type Workload,
  warmUpOf,
} from './workload.ts';

/** What came of a contender. */
export interface Entry {
  readonly contender: string;
  /** Whether it is Shoal, in one of its ways. */
  readonly isOurs: boolean;
  /** Of its peer; undefined where that is missing. */
  readonly version?: string;
  /** Why it was not measured. */
  readonly missing?: string;
  /** Why its figures do not count: it failed, or its output was wrong. */
  failed?: string;
  readonly items: number;
  /** What its processes measured, by round. */
  readonly values: number[];
}

/** A workload and what came of everybody. */
export interface Contest {
  readonly workload: Workload;
  /** Done before, unmeasured, by who has all the items. */
  readonly warmUpItems: number;
  readonly entries: readonly Entry[];
}

/** How contests are held. */
export interface Rules {
  readonly scale: Scale;
  readonly runs: number;
  /** No round begins that would end later than so long after the start, if it takes as long as the longest so far. */
  readonly untilMs: number;
  /** Measurements at the same time: 1, or they measure each other. */
  readonly atOnce: number;
  /** Of one measurement of Shoal. */
  readonly timeoutMs: number;
  /** Of one measurement of anybody else. */
  readonly peerTimeoutMs: number;
  readonly onMeasured: (workload: string, contender: string, round: number, tookMs: number) => void;
}

interface Turn {
  readonly workload: Workload;
  readonly contender: Contender;
  readonly entry: Entry;
  readonly round: number;
}

/**
 * Measures everybody, in turn, round after round: whatever the machine does meanwhile hits all of them alike. Each round
 * begins with another contender. The first round is held in any case.
 */
export async function hold(workloads: readonly Workload[], rules: Rules): Promise<Contest[]> {
  const contests = workloads.map((workload) => ({
    workload,
    warmUpItems: warmUpOf(workload, rules.scale),
    entries: workload.contenders.map((contender) => entryOf(workload, contender, rules)),
  }));
  const expected = new Digests(rules.scale);
  const startedAt = performance.now();
  let longestMs = 0;
  for (let round = 0; round < rules.runs; round += 1) {
    const roundAt = performance.now();
    if (round > 0 && roundAt + longestMs - startedAt > rules.untilMs) break;
    const run = rules.scale.small ? onceEach(measure) : measure;
    const turns = contests.flatMap((contest) => turnsOf(contest, round));
    const work = async (): Promise<void> => {
      for (let turn = turns.shift(); turn !== undefined; turn = turns.shift()) {
        await take(turn, rules, expected, run);
      }
    };
    await Promise.all(Array.from({ length: rules.atOnce }, work));
    longestMs = Math.max(longestMs, performance.now() - roundAt);
  }
  return contests;
}

function entryOf(workload: Workload, contender: Contender, { scale }: Rules): Entry {
  const { items } = settingOf(workload, contender, scale);
  const { isOurs = false } = contender.peer;
  return { contender: nameOf(contender), isOurs, ...contender.peer.find(), items, values: [] };
}

function turnsOf({ workload, entries }: Contest, round: number): Turn[] {
  const present = workload.contenders
    .map((contender, at) => ({ workload, contender, entry: entries[at] as Entry }))
    .filter(({ entry }) => entry.missing === undefined);
  return present.map((_, at) => ({
    ...(present[(at + round) % present.length] as (typeof present)[0]),
    round,
  }));
}

async function take(
  { workload, contender, entry, round }: Turn,
  rules: Rules,
  expected: Digests,
  run: typeof measure,
): Promise<void> {
  // One failure is enough: a peer that hangs would cost its time in every round.
  if (entry.failed !== undefined) return;
  const setting = settingOf(workload, contender, rules.scale);
  const timeoutMs = contender.peer.isOurs ? rules.timeoutMs : rules.peerTimeoutMs;
  const argv = contender.command?.(setting) ?? contender.peer.command(setting);
  const startedAt = performance.now();
  try {
    const measured: Measurement = await run(argv, timeoutMs);
    if (measured.digest !== expected.of(workload, contender)) throw new Error('its output is wrong');
    entry.values[round] = measured.value;
  } catch (error) {
    entry.failed = error instanceof Error ? error.message : String(error);
  }
  rules.onMeasured(workload.name, entry.contender, round, performance.now() - startedAt);
}

/** Of what several workloads ask alike when they are small: measured again it would show no more. */
function onceEach(run: typeof measure): typeof measure {
  const known = new Map<string, Promise<Measurement>>();
  return (argv, timeoutMs) => {
    const key = JSON.stringify([argv, timeoutMs]);
    const measurement = known.get(key) ?? run(argv, timeoutMs);
    known.set(key, measurement);
    return measurement;
  };
}

/** What has to come out, computed once for each list of items. */
class Digests {
  readonly #scale: Scale;
  readonly #known = new Map<string, string>();

  constructor(scale: Scale) {
    this.#scale = scale;
  }

  of(workload: Workload, contender: Contender): string {
    const setting = settingOf(workload, contender, this.#scale);
    const key = `${setting.task} ${setting.items}`;
    const known = this.#known.get(key) ?? expectedDigest(setting);
    this.#known.set(key, known);
    return known;
  }
}
