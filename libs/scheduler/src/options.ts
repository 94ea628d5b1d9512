/**
 * The numbers of the delivery contract: every limit and every time that the scheduler judges by.
 */

/**
 * What a scheduler can be told. Times are in milliseconds.
 *
 * Who gives one of the times that depend on each other need not give the others: a default follows what was given.
 */
export interface SchedulerOptions {
  /**
   * How often an agent says that it lives. Default 2,000, or a fifth of a `leaseMs` below 10,000. Stretched when agents are
   * many, see `heartbeatsPerSecondMax`.
   */
  readonly heartbeatMs: number;
  /**
   * How long an agent may be silent before it is lost. Default 10,000, or five of a `heartbeatMs` above 2,000; at least four
   * heartbeats. Stretched with them.
   */
  readonly leaseMs: number;
  /** How long an agent whose stream closed may take to come back. Default 3,000, or a shorter `leaseMs`; at most that. */
  readonly graceMs: number;
  /**
   * How long an attempt may go unlisted by its agent's heartbeats. Default 5,000, or two and a half of a `heartbeatMs` above
   * 2,000; at least two heartbeats.
   */
  readonly confirmMs: number;
  /**
   * When an agent without an answer starts nothing new. The agent does it; here only to be compared. Default: four fifths of
   * `leaseMs`, 8,000; below that.
   */
  readonly selfFenceMs: number;
  /** Heartbeats of all agents together, at most. Default 500: beyond 1,000 agents each beats more slowly. */
  readonly heartbeatsPerSecondMax: number;
  /** Retries wait a random time up to this, doubled with each retry. Default 250. */
  readonly backoffMs: number;
  /** No retry waits longer. Default 30,000, or a longer `backoffMs`; at least that. */
  readonly backoffMsMax: number;
  /** How long an item that was in a dying child waits for an agent other than that one. Default 2,000. */
  readonly elsewhereMs: number;
  /** An agent that starts this many sessions within `flapWithinMs` is set aside. Default 5. */
  readonly flapSessions: number;
  /** Default 60,000. */
  readonly flapWithinMs: number;
  /** How long a flapping agent is set aside the first time; doubles each time. Default 30,000. */
  readonly quarantineMs: number;
  /** No agent is set aside for longer. Default 300,000, or a longer `quarantineMs`; at least that. */
  readonly quarantineMsMax: number;
  /**
   * Agents whose drain by an operator is remembered while they are away. Default 1,000: beyond it the one that was drained
   * longest ago is forgotten.
   */
  readonly drainsRememberedMax: number;
  /**
   * The work that an automatic shard aims at. Default 80, range 1 to 60,000; 20 to 90 suit most clusters: its way through all
   * hops costs 0.25 to 1, and five times that where processes have to share CPUs and caches with what they pass on.
   */
  readonly shardMs: number;
  /**
   * The same while no other job waits for a slot: a shard that may be asked back costs whoever comes nothing. Default 240, or three
   * times a `shardMs` that was given, up to 60,000; range `shardMs`, which makes no difference between them, to 60,000.
   */
  readonly longShardMs: number;
  /**
   * An automatic shard is not cut smaller than this for the sake of sharing, once items are measured. Default 8, or a tenth of
   * a `shardMs` below 80.
   */
  readonly shardMsMin: number;
  /**
   * Shards shorter than this, by what items of their job's kind have cost before, are handed out before anything of the job is measured,
   * as many as a slot may hold: the rest of a short job need not wait for a way there and back. What has not begun is asked back where
   * they take four times as long. Default 8; more than `aheadBelowMs` is no more than that. 0: a guess is no reason to let one wait.
   */
  readonly guessedMsMax: number;
  /** Input (or expected results) of an automatic shard, at most; one item always fits. Default 262,144. */
  readonly shardBytesMax: number;
  /**
   * Shards shorter than this may queue up behind a busy slot. Default 100, or five quarters of a `shardMs` above 80: an
   * automatic shard is shorter, whatever measurements do. 0: none may.
   */
  readonly aheadBelowMs: number;
  /** Short shards that one slot may hold, the running one included. Default 4. */
  readonly shardsPerSlot: number;
  /** Shards shorter than this are tiny. Default 1. */
  readonly tinyBelowMs: number;
  /**
   * A slot may hold so many times as many shards where they are tiny. Default 4: on a cluster they then travel several
   * in a message, and a message costs more than such a shard. A power of two, so that parts of slots add up exactly. Where
   * the size of shards is given, it is 4 at least.
   */
  readonly tinyFactor: number;
  /** An attempt at a pure job is a straggler when it runs this many times as long as its shard should take. Default 3. */
  readonly stragglerFactor: number;
  /** No attempt is a straggler earlier, in milliseconds. Default 1,000: short waits are cheaper than a second run. */
  readonly stragglerMsMin: number;
  /** How often a pure job is looked at for stragglers. Default 250. */
  readonly stragglerCheckMs: number;
  /**
   * How long results of earlier items may still be on their way when an ordered job with `failFast` fails; nothing new is
   * handed out meanwhile. Default 50: longer than most results are held back, and not as long as those of slow items may be.
   */
  readonly failFastGraceMs: number;
  /** Seed of the jitter: equal seeds and equal events give equal commands. Default 1. */
  readonly seed: number;
}

/** Whoever wants longer ones says how many items make a chunk. */
const shardMsMax = 60_000;

/** The options of a scheduler that was told nothing. */
export const defaultSchedulerOptions: SchedulerOptions = {
  heartbeatMs: 2_000,
  leaseMs: 10_000,
  graceMs: 3_000,
  confirmMs: 5_000,
  selfFenceMs: 8_000,
  heartbeatsPerSecondMax: 500,
  backoffMs: 250,
  backoffMsMax: 30_000,
  elsewhereMs: 2_000,
  flapSessions: 5,
  flapWithinMs: 60_000,
  quarantineMs: 30_000,
  quarantineMsMax: 300_000,
  drainsRememberedMax: 1_000,
  shardMs: 80,
  longShardMs: 240,
  shardMsMin: 8,
  guessedMsMax: 8,
  shardBytesMax: 262_144,
  aheadBelowMs: 100,
  shardsPerSlot: 4,
  tinyBelowMs: 1,
  tinyFactor: 4,
  stragglerFactor: 3,
  stragglerMsMin: 1_000,
  stragglerCheckMs: 250,
  failFastGraceMs: 50,
  seed: 1,
};

/** Fills in the defaults. Throws a TypeError or RangeError that names the option. */
export function schedulerOptions(given: Partial<SchedulerOptions> = {}): SchedulerOptions {
  for (const [name, value] of Object.entries(given)) {
    if (typeof value !== 'number') throw new TypeError(`${name} must be a number, not ${typeof value}`);
    if (!Number.isFinite(value) || value < 0) {
      throw new RangeError(`${name} must be a finite number and not negative, not ${value}`);
    }
  }
  const options: SchedulerOptions = { ...fittingDefaults(given), ...given };
  const positive = [
    'heartbeatMs',
    'heartbeatsPerSecondMax',
    'flapSessions',
    'drainsRememberedMax',
    'shardBytesMax',
    'shardsPerSlot',
    'tinyFactor',
    'stragglerFactor',
    'stragglerCheckMs',
  ] as const;
  for (const name of positive) {
    if (options[name] <= 0) throw new RangeError(`${name} must be more than 0, not ${options[name]}`);
  }
  const { heartbeatMs, leaseMs, graceMs, confirmMs, selfFenceMs, shardMs, longShardMs, tinyFactor } = options;
  const { backoffMs, backoffMsMax, quarantineMs, quarantineMsMax } = options;
  requireRatio(shardMs >= 1 && shardMs <= shardMsMax, 'shardMs', `from 1 to ${shardMsMax}`, shardMs);
  requireRatio(
    longShardMs >= shardMs && longShardMs <= shardMsMax,
    'longShardMs',
    `from shardMs (${shardMs}) to ${shardMsMax}`,
    longShardMs,
  );
  requireRatio(Number.isInteger(Math.log2(tinyFactor)), 'tinyFactor', 'a power of two', tinyFactor);
  // Three heartbeats may be lost before a machine is given up, and it stops by itself before others take its work.
  requireRatio(heartbeatMs * 4 <= leaseMs, 'leaseMs', `at least 4 x heartbeatMs (${heartbeatMs})`, leaseMs);
  requireRatio(selfFenceMs < leaseMs, 'selfFenceMs', `below leaseMs (${leaseMs})`, selfFenceMs);
  requireRatio(graceMs <= leaseMs, 'graceMs', `at most leaseMs (${leaseMs})`, graceMs);
  // The first heartbeat after a dispatch may have left before the dispatch arrived; the second has to list it.
  requireRatio(
    confirmMs >= heartbeatMs * 2,
    'confirmMs',
    `at least 2 x heartbeatMs (${heartbeatMs})`,
    confirmMs,
  );
  requireRatio(backoffMsMax >= backoffMs, 'backoffMsMax', `at least backoffMs (${backoffMs})`, backoffMsMax);
  requireRatio(
    quarantineMsMax >= quarantineMs,
    'quarantineMsMax',
    `at least quarantineMs (${quarantineMs})`,
    quarantineMsMax,
  );
  return options;
}

/** The defaults, those of them moved that would contradict what was given: nobody is told of an option that he did not set. */
function fittingDefaults(given: Partial<SchedulerOptions>): SchedulerOptions {
  const usual = defaultSchedulerOptions;
  const { shardMs = usual.shardMs } = given;
  const [beat, lease] = [usual.heartbeatMs, usual.leaseMs];
  const fifth = Math.max(1, Math.floor(((given.leaseMs ?? lease) * beat) / lease));
  const heartbeatMs = given.heartbeatMs ?? Math.min(beat, fifth);
  const leaseMs = given.leaseMs ?? Math.max(lease, (heartbeatMs * lease) / beat);
  return {
    ...usual,
    heartbeatMs,
    leaseMs,
    graceMs: Math.min(usual.graceMs, leaseMs),
    confirmMs: Math.max(usual.confirmMs, (heartbeatMs * usual.confirmMs) / beat),
    selfFenceMs: Math.floor((leaseMs * usual.selfFenceMs) / lease),
    backoffMsMax: Math.max(usual.backoffMsMax, given.backoffMs ?? 0),
    quarantineMsMax: Math.max(usual.quarantineMsMax, given.quarantineMs ?? 0),
    longShardMs: Math.min(shardMsMax, (shardMs * usual.longShardMs) / usual.shardMs),
    shardMsMin: Math.min(usual.shardMsMin, (shardMs * usual.shardMsMin) / usual.shardMs),
    aheadBelowMs: Math.max(usual.aheadBelowMs, (shardMs * usual.aheadBelowMs) / usual.shardMs),
  };
}

function requireRatio(holds: boolean, name: string, rule: string, value: number): void {
  if (!holds) throw new RangeError(`${name} must be ${rule}, not ${value}`);
}
